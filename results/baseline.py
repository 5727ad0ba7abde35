"""Named baselines: runs that were declared good on purpose."""

import sys

from results.saved.baselines import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
