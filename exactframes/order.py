"""Checks that the times of packets fit the order in which they are decoded, and that of their pictures."""

from itertools import pairwise

from exactframes.errors import DeclinedError
from exactframes.gops import Gop
from exactframes.rules.roles import Ordered, Rule

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


class Shown:
    """The order in which frames are shown.

    FFmpeg gives frames in the order that their pictures state, or else in that of decoding. Where the
    container states another one, TorchCodec may take a frame that is given early for one that is given later.
    """

    def __init__(self, rule: Rule, *, reorders: bool, has_found_delay: bool, is_told_delay: bool) -> None:
        """Begin.

        Args:
            rule: the codec's.
            reorders: whether frames may be shown in another order than they are decoded in.
            has_found_delay: whether FFmpeg holds back frames, by the header or the first frames. PyAV does
                not tell how many.
            is_told_delay: whether FFmpeg's demuxer, which knows all times, tells the decoder how many: that
                of MOV and MP4, for H.264.
        """
        self._rule, self._reorders = rule, reorders
        self._found_delay, self._is_told_delay = int(has_found_delay), is_told_delay

    def require_order(self, gop: Gop, following: Gop | None) -> None:
        """Check a GOP, and what leads the next one.

        Raises:
            DeclinedError: if the container states another order than the pictures, or if FFmpeg's decoder may
                find only within the file that it must hold back more frames: it has given some too early by
                then.
        """
        packets = [
            *gop.packets,
            *(following.packets[: following.leads_until] if following is not None else []),
        ]
        by_time = sorted(range(len(packets)), key=lambda place: packets[place].pts)
        if not isinstance(self._rule, Ordered):
            if not self._reorders and by_time != list(range(len(packets))):
                raise DeclinedError(CONTRADICTED)
            return  # for the others see Order
        orders = self._rule.picture_orders(memoryview(packet.data) for packet in packets)
        if any(orders[before] >= orders[after] for before, after in pairwise(by_time)):
            raise DeclinedError(CONTRADICTED)
        stated = self._rule.delay()
        needed = max(place - rank for rank, place in enumerate(by_time))
        if needed > (self._found_delay if stated is None else stated) and not self._is_told_delay:
            raise DeclinedError("frames are reordered more than the codec's parameters state")
