"""One preallocated output that workers write their rows into, in this process or shared with others."""

import ctypes
import mmap
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from fixtures.workload import Workload

MADV_POPULATE_WRITE = 23  # linux/mman.h
STEP_BYTES = 4 << 20

# Outputs are [N, H, W, C], TorchCodec's own memory order: rows are plain copies. Strategies return them
# permuted to [N, C, H, W].


def new_output(workload: Workload) -> Tensor:
    """An uninitialised output of this process, uint8 [N, H, W, C], whose pages a thread is fetching.

    The system hands out memory page by page at the first write, a quarter of a million times for a gigabyte.
    While the caller still plans, a processor is idle that can ask for them.
    """
    output = torch.empty(_shape(workload), dtype=torch.uint8)
    if sys.platform == "linux" and output.numel():
        threading.Thread(target=_fetch_pages, args=(output,), daemon=True).start()
    return output


def _fetch_pages(output: Tensor) -> None:
    """Populate the page tables without changing a byte, so that writers need not wait for it.

    madvise(2), MADV_POPULATE_WRITE; a kernel before 5.14 refuses, and the pages come at the first write.
    """
    first = -(-output.data_ptr() // mmap.PAGESIZE) * mmap.PAGESIZE
    end = output.data_ptr() + output.numel()
    madvise = ctypes.CDLL(None).madvise
    for start in range(first, end, STEP_BYTES):  # the process's memory map is locked for a step at a time
        size = min(STEP_BYTES, end - start)
        madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), MADV_POPULATE_WRITE)


@contextmanager
def shared_output(workload: Workload) -> Iterator[tuple[Tensor, str]]:
    """An output that other processes can open while the context lasts: the tensor, and its path.

    On Linux the memory has no name anywhere: the path goes through this process's file descriptor, and the
    kernel frees it when the last process lets go, whatever happens. Elsewhere it is a temporary file that
    is removed on leaving the context. The tensor stays valid afterwards.
    """
    size = max(1, workload.output_bytes)
    if sys.platform == "linux":
        descriptor = os.memfd_create("frames")
        path = f"/proc/{os.getpid()}/fd/{descriptor}"
    else:
        descriptor, path = tempfile.mkstemp(prefix="frames-")
    try:
        os.ftruncate(descriptor, size)
        yield open_output(workload, path), path
    finally:
        os.close(descriptor)
        if sys.platform != "linux":
            Path(path).unlink()


def open_output(workload: Workload, path: str) -> Tensor:
    """Map a shared output: uint8 [N, H, W, C]."""
    size = max(1, workload.output_bytes)
    flat = torch.from_file(path, shared=True, size=size, dtype=torch.uint8)
    return flat[: workload.output_bytes].view(_shape(workload))


def write_rows(output: Tensor, rows: Sequence[int], frames: Tensor) -> int:
    """Copy frames, uint8 [n, C, H, W], into these rows of the output; gives how many."""
    if not rows:
        return 0
    planes = frames.permute(0, 2, 3, 1)
    if rows[-1] - rows[0] == len(rows) - 1 and list(rows) == sorted(rows):
        output[rows[0] : rows[-1] + 1].copy_(planes)
    else:
        output[list(rows)] = planes
    return len(rows)


def _shape(workload: Workload) -> tuple[int, int, int, int]:
    return (len(workload.indices), workload.video.height, workload.video.width, 3)
