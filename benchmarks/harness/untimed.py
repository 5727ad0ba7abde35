"""The untimed pass that comes before all rounds: it proves what is returned, and measures what it costs."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from benchmarks.harness.contenders import Contender
from benchmarks.harness.cost import CostMeter
from exactframes import FallbackWarning
from results.schema import Record


def prove_and_cost(contender: Contender) -> Record:
    """Take an untimed pass; return the contender's record with its proof, its cost, and why it fell back.

    Raises:
        MismatchError: if the frames are wrong.
        NotMeasuredError: if it cannot be measured here.
    """
    reasons: list[str] = []
    with fallbacks_noted(reasons):
        contender.subject.warm_up()  # the first start of worker processes is neither timed nor in the cost
        with CostMeter() as meter:
            began = time.perf_counter()
            proof = contender.subject.prove(pause=meter.cpu_uncounted)
            seconds = time.perf_counter() - began
    return replace(
        contender.record,
        proof=None if proof is None else proof.summary,
        cost=meter.cost,
        fallback=reasons[-1] if reasons else None,
        untimed_seconds=seconds - meter.uncounted_seconds,
        proving_seconds=meter.uncounted_seconds,
    )


@contextmanager
def fallbacks_noted(reasons: list[str]) -> Iterator[None]:
    """Append the reason of each FallbackWarning inside."""

    def note(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if issubclass(category, FallbackWarning):
            reasons.append(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always", FallbackWarning)
        warnings.showwarning = note
        yield
