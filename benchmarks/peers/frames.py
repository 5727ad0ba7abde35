"""What the peers share: an output to fill, and the three ways in which each is given its threads."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from joblib import Parallel, delayed
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.strategies.shared import Indices, split
from fixtures.workload import Workload

Frames: TypeAlias = NDArray[np.uint8]  # [N, H, W, C], RGB
# (workload, frames asked for, codec threads) -> frames; without a number of threads, by its own threading
Read = Callable[[Workload, Indices, int | None], Frames]


class PeerError(Exception):
    """A peer gave fewer frames than it was asked for."""


def empty(workload: Workload, indices: Indices) -> Frames:
    """An uninitialised output for these frames."""
    return np.empty((len(indices), *workload.frame_size, 3), dtype=np.uint8)


def wanted(indices: Indices) -> dict[int, list[int]]:
    """The rows of the output that each frame goes to, in the order of the frames."""
    rows: dict[int, list[int]] = {}
    for row, index in sorted(enumerate(indices), key=lambda pair: pair[1]):
        rows.setdefault(index, []).append(row)
    return rows


def own_threads(read: Read, workload: Workload, workers: int) -> Tensor:  # noqa: ARG001  a peer's shape
    """The library's own threading."""
    return as_tensor(read(workload, workload.indices, None))


def worker_threads(read: Read, workload: Workload, workers: int) -> Tensor:
    """`workers` codec threads."""
    return as_tensor(read(workload, workload.indices, workers))


def chunks(read: Read, workload: Workload, workers: int) -> Tensor:
    """An equal share of the frames for each of `workers` threads, each with a reader and one codec thread."""
    run = Parallel(n_jobs=workers, backend="threading")
    parts = run(delayed(read)(workload, chunk, 1) for chunk in split(workload.indices, workers))
    return as_tensor(np.concatenate(parts))


def as_tensor(frames: Frames) -> Tensor:
    """The same memory as uint8 [N, C, H, W]."""
    return torch.from_numpy(frames).permute(0, 3, 1, 2)
