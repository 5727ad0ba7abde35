"""Whether a process has ended; for tests."""

import time
from contextlib import suppress

import psutil


def has_ended(pid: int) -> bool:
    """Within some seconds; a zombie has ended, and only waits for its adoptive parent."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.02)
                continue
        return True
    return False
