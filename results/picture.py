"""Draw one picture of saved runs, without a browser."""

import sys

from results.page.picture import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
