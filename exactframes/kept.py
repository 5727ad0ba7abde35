"""A decoder of TorchCodec that stays open, and gives for each request what a fresh one would give."""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import numpy as np
from torchcodec import Frame, FrameBatch

from exactframes.header import Theirs

Answer = TypeVar("Answer")
Shown = tuple[Any, Any, int]  # an answer's pts and durations in seconds, and the place of a frame
NEVER: Shown = (math.inf, 0.0, 0)


class Kept:
    """A decoder of TorchCodec, and what its next answer depends on.

    What it keeps of the last request misleads it twice (SingleStreamDecoder.cpp of 0.13 to 0.17):

    - For the number that follows the last one it does not seek: it gives the next frame of the stream. But a
      request for one time, or one that fails, goes elsewhere in the stream and leaves that number as it is.
      After frame 1 and the frame at 2 s, it gives the frame at 2.04 s for frame 2.
    - A time within the last frame is taken for that frame's beginning. Where frames overlap, and less than
      half a tick before a keyframe, a fresh decoder gives another frame.

    If one of these may be, it is asked for another frame first. That costs a keyframe, where TorchCodec would
    have to seek in any case.
    """

    def __init__(self, decoder: Theirs) -> None:
        """Keep a decoder which has given no frame yet."""
        self.decoder = decoder
        self._next: set[int] | None = set()  # the numbers of which it seeks for all but one; None: any
        self._is_elsewhere = False  # whether another frame than that one is next
        self._shown: Shown | None = NEVER  # when the last frame is; None: not known

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
        is_for_a_time, moment = seconds is not None, _as_seconds(seconds)
        is_known = self._shown is not None if is_for_a_time else bool(numbers) and self._next is not None
        is_misled = self._is_within(moment) if is_for_a_time else self._misleads(numbers)
        if is_misled and (is_known or not seeks_astray):
            self._lead_away(moment)
        before, was_elsewhere = self._next, self._is_elsewhere
        self._is_elsewhere, self._shown = True, None  # if it fails
        try:
            answer = request(self.decoder)
        except BaseException:
            if not is_for_a_time:  # it may have given some of these, or none
                self._next = None if before is None or numbers is None else before | {n + 1 for n in numbers}
            raise
        if is_for_a_time:
            self._shown = _shown(answer, 0)
        elif numbers:
            last = max(numbers)
            self._next, self._is_elsewhere, self._shown = (
                {last + 1},
                False,
                _shown(answer, numbers.index(last)),
            )
        else:
            self._next, self._is_elsewhere = None, was_elsewhere
        return answer

    def _misleads(self, numbers: Sequence[int] | None) -> bool:
        return self._is_elsewhere and (self._next is None or not numbers or min(numbers) in self._next)

    def _is_within(self, moment: float) -> bool:
        if self._shown is None:
            return True
        pts, durations, place = self._shown
        begin, lasts = (np.atleast_1d(times)[place] for times in (pts, durations))
        return bool(begin <= moment < begin + lasts)

    def _lead_away(self, moment: float) -> None:
        """Have it give a frame that is not shown at this time."""
        for number in (0, 1, len(self.decoder) - 1):
            with suppress(RuntimeError, IndexError):  # it cannot decode this one, or has no other
                self._shown = _shown(self.decoder.get_frame_at(number), 0)
                self._next, self._is_elsewhere = {number + 1}, False
                if not self._is_within(moment):
                    return


def _as_seconds(seconds: Any) -> float:
    try:
        return float(seconds)
    except (TypeError, ValueError, RuntimeError):  # TorchCodec reports what is wrong
        return math.nan


def _shown(answer: object, place: int) -> Shown | None:
    """When a frame of an answer is shown, if the answer says it; not its pixels, which stay nowhere."""
    if isinstance(answer, (Frame, FrameBatch)):
        return answer.pts_seconds, answer.duration_seconds, place
    return None
