"""What a packet is to the others of its stream."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol, runtime_checkable

Data = bytes | memoryview


class Role(NamedTuple):
    """What a packet's bytes prove about it. If something is not proven, the answer keeps more packets."""

    needed: bool  # other packets may refer to it
    starts: bool = False  # decoding may begin here
    leads: bool = False  # ... but packets that follow it and are shown before it may refer to earlier ones
    layer: int = 0  # its temporal layer: higher layers may need it even if `needed` is False
    has_parameters: bool = False  # it brings parameter sets of its own
    is_hidden: bool = False  # an edit list hides its frame
    is_b: bool = False  # a B-picture of MPEG-2 or MPEG-4: no other refers to it
    numbers_on: bool = False  # it is numbered on from the pictures before it, of which none may be missing


Rule = Callable[[Data, bool], Role]  # (the packet's bytes, is it flagged as a keyframe) -> its role


@runtime_checkable
class Ordered(Protocol):
    """A rule of a codec whose pictures say in which order they are shown."""

    def delay(self) -> int | None:
        """How many pictures at most are decoded before one and shown after it; None if it is not stated.

        Raises:
            ValueError: if it cannot be read.
        """

    def picture_orders(self, packets: Iterable[Data]) -> list[int]:
        """A number for each packet's picture, which is less for those that are shown earlier.

        Args:
            packets: in the order of decoding, from a place where decoding may begin.

        Raises:
            ValueError: if it cannot be read.
        """


REFERENCE = Role(needed=True)
DISPOSABLE = Role(needed=False)
_STARTS_ALONE = Role(needed=False, starts=True)
_STARTS_GOP = Role(needed=True, starts=True, leads=True)


def every_frame_alone(_data: Data, _is_keyframe: bool) -> Role:
    """Intra-only codecs, by FFmpeg's codec descriptor (AV_CODEC_PROP_INTRA_ONLY)."""
    return _STARTS_ALONE


def whole_gops(_data: Data, is_keyframe: bool) -> Role:
    """Codecs without a rule: a keyframe starts a GOP that may be open, and all its packets are needed.

    VP9 is among them although its headers tell which reference slots a frame refreshes: a frame that
    refreshes none still leaves its motion vectors and entropy contexts to the next one (VP9 bitstream
    specification, UsePrevFrameMvs and refresh_frame_context). AV1 keeps all that in its reference slots.
    """
    return _STARTS_GOP if is_keyframe else REFERENCE
