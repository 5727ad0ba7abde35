"""Checks that the times of packets fit the order in which they are decoded."""

from exactframes.errors import DeclinedError

CONTRADICTED = "the presentation times contradict the order of the pictures"


class Order:
    """The packets of a stream in the order of decoding."""

    def __init__(self, *, seeks_by_dts: bool, tells_b: bool) -> None:
        """Begin.

        Args:
            seeks_by_dts: whether FFmpeg seeks by times of decoding in this container.
            tells_b: whether roles tell B-pictures.
        """
        self._seeks_by_dts, self._tells_b = seeks_by_dts, tells_b
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget the packets so far: a seek may lead back."""
        self._last_dts: int | None = None
        self._given: int | None = None  # the pts of the picture that FFmpeg gave last
        self._held: int | None = None  # ... and of the one that it holds back

    def require_rising(self, dts: int | None) -> None:
        """Check that times of decoding rise where FFmpeg seeks by them.

        Raises:
            DeclinedError: if they do not.
        """
        if self._seeks_by_dts and dts is not None:
            if self._last_dts is not None and dts < self._last_dts:
                raise DeclinedError("decoding times do not rise")
            self._last_dts = dts

    def require_given_in_order(self, *, is_b: bool, pts: int) -> None:
        """Check that frames rise in the order in which FFmpeg gives them, where B-pictures are told.

        It gives a B-picture at once, and any other when the next such one comes (ISO/IEC 13818-2, 6.1.1.11;
        14496-2, 6.1.3.8), whatever times the container tells.

        Raises:
            DeclinedError: if the container's times contradict that order.
        """
        if not self._tells_b:
            return
        if is_b:
            fits = self._held is not None and pts < self._held and (self._given is None or self._given < pts)
            self._given = pts
        else:
            fits = self._held is None or self._held < pts
            self._given, self._held = self._held, pts
        if not fits:
            raise DeclinedError(CONTRADICTED)
