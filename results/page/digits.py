"""Chooses how many digits a figure has."""

import math
from statistics import fmean
from typing import Any


def with_noise(seconds: float, rounds: tuple[float, ...]) -> str:
    """A time such as "8.27 ± 0.09 s"; the deviation has two digits if it begins with 1, else one."""
    deviation = _deviation(rounds) if len(rounds) > 1 else 0.0
    if not deviation > 1e-9 * seconds:  # equal, apart from the rounding of floats
        return f"{seconds:.3g} s"
    first = math.floor(math.log10(deviation))
    digits = max(0, min(6, -first + (deviation < 2 * 10**first)))
    return f"{seconds:.{digits}f} ± {deviation:.{digits}f} s"


def _deviation(rounds: tuple[float, ...]) -> float:
    """The standard deviation; `statistics` computes it exactly, and thirty times slower."""
    middle = fmean(rounds)
    return math.sqrt(sum((seconds - middle) ** 2 for seconds in rounds) / (len(rounds) - 1))


def significant(value: float) -> float:
    """Round to five digits: two rounds agree less than that.

    Raises:
        ValueError: if it is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"a figure of {value}")
    return float(f"{value:.5g}")


def finite(value: Any, unit: float = 1.0) -> float | None:
    """A figure in a unit; None if there is none, or if it is not finite."""
    number = float(value) / unit if value is not None else math.nan
    return significant(number) if math.isfinite(number) else None
