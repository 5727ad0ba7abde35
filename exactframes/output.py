"""Outputs that workers write their rows into, in this process or shared with others."""

import mmap
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torchcodec import FrameBatch

if TYPE_CHECKING:
    from exactframes.excerpt import Task

Shape = tuple[
    int, int, int, int
]  # of an output, [N, H, W, C]: TorchCodec's own memory order, rows are plain copies
Planes = np.ndarray[Any, np.dtype[np.uint8]]  # frames in that order


class Batch:
    """Frames that are written as they come, with the times at which they are shown."""

    def __init__(self, shape: Shape) -> None:
        """Allocate memory for frames of this shape, [N, H, W, C]."""
        self.frames = torch.empty(shape, dtype=torch.uint8)
        self.pts, self.durations = [0.0] * shape[0], [0.0] * shape[0]  # seconds
        self.written = 0

    def part(self) -> "Batch":
        """The same memory for one of several threads, which counts its own rows."""
        part = copy(self)
        part.written = 0
        return part

    def put(self, rows: Sequence[int], frame: Tensor, pts: float, duration: float) -> None:
        """Write a frame, uint8 [1, H, W, C], into these rows."""
        for row in rows:
            self.written += write_planes(self.frames, [row], frame.numpy())
            self.pts[row], self.durations[row] = pts, duration

    def put_all(self, task: "Task", pts: list[float], durations: list[float]) -> None:
        """Have a task write its rows, and note when their frames are shown."""
        self.written += task.write(self.frames, 0, len(self.frames))
        for row, shown, lasts in zip(task.rows, pts, durations, strict=True):
            self.pts[row], self.durations[row] = shown, lasts

    def given(self, *, channels_first: bool) -> FrameBatch:
        """The frames as TorchCodec gives them, in the same order in memory."""
        return FrameBatch(
            self.frames.permute(0, 3, 1, 2) if channels_first else self.frames,
            torch.tensor(self.pts, dtype=torch.float64),
            torch.tensor(self.durations, dtype=torch.float64),
        )


@contextmanager
def shared_output(shape: Shape) -> Iterator[tuple[Tensor, str]]:
    """An output that other processes can open while the context lasts: the tensor, and its path.

    On Linux the memory has no name anywhere: the path goes through this process's file descriptor, and the
    kernel frees the memory when the last process lets go, whatever happens. Elsewhere it is a temporary file,
    which is removed on leaving the context. The tensor stays valid afterwards. Workers and forks of this
    process share its memory: use own_output for frames that are given to a caller.
    """
    if sys.platform == "linux":
        descriptor = os.memfd_create("frames")
        path = f"/proc/{os.getpid()}/fd/{descriptor}"
    else:
        descriptor, path = tempfile.mkstemp(prefix="frames-")
    try:
        yield open_output(shape, path), path
    finally:
        os.close(descriptor)
        if sys.platform != "linux":
            Path(path).unlink()


def open_output(shape: Shape, path: str) -> Tensor:
    """Map a shared output: uint8 [N, H, W, C]."""
    return _mapped(shape, path, is_shared=True)


def own_output(shape: Shape, path: str) -> Tensor:
    """Map a complete shared output as memory of this process alone: pages are copied when written to.

    Map it when all is written: whether a private map shows later writes depends on the system.
    """
    return _mapped(shape, path, is_shared=False)


def map_output(shape: Shape, descriptor: int) -> Tensor:
    """Map a shared output by its open file; the tensor keeps its own copy of the descriptor."""
    memory = mmap.mmap(descriptor, max(1, _size(shape)))
    return torch.from_numpy(np.frombuffer(memory, np.uint8)[: _size(shape)]).view(shape)


def _mapped(shape: Shape, path: str, *, is_shared: bool) -> Tensor:
    """Map a file with torch, whose maps keep no descriptor, and pass the tensor through NumPy.

    Else torch would take it for a map of its own, and its queues would send the descriptor, which is closed.
    """
    size = _size(shape)
    flat = torch.from_file(path, shared=is_shared, size=max(1, size), dtype=torch.uint8)
    return torch.from_numpy(flat.numpy()[:size]).view(shape)


def write_rows(output: Tensor, rows: Sequence[int], frames: Tensor) -> int:
    """Copy frames, uint8 [n, C, H, W], into these rows of the output [N, H, W, C]; return how many.

    Raises:
        RuntimeError: if the frames are not of the output's size.
    """
    # With NumPy: for each copy torch would wake its own threads, which take processors from the workers.
    return write_planes(output, rows, frames.permute(0, 2, 3, 1).numpy()) if rows else 0


def write_planes(output: Tensor, rows: Sequence[int], planes: Planes) -> int:
    """Do the same with frames as they lie in memory: uint8 [n, H, W, C]."""
    if planes.shape[1:] != tuple(output.shape[1:]):  # a single row or column would be stretched
        raise RuntimeError(f"frames of {tuple(planes.shape[1:])} do not fit into {tuple(output.shape[1:])}")
    target = output.numpy()
    if list(rows) == list(range(rows[0], rows[0] + len(rows))):
        target[rows[0] : rows[-1] + 1] = planes
    else:
        target[list(rows)] = planes
    return len(rows)


def _size(shape: Shape) -> int:
    count, height, width, channels = shape
    return count * height * width * channels
