"""Estimates how long the rounds of a workload take: from the untimed round, then from those taken."""

from dataclasses import dataclass, field


@dataclass
class Progress:
    """The rounds of contenders that take turns."""

    rounds: int  # of each
    expected: dict[str, float] = field(
        default_factory=dict
    )  # seconds of a round; of those that have not failed
    proving: dict[str, float] = field(
        default_factory=dict
    )  # seconds after the last round, where it is proven
    taken: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, seconds: float, proving: float) -> None:
        """Add a contender: seconds of its untimed round, and of proving."""
        self.expected[name], self.proving[name], self.taken[name] = seconds, proving, 0

    def took(self, name: str, seconds: float) -> None:
        """Count one more round of it."""
        self.expected[name] = seconds
        self.taken[name] += 1

    def out(self, name: str) -> None:
        """Expect no more rounds of it."""
        self.expected.pop(name, None)

    @property
    def total(self) -> int:
        """How many rounds there are, of all that have not failed."""
        return self.rounds * len(self.expected)

    @property
    def seconds_left(self) -> float:
        """About how many seconds all rounds that are left take."""
        left = {name: self.rounds - self.taken[name] for name in self.expected}
        return sum(left[name] * self.expected[name] + bool(left[name]) * self.proving[name] for name in left)

    @property
    def next_of_all(self) -> str:
        """Which round comes next, and how long it all will take, as in "12 of 44, about 4 min left"."""
        number = 1 + sum(self.taken[name] for name in self.expected)
        return f"{number} of {self.total}, about {in_words(self.seconds_left)} left"


def in_words(seconds: float) -> str:
    """A duration for people, such as 40 s or 6 min."""
    return f"{max(1, round(seconds))} s" if seconds < 100 else f"{round(seconds / 60)} min"
