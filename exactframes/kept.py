"""A decoder of TorchCodec that stays open, and gives for each request what a fresh one would give."""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from torchcodec import Frame

from exactframes.header import Theirs

Answer = TypeVar("Answer")
Shown = tuple[float, float]
ALWAYS, NEVER = (-math.inf, math.inf), (math.inf, math.inf)


class Kept:
    """A decoder of TorchCodec, and what its next answer depends on.

    What it keeps of the last request misleads it twice (SingleStreamDecoder.cpp of 0.13 to 0.17):

    - For the number that follows the last one it does not seek: it gives the next frame of the stream. But a
      request for one time, or one that fails, goes elsewhere in the stream and leaves that number as it is.
      After frame 1 and the frame at 2 s, it gives the frame at 2.04 s for frame 2.
    - A time within the last frame is taken for that frame's beginning. Where frames overlap, and less than
      half a tick before a keyframe, a fresh decoder gives another frame.

    If one of these may be, it is asked for another frame first. That costs a keyframe, and is rare.
    """

    def __init__(self, decoder: Theirs) -> None:
        """Keep a decoder which has given no frame yet."""
        self.decoder = decoder
        self._next: set[int] | None = set()  # for one of these numbers it may not seek; None: for any
        self._is_elsewhere = False  # whether another frame than that one is next
        self._shown: Shown | None = NEVER  # from when until when, in seconds, the last frame; None: not known

    def ask(
        self,
        request: Callable[[Theirs], Answer],
        numbers: Sequence[int] | None,
        seconds: Any = None,
        *,
        seeks_astray: bool = False,
    ) -> Answer:
        """Have it answer a request.

        Args:
            request: calls one method of the decoder.
            numbers: the frames that are asked for by number, none negative; None: by time, or not known.
            seconds: the time, if the method is get_frame_played_at.
            seeks_astray: whether a seek may lead past frames: then it seeks only if it is surely misled.
        """
        if seconds is not None:
            return self._ask_for_a_time(_as_seconds(seconds), request, seeks_astray=seeks_astray)
        if self._is_elsewhere and self._misleads(numbers, seeks_astray=seeks_astray):
            self._lead_away(math.nan)
        before, was_elsewhere = self._next, self._is_elsewhere
        self._is_elsewhere, self._shown = True, None  # if it fails
        try:
            answer = request(self.decoder)
        except BaseException:  # it may have given some of these, or none
            self._next = None if before is None or numbers is None else before | {n + 1 for n in numbers}
            raise
        if numbers:
            self._next, self._is_elsewhere = {max(numbers) + 1}, False
        else:
            self._next, self._is_elsewhere = None if numbers is None else before, was_elsewhere
        return answer

    def _ask_for_a_time(
        self, moment: float, request: Callable[[Theirs], Answer], *, seeks_astray: bool
    ) -> Answer:
        if self._is_within(moment) and not (seeks_astray and self._shown is None):
            self._lead_away(moment)
        self._is_elsewhere, self._shown = True, None
        answer = request(self.decoder)
        self._shown = _when(answer)
        return answer

    def _misleads(self, numbers: Sequence[int] | None, *, seeks_astray: bool) -> bool:
        if self._next is None or not numbers:
            return not seeks_astray  # it may be
        return min(numbers) in self._next

    def _is_within(self, moment: float) -> bool:
        begin, end = self._shown or ALWAYS
        return begin <= moment < end

    def _lead_away(self, moment: float) -> None:
        """Have it give a frame that is not shown at this time."""
        for number in (0, 1, len(self.decoder) - 1):
            with suppress(RuntimeError, IndexError):  # it cannot decode this one, or has no other
                self._shown = _when(self.decoder.get_frame_at(number))
                self._next, self._is_elsewhere = {number + 1}, False
                if not self._is_within(moment):
                    return


def _as_seconds(seconds: Any) -> float:
    try:
        return float(seconds)
    except (TypeError, ValueError, RuntimeError):  # TorchCodec reports what is wrong
        return math.nan


def _when(answer: object) -> Shown | None:
    """From when until when the frame of an answer is shown, in seconds."""
    if isinstance(answer, Frame):
        return answer.pts_seconds, answer.pts_seconds + answer.duration_seconds
    return None
