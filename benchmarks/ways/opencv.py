"""OpenCV: a capture that is sent to the first frame of a request, and grabs its way to the last."""

from typing import Any

import numpy as np
from torch import Tensor

from benchmarks.peers.frames import PeerError, as_tensor, wanted
from benchmarks.ways.given import Given, Memory
from fixtures.requests import Request


class OpenCv:
    """An open capture; the codec runs on one thread, as in other ways."""

    def __init__(self, given: Given, memory: Memory) -> None:  # noqa: ARG002  every way has this shape
        """Open it; frames are not turned by the file's rotation."""
        import cv2

        self._given = given
        options = [cv2.CAP_PROP_N_THREADS, 1]
        self._capture: Any = cv2.VideoCapture(str(given.video.path), cv2.CAP_FFMPEG, options)
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)

    def frames(self, request: Request) -> Tensor:
        """By numbers."""
        import cv2

        numbers, (height, width) = self._given.numbers(request), self._given.frame_size
        output, rows = np.empty((len(numbers), height, width, 3), dtype=np.uint8), wanted(numbers)
        number = min(rows)
        self._capture.set(cv2.CAP_PROP_POS_FRAMES, number)
        while rows:
            if not self._capture.grab():
                raise PeerError(f"OpenCV gave no frame {number}")
            if number in rows:
                first, *others = rows.pop(number)
                _, picture = self._capture.retrieve()
                if self._given.size is not None:
                    picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
                cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, dst=output[first])
                output[others] = output[first]
            number += 1
        return as_tensor(output)

    def close(self) -> None:
        """Close the capture."""
        self._capture.release()
