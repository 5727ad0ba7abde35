"""When requests arrive in an open load."""

import random
from collections.abc import Sequence
from itertools import accumulate

from fixtures.requests import RequestStream

SEED = 22


def poisson(count: int, a_second: float) -> tuple[float, ...]:
    """Times of `count` independent arrivals, so many a second on average; the same in every run.

    Args:
        count: how many.
        a_second: on average.

    Returns:
        Seconds from the beginning, rising.
    """
    chance = random.Random(SEED)  # noqa: S311
    return tuple(accumulate(chance.expovariate(1) / a_second for _ in range(count)))


def logged(stream: RequestStream) -> Sequence[float] | None:
    """When the requests of a user's log arrived; None if the log does not say."""
    arrived = [request.at for request in stream.requests if request.at is not None]
    return arrived if len(arrived) == len(stream.requests) else None
