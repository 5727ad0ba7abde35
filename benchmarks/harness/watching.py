"""What a person sees while rounds are taken: the round that runs, and how long all will take."""

import time
from dataclasses import dataclass, field

from fixtures.console import Console
from fixtures.settings import Settings


class Watcher:
    """Counts the rounds of one benchmark; `before` and `after` are pedantic's setup and teardown.

    Both run outside the timed region. The untimed pass is the first warm-up round. The seconds shown are for
    a person only: the report has pytest-benchmark's own.
    """

    def __init__(self, name: str, settings: Settings, console: Console, first: str) -> None:
        """Name the rounds to come; `first` is the untimed pass, which pedantic does not take."""
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
        """Clear the live line."""
        if self._console.is_terminal:
            self._console.live("")

    def after(self, *_: object) -> None:
        """Note how long the round took."""
        self._last = f" (last {time.perf_counter() - self._started:.2f} s)"


@dataclass
class Progress:
    """The rounds of contenders that take turns.

    Seconds are estimated by the untimed round first, and then by the last round taken.
    """

    rounds: int  # of each
    expected: dict[str, float] = field(
        default_factory=dict
    )  # seconds of a round, of contenders that have not failed
    proving: dict[str, float] = field(default_factory=dict)  # seconds that proving takes after the last round
    taken: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, seconds: float, proving: float) -> None:
        """Add a contender: seconds of its untimed round, and of proving."""
        self.expected[name], self.proving[name], self.taken[name] = seconds, proving, 0

    def took(self, name: str, seconds: float) -> None:
        """Count one more round of a contender."""
        self.expected[name] = seconds
        self.taken[name] += 1

    def out(self, name: str) -> None:
        """Expect no more rounds of a contender."""
        self.expected.pop(name, None)

    @property
    def total(self) -> int:
        """The number of rounds of all contenders that have not failed."""
        return self.rounds * len(self.expected)

    @property
    def seconds_left(self) -> float:
        """About how many seconds all remaining rounds take."""
        left = {name: self.rounds - self.taken[name] for name in self.expected}
        return sum(left[name] * self.expected[name] + bool(left[name]) * self.proving[name] for name in left)

    @property
    def next_of_all(self) -> str:
        """The round that comes next, and how long all will take, as in "12 of 44, about 4 min left"."""
        number = 1 + sum(self.taken[name] for name in self.expected)
        return f"{number} of {self.total}, about {in_words(self.seconds_left)} left"


def in_words(seconds: float) -> str:
    """A duration for people, such as 40 s or 6 min."""
    return f"{max(1, round(seconds))} s" if seconds < 100 else f"{round(seconds / 60)} min"
