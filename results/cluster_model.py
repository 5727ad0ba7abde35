"""When a cluster pays, from a saved run."""

import sys

from results.told.cluster_model import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
