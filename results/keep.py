"""Keep runs for good, on a branch of the repository."""

import sys

from results.saved.keeping import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
