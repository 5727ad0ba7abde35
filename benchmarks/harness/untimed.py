"""The untimed pass that comes before all rounds: it proves what is returned, and measures what it costs."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.harness.cost import CostMeter
from benchmarks.harness.passes import Pass
from exactframes import FallbackWarning


@dataclass
class _Pause:
    """Counts no CPU time and no seconds of a pass."""

    meter: CostMeter
    seconds: float = 0.0

    @contextmanager
    def context(self) -> Iterator[None]:
        """While frames are judged."""
        began = time.perf_counter()
        with self.meter.cpu_uncounted():
            yield
        self.seconds += time.perf_counter() - began


def prove_and_cost(subject: Pass) -> dict[str, Any]:
    """Take an untimed pass.

    Returns:
        The fields to be saved: the seconds and the cost of the pass; "proof", if it returns something to
        prove; "fallback", the reason, if it fell back.

    Raises:
        MismatchError: if the frames are wrong.
        NotMeasuredError: if it cannot be measured here.
    """
    info: dict[str, Any] = {}
    with fallback_noted(info):
        subject.warm_up()  # the first start of worker processes is neither in the times nor in the cost
        with CostMeter() as meter:
            pause = _Pause(meter)
            began = time.perf_counter()
            proof = subject.prove(pause=pause.context)
            info["proving_seconds"] = pause.seconds
            info["untimed_seconds"] = time.perf_counter() - began - pause.seconds
    info["cost"] = asdict(meter.cost)
    return info if proof is None else {"proof": proof.as_dict(), **info}


@contextmanager
def fallback_noted(info: dict[str, Any]) -> Iterator[None]:
    """Put the reason of a strategy's FallbackWarning into `info["fallback"]`."""

    def note(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if issubclass(category, FallbackWarning):
            info["fallback"] = str(message)

    with warnings.catch_warnings():
        warnings.simplefilter("always", FallbackWarning)
        warnings.showwarning = note
        yield
