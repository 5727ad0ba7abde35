"""The table of a saved run."""

import sys

from results.told.report import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
