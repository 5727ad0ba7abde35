"""A planted slowdown, to show that the gate finds it.

`PLANT=threads:15 pytest -p benchmarks.against.planted ...`

The named strategy ("all": every one) decodes 15 % of its frames a second time, from the first frame on; the
named way to answer requests works on for 15 % of the time that a request took. More work, not sleep. What
they return stays right.
"""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # pytest has yet to see what it rewrites
    from torch import Tensor

    from benchmarks.ways import Decoder, Way
    from benchmarks.ways.given import Given, Memory
    from fixtures.requests import Request
    from fixtures.workload import Workload

WORK = bytes(100_000)  # to digest, in a tenth of a millisecond; other threads go on meanwhile


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Replace what PLANT names; imported late, after pytest's own assertion rewriting."""
    from benchmarks.strategies import STRATEGIES
    from benchmarks.ways import WAYS

    name, _, percent = os.environ["PLANT"].partition(":")
    share = float(percent) / 100
    if name not in {*STRATEGIES, *WAYS, "all"}:
        raise pytest.UsageError(f"PLANT={name}: there is no strategy and no way of that name")
    for strategy, entry in STRATEGIES.items():
        if name in {strategy, "all"}:
            STRATEGIES[strategy] = entry._replace(decode=_slowed(entry.decode, share))
    for way, found in WAYS.items():
        if name in {way, "all"}:
            WAYS[way] = replace(found, open=_opening_slowed(found, share))


def _slowed(decode: Callable[..., "Tensor"], share: float) -> Callable[..., "Tensor"]:
    def slowed(workload: "Workload", workers: int) -> "Tensor":
        frames = decode(workload, workers)
        decode(replace(workload, indices=workload.indices[: round(share * len(workload.indices))]), workers)
        return frames

    return slowed


def _opening_slowed(way: "Way", share: float) -> Callable[["Given", "Memory"], "Decoder"]:
    def opened(given: "Given", memory: "Memory") -> "Decoder":
        began = time.perf_counter()
        decoder = way.open(given, memory)
        _work_on(share, began)
        return _Slowed(decoder, share)

    return opened


class _Slowed:
    """An open video whose requests take longer by a share."""

    def __init__(self, decoder: "Decoder", share: float) -> None:
        self._decoder, self._share = decoder, share

    def frames(self, request: "Request") -> "Tensor":
        began = time.perf_counter()
        frames = self._decoder.frames(request)
        _work_on(self._share, began)
        return frames

    def close(self) -> None:
        self._decoder.close()


def _work_on(share: float, began: float) -> None:
    until = time.perf_counter() + share * (time.perf_counter() - began)
    while time.perf_counter() < until:
        hashlib.sha256(WORK)
