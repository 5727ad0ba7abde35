"""NAL units, of which packets of H.264 and HEVC are made."""

from collections.abc import Iterator

from exactframes.rules.roles import Data

DAMAGED = "the codec's parameters are damaged"
EMULATION = b"\0\0\3"  # the third byte is no part of the payload (7.4.1.1 of H.264)


def units(data: Data, length_size: int) -> Iterator[tuple[int, int]]:
    """Where each NAL unit of a packet begins and ends.

    Args:
        data: the packet.
        length_size: bytes of the length before each unit (ISO/IEC 14496-15, 5.3.3), or 0 for start codes
            (Annex B of H.264 and H.265).

    Raises:
        ValueError: if a length points past the packet's end, or a unit sets the forbidden bit (7.3.1 of
            H.264, 7.3.1.2 of H.265).
    """
    bounds = _after_lengths(data, length_size) if length_size else _after_start_codes(bytes(data))
    for start, stop in bounds:
        if data[start] & 0x80:
            raise ValueError("a packet is damaged: its NAL unit sets the forbidden bit")
        yield start, stop


def _after_lengths(data: Data, size: int) -> Iterator[tuple[int, int]]:
    position, end = 0, len(data)
    while position < end:
        start = position + size
        position = start + int.from_bytes(data[position:start], "big")
        if position > end or start > end:
            raise ValueError("a packet is damaged: a NAL unit is longer than its packet")
        if position - start >= 2:  # shorter ones hold no header of HEVC, and no slice of H.264
            yield start, position


def _after_start_codes(data: bytes) -> Iterator[tuple[int, int]]:
    code = data.find(b"\x00\x00\x01")
    while code >= 0:
        start = code + 3
        code = data.find(b"\x00\x00\x01", start)
        stop = code if code >= 0 else len(data)
        if stop - start >= 2:
            yield start, stop


def sized_units(data: bytes, position: int, count: int) -> tuple[list[bytes], int]:
    """So many NAL units, each after its length in two bytes, as in avcC and hvcC; and where they end.

    Raises:
        ValueError: if they end early.
    """
    found = []
    for _ in range(count):
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if position > len(data) or position == start:
            raise ValueError(DAMAGED)
        found.append(data[start:position])
    return found, position


class Bits:
    """Reads a NAL unit's payload bit by bit, without its emulation prevention bytes (7.4.1.1 of H.264)."""

    def __init__(self, payload: bytes) -> None:
        """Take the payload from its first byte on."""
        clean = payload.replace(EMULATION, b"\0\0")
        self._value, self._left = int.from_bytes(clean, "big"), 8 * len(clean)

    def take(self, count: int) -> int:
        """The next bits, as an unsigned number.

        Raises:
            ValueError: if there are fewer.
        """
        if count > self._left:
            raise ValueError("a packet is damaged: a header ends early")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def golomb(self) -> int:
        """The next unsigned Exp-Golomb code, ue(v) (9.1 of H.264)."""
        rest = self._value & ((1 << self._left) - 1)
        zeros = self._left - rest.bit_length()
        return self.take(2 * zeros + 1) - 1

    def signed_golomb(self) -> int:
        """The next signed one, se(v) (9.1.1 of H.264)."""
        number = self.golomb()
        return (number + 1) // 2 if number % 2 else -(number // 2)
