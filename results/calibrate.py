"""How far the verdict of `make ab` can be trusted on this machine.

The process becomes `python -m benchmarks.against.calibrate`: what measures stands there.
"""

import os
import sys

if __name__ == "__main__":
    os.execv(sys.executable, [sys.executable, "-m", "benchmarks.against.calibrate", *sys.argv[1:]])  # noqa: S606
