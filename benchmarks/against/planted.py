"""A planted slowdown, to show that the gate finds it.

`PLANT=threads:15 pytest -p benchmarks.against.planted ...`

The named strategy ("all": every one) decodes 15 % of its frames a second time, from the first frame on: more
work, not sleep. What it returns stays right.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # pytest has yet to see what it rewrites
    from torch import Tensor

    from fixtures.workload import Workload


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Replace the strategies that PLANT names; imported late, after pytest's own assertion rewriting."""
    from benchmarks.strategies import STRATEGIES

    name, _, percent = os.environ["PLANT"].partition(":")
    for strategy in STRATEGIES if name == "all" else [name]:
        entry = STRATEGIES[strategy]
        STRATEGIES[strategy] = entry._replace(decode=_slowed(entry.decode, float(percent) / 100))


def _slowed(decode: Callable[..., "Tensor"], share: float) -> Callable[..., "Tensor"]:
    def slowed(workload: "Workload", workers: int) -> "Tensor":
        frames = decode(workload, workers)
        decode(replace(workload, indices=workload.indices[: round(share * len(workload.indices))]), workers)
        return frames

    return slowed
