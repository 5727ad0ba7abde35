"""Measure A against B, and give the verdict.

The process becomes `python -m benchmarks.against.ab`: what measures stands there.
"""

import os
import sys

if __name__ == "__main__":
    os.execv(sys.executable, [sys.executable, "-m", "benchmarks.against.ab", *sys.argv[1:]])  # noqa: S606
