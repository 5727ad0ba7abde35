"""Checks that the times of packets fit the order in which they are decoded."""

from collections.abc import Callable

from exactframes.errors import DeclinedError
from exactframes.rules.roles import Data


class Order:
    """The packets of a stream in the order of decoding; a seek begins it anew."""

    def __init__(self, *, seeks_by_dts: bool, is_b: Callable[[Data], bool] | None) -> None:
        """Begin.

        Args:
            seeks_by_dts: whether FFmpeg seeks by times of decoding in this container.
            is_b: tells B-pictures that no other refers to, in codecs where all B-pictures are so.
        """
        self._seeks_by_dts, self._is_b = seeks_by_dts, is_b
        self.begin_anew()

    def begin_anew(self) -> None:
        """A seek may lead to packets that were read before."""
        self._last_dts: int | None = None
        self._older: int | None = None  # the pts of the last two pictures that are not B
        self._newer: int | None = None

    def require_rising(self, dts: int | None) -> None:
        """Check that times of decoding rise where FFmpeg seeks by them.

        Raises:
            DeclinedError: if they do not.
        """
        if self._seeks_by_dts and dts is not None:
            if self._last_dts is not None and dts < self._last_dts:
                raise DeclinedError("decoding times do not rise")
            self._last_dts = dts

    def require_between(self, data: Data, pts: int) -> None:
        """Check that B-pictures are shown between the two others decoded last, and these in order.

        Both is so by definition of the codecs (ISO/IEC 13818-2, 6.1.1.11; 14496-2, 6.1.3.8). FFmpeg gives
        frames in that order, whatever the container says: TorchCodec would get times that do not rise.

        Raises:
            DeclinedError: if the container's times contradict the pictures.
            ValueError: if a packet does not hold one picture.
        """
        if self._is_b is None:
            return
        if self._is_b(data):
            is_before = self._newer is not None and pts < self._newer
            fits = is_before and (self._older is None or self._older < pts)
        else:
            fits = self._newer is None or self._newer < pts
            self._older, self._newer = self._newer, pts
        if not fits:
            raise DeclinedError("the presentation times contradict the order of the pictures")
