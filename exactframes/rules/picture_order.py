"""The order in which pictures of H.264 and HEVC are shown, and the parameters that tell it."""

from collections.abc import Collection
from typing import TypeVar

from exactframes.rules.nal import units
from exactframes.rules.roles import Data

LONGEST = 32  # bytes of a slice that are read: its header's first fields fit into them
PERIOD_BITS = 40  # counts have fewer (8.2.1: 32)

Parameters = TypeVar("Parameters")


class Counter:
    """Completes the low bits of picture order counts (8.2.1.1 of H.264, 8.3.1 of H.265)."""

    def __init__(self, bits: int) -> None:
        """Begin before the first picture; the headers state so many bits."""
        self._span, self._period = 1 << bits, 0
        self._high = self._low = 0

    def begin_anew(self) -> None:
        """Count from 0 from the next picture on, which is shown after all before it."""
        self._period += 1
        self._high = self._low = 0

    def count(self, low: int, *, others_count_on: bool) -> int:
        """The order of the next picture that is decoded: its count, and in higher bits its period.

        Args:
            low: what its header states.
            others_count_on: whether it is one from which the next counts are completed.
        """
        high, gap = self._high, low - self._low
        if gap <= -self._span // 2:
            high += self._span
        elif gap > self._span // 2:
            high -= self._span
        if others_count_on:
            self._high, self._low = high, low
        return (self._period << PERIOD_BITS) + high + low


def first_slice(data: Data, length_size: int, headers: Collection[int]) -> bytes:
    """The begin of a packet's first slice.

    Args:
        data: the packet.
        length_size: see nal.units.
        headers: the first bytes that slices have.

    Raises:
        ValueError: if there is none.
    """
    if length_size == 4 and len(data) > 5 and data[4] in headers:
        return bytes(data[4 : 4 + LONGEST])
    for start, stop in units(data, length_size):
        if data[start] in headers:
            return bytes(data[start : min(stop, start + LONGEST)])
    raise ValueError("a packet holds no picture")


def only(found: Collection[Parameters]) -> Parameters:
    """The parameters of a stream, which may be repeated but must not change.

    With others, frames may get another size or other colours. What TorchCodec then gives depends on the
    frames that it has converted before.

    Raises:
        ValueError: if there are none, or several.
    """
    if len(found) != 1:
        raise ValueError(f"the codec's parameters {'change within the file' if found else 'are missing'}")
    return next(iter(found))
