"""Shows a person which contender and round is running."""

import time

from fixtures.console import Console
from fixtures.settings import Settings


class Watcher:
    """Counts the rounds of one benchmark; `before` and `after` are pedantic's setup and teardown.

    Both run outside the timed region. The untimed pass is the first warm-up round. The seconds shown are for
    a person only: the report has pytest-benchmark's own.
    """

    def __init__(self, name: str, settings: Settings, console: Console, first: str) -> None:
        """Name what is coming; `first` is the untimed pass that is not pedantic's."""
        warmups = max(1, settings.warmup_rounds)
        names = [first, *(f"warm-up {n} of {warmups}" for n in range(2, warmups + 1))]
        names += [f"round {n} of {settings.rounds}" for n in range(1, settings.rounds + 1)]
        self.warmups_after_first = warmups - 1  # how many warm-up rounds are left for pedantic
        self._names = names
        self._name = name
        self._console = console
        self._started = 0.0
        self._last = ""

    def before(self) -> None:
        """Show which round begins, and how long the last one took."""
        self._console.live(f"{self._name:<20} {self._names.pop(0)}{self._last}")
        self._started = time.perf_counter()

    @property
    def is_last(self) -> bool:
        """Whether no round follows the one that has begun."""
        return not self._names

    def done(self) -> None:
        """Leave no stale live line behind."""
        if self._console.is_terminal:
            self._console.live("")

    def after(self, *_: object) -> None:
        """Note how long the round took."""
        self._last = f" (last {time.perf_counter() - self._started:.2f} s)"
