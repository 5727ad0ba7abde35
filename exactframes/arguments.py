"""One check of what callers give: frame numbers, whole numbers, sizes, and tensors to write into."""

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import gcd
from typing import Any

import numpy as np
import torch
from torch import Tensor

GIVE_INDICES = "give frame numbers, as a list or range of whole numbers"
GIVE_SIZE = "give (height, width) or the shorter side, in whole pixels from 1 on"


def checked_indices(
    indices: Iterable[int], frames: int | Callable[[], int], name: str, told: int = 0
) -> list[int]:
    """Check the indices, and return them as plain numbers, none negative.

    Args:
        indices: whole numbers of any kind, in any iterable; negative ones count from the end.
        frames: the number of the video's frames, or a function that counts them.
        name: the name of the video's file.
        told: how many frames the header states. If all indices lie below it and none is negative, nothing is
            counted, since counting scans the file.

    Raises:
        TypeError: if they are not whole numbers.
        ValueError: if they are an array with more than one dimension.
        IndexError: if the video has no such frame; it names the first.
    """
    wanted = list(_numbers(indices))
    if not wanted or (min(wanted) >= 0 and max(wanted) < told):
        return wanted
    count = frames if isinstance(frames, int) else frames()
    require_held(wanted, count, name)
    return [index if index >= 0 else index + count for index in wanted]


def require_held(indices: Sequence[int], frames: int, name: str) -> None:
    """Check that a video of so many frames holds all of these.

    Raises:
        IndexError: if it does not; the message names the first missing frame.
    """
    for index in indices:
        if not -frames <= index < frames:
            raise IndexError(f"{name} has {frames} frames, and frame {index} is asked for")


def _numbers(indices: Iterable[int]) -> Iterator[int]:
    if isinstance(indices, str | bytes | bytearray):
        raise TypeError(f"indices {indices!r}: {GIVE_INDICES}")
    if isinstance(indices, np.ndarray | Tensor):
        if indices.ndim != 1:
            raise _of_dimensions(indices)
        indices = indices.tolist()
    try:
        items = iter(indices)
    except TypeError:
        raise TypeError(f"indices {indices!r}: {GIVE_INDICES}") from None
    for item in items:
        number = whole_or_none(item)
        if number is None:
            raise TypeError(f"indices hold {item!r}: {GIVE_INDICES}")
        yield number


def _of_dimensions(indices: Any) -> Exception:
    kind = TypeError if indices.ndim == 0 else ValueError
    return kind(f"indices are {type(indices).__name__} of {indices.ndim} dimensions: {GIVE_INDICES}")


def whole(name: str, value: object, least: int) -> int:
    """Return the value of an argument as a plain number.

    Raises:
        ValueError: if it is not whole, or less than it may be.
    """
    number = whole_or_none(value)
    if number is None or number < least:
        told = value if number is None else number
        raise ValueError(f"{name} {told!r}: give a whole number of {least} or more")
    return number


def whole_or_none(value: Any) -> int | None:
    """A whole number of any kind (also NumPy's) as a plain int; None for all else, True and False too."""
    if type(value) is int:
        return value
    if isinstance(value, bool | np.bool_) or getattr(value, "dtype", None) == torch.bool:
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def whole_size(size: object) -> int | tuple[int, int]:
    """Check the size of frames, and return it as plain numbers.

    Raises:
        ValueError: if it is not one whole number of 1 or more, or two.
    """
    shorter = whole_or_none(size)
    if shorter is not None and shorter >= 1:
        return shorter
    sides = [whole_or_none(side) for side in size] if isinstance(size, Iterable) else []
    given = [side for side in sides if side is not None and side >= 1]
    if len(sides) == len(given) == 2:
        return (given[0], given[1])
    raise ValueError(f"size {size!r}: {GIVE_SIZE}")


def require_fit(out: Tensor, given: tuple[int, int, int, int]) -> None:
    """Check that frames of this shape can be written into a tensor.

    Args:
        out: the tensor, [N, C, H, W].
        given: the frames' shape, [N, H, W, C].

    Raises:
        ValueError: if they cannot; the message says what to give.
    """
    frames, height, width, channels = given
    shape = (frames, channels, height, width)
    give = f"give uint8 {list(shape)} on the CPU"
    if not isinstance(out, Tensor):
        raise ValueError(f"out is of type {type(out).__name__}, and no tensor: {give}")
    if out.layout != torch.strided or out.is_nested:
        raise ValueError(f"out is {'nested' if out.is_nested else 'sparse'}: {give}")
    if tuple(out.shape) != shape or out.dtype != torch.uint8 or out.device.type != "cpu":
        raise ValueError(
            f"out is {list(out.shape)} of {str(out.dtype).removeprefix('torch.')} on {out.device.type}: "
            f"{give}"
        )
    if overlaps_itself(out.shape, out.stride()):
        raise ValueError("out overlaps itself, as tensors do that are expanded: give memory for each frame")


def overlaps_itself(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether two elements of such a tensor lie at the same place; strides are not negative.

    They do if some differences of their positions, not all 0 and each less than its dimension, satisfy
    sum(difference * stride) == 0.
    """
    if 0 in shape:
        return False
    dimensions = sorted((stride, size) for size, stride in zip(shape, strides, strict=True) if size > 1)
    while dimensions and dimensions[-1][0] > _reach(dimensions[:-1]):
        dimensions.pop()  # the others reach less than one step of this one: its difference is 0
    if not dimensions:  # true of every usual tensor
        return False
    if dimensions[0][0] == 0:
        return True
    common = gcd(*(stride for stride, _ in dimensions))
    elements = int(np.prod([size for _, size in dimensions], dtype=object))
    if elements > _reach(dimensions) // common + 1:  # more elements than places
        return True
    return _cancels(dimensions, 0, is_all_zero=True)


def _reach(dimensions: Sequence[tuple[int, int]]) -> int:
    """The distance from the first element to the last."""
    return sum(stride * (size - 1) for stride, size in dimensions)


def _cancels(dimensions: Sequence[tuple[int, int]], total: int, *, is_all_zero: bool) -> bool:
    """Whether differences in these dimensions, not all 0 with those before, cancel this total."""
    if not dimensions:
        return total == 0 and not is_all_zero
    *rest, (stride, size) = dimensions
    reach = _reach(rest)  # the rest after this one, |total + difference * stride|, must not exceed it
    first = max(1 - size, -((total + reach) // stride))
    last = min(size - 1, (reach - total) // stride)
    if is_all_zero:  # the opposite differences cancel as well
        first = max(first, 0)
    return any(
        _cancels(rest, total + difference * stride, is_all_zero=is_all_zero and difference == 0)
        for difference in range(first, last + 1)
    )
