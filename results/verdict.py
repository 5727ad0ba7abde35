"""Judge whether an upgrade made anything slower, from saved runs."""

import sys

from results.gate.runs import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
