"""The timer of every benchmark here: pytest-benchmark reads it, as the `timer` of its own marker.

It is time.perf_counter with two differences. It stands still while a round's frames are proven and freed.
And it can be set forward by the seconds of a round that was taken earlier: this replays the round.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """A stop-watch."""

    def __init__(self) -> None:
        """Show what time.perf_counter shows."""
        self._ahead = 0.0

    def now(self) -> float:
        """Seconds since an arbitrary moment."""
        return time.perf_counter() + self._ahead

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stand still inside."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._ahead -= time.perf_counter() - began

    def advance(self, seconds: float) -> None:
        """Set it forward."""
        self._ahead += seconds

    def seconds_of(self, run: Callable[[], object]) -> float:
        """How long a call takes, in seconds."""
        start = self.now()
        run()
        return self.now() - start


CLOCK = Clock()
