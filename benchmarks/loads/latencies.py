"""Latencies: their percentiles, and their whole distribution in little room.

A percentile is a latency that was observed: the smallest one that so many percent of the requests did not
exceed. The distribution counts latencies in steps of 5 %, so that any pass takes a few dozen numbers only.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

STEP = 1.05  # a bucket's upper bound over its lower one
PERCENTILES = (50.0, 90.0, 95.0, 99.0)
LEAST = 1e-9  # what takes no time counts as a nanosecond


def percentile(latencies: Sequence[float], percent: float) -> float:
    """The smallest latency that `percent` % of them do not exceed.

    Args:
        latencies: in any order, one at least.
        percent: above 0, up to 100.
    """
    ordered = sorted(latencies)
    rank = math.ceil(len(ordered) * percent / 100 - 1e-9)
    return ordered[max(1, rank) - 1]


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """How many latencies lie in each bucket; bucket n is from STEP**n up to STEP**(n + 1) seconds."""

    counts: Mapping[int, int]

    @classmethod
    def of(cls, latencies: Iterable[float]) -> "Distribution":
        """Count these."""
        return cls(counts=dict(sorted(Counter(map(bucket_of, latencies)).items())))

    def __add__(self, other: "Distribution") -> "Distribution":
        """Both together."""
        counts = Counter(self.counts) + Counter(other.counts)
        return Distribution(counts=dict(sorted(counts.items())))

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.counts.values())

    def percentile(self, percent: float) -> float:
        """The percentile, up to 5 % too large: the upper bound of its bucket."""
        rank, below = max(1, math.ceil(self.total * percent / 100 - 1e-9)), 0
        for bucket in sorted(self.counts):
            below += self.counts[bucket]
            if below >= rank:
                return float(STEP ** (bucket + 1))
        raise ValueError("a distribution of nothing has no percentile")


def bucket_of(latency: float) -> int:
    """Which bucket a latency belongs to."""
    return math.floor(math.log(max(LEAST, latency)) / math.log(STEP) + 1e-9)
