"""What callers may give, and what is said of all else."""

from itertools import product
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from exactframes.arguments import checked_indices, overlaps_itself, require_fit, whole, whole_size

GIVE = "give frame numbers, as a list or range of whole numbers$"


@pytest.mark.parametrize(
    "indices",
    [
        [3, -1, 3],
        (3, -1, 3),
        np.array([3, -1, 3]),
        [np.int16(3), np.int64(-1), 3],
        torch.tensor([3, -1, 3]),
        list(torch.tensor([3, -1, 3])),
        (index for index in (3, -1, 3)),
        {3: "a", -1: "b", -7: "c"},
    ],
    ids=lambda given: type(given).__name__,
)
def test_indices_of_any_kind_are_plain_numbers_from_the_start(indices: Any) -> None:
    numbers = checked_indices(indices, 10, "film.mp4")
    assert numbers == [3, 9, 3]
    assert {type(number) for number in numbers} == {int}


@pytest.mark.parametrize("indices", [[], range(0), np.array([], dtype=int), torch.tensor([])], ids=repr)
def test_there_may_be_none(indices: Any) -> None:
    assert checked_indices(indices, 0, "film.mp4") == []


@pytest.mark.parametrize(
    ("indices", "sentence"),
    [
        (5, "^indices 5: "),
        (None, "^indices None: "),
        ("12", "^indices '12': "),
        ("", "^indices '': "),
        (b"12", "^indices b'12': "),
        ([1, 1.5], r"^indices hold 1\.5: "),
        (["1"], "^indices hold '1': "),
        ([None], "^indices hold None: "),
        ([[1]], r"^indices hold \[1\]: "),
        ([True], "^indices hold True: "),
        (np.array([True, False]), "^indices hold True: "),
        (torch.tensor([False]), "^indices hold False: "),
        ([torch.tensor(True)], r"^indices hold tensor\(True\): "),
        (np.array([1.0]), r"^indices hold 1\.0: "),
        (torch.tensor(5), "^indices are Tensor of 0 dimensions: "),
        (np.array(5), "^indices are ndarray of 0 dimensions: "),
    ],
)
def test_what_are_no_indices(indices: Any, sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence + GIVE):
        checked_indices(indices, 10, "film.mp4")


@pytest.mark.parametrize("indices", [np.array([[1]]), torch.tensor([[1], [2]])], ids=["array", "tensor"])
def test_tables_are_no_indices(indices: Any) -> None:
    with pytest.raises(ValueError, match="^indices are .* of 2 dimensions: " + GIVE):
        checked_indices(indices, 10, "film.mp4")


def test_an_error_of_the_caller_s_generator_is_told_as_it_is() -> None:
    with pytest.raises(TypeError, match=r"^mine$"):
        checked_indices((raising() for _ in range(3)), 10, "film.mp4")


def raising() -> int:
    raise TypeError("mine")


@pytest.mark.parametrize("index", [10, -11, 10**30])
def test_the_first_frame_that_is_not_there_is_named(index: int) -> None:
    for frames in (10, lambda: 10):
        with pytest.raises(IndexError, match=f"^film.mp4 has 10 frames, and frame {index} is asked for$"):
            checked_indices([9, -10, index, 99], frames, "film.mp4")


def test_frames_are_counted_only_where_the_header_does_not_do() -> None:
    count = Mock(return_value=12)
    assert checked_indices([0, 9], count, "film.mp4", told=10) == [0, 9]
    count.assert_not_called()
    assert checked_indices([0, 10], count, "film.mp4", told=10) == [0, 10]
    assert checked_indices([-1], count, "film.mp4", told=10) == [11]
    assert count.call_count == 2


@pytest.mark.parametrize("value", [2, np.int8(2), np.uint64(2), torch.tensor(2)], ids=repr)
def test_whole_numbers(value: Any) -> None:
    number = whole("workers", value, 2)
    assert (number, type(number)) == (2, int)


@pytest.mark.parametrize("value", [0, -1, True, np.True_, torch.tensor(True), 1.0, "1", None, [1]], ids=repr)
def test_what_is_no_whole_number_that_may_be(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^workers .*: give a whole number of 1 or more$"):
        whole("workers", value, 1)


def test_a_number_is_told_as_a_plain_one() -> None:
    with pytest.raises(ValueError, match=r"^workers 0: "):
        whole("workers", np.int64(0), 1)


@pytest.mark.parametrize(
    ("size", "expected"),
    [(3, 3), (np.int64(3), 3), ((3, 4), (3, 4)), ([np.int8(3), 4], (3, 4)), (torch.Size([3, 4]), (3, 4))],
)
def test_sizes(size: object, expected: int | tuple[int, int]) -> None:
    assert whole_size(size) == expected


@pytest.mark.parametrize(
    "size", [0, True, 1.5, "12", None, (1,), (1, 2, 3), (1, True), (1, 0), (1.0, 2)], ids=repr
)
def test_what_is_no_size(size: object) -> None:
    with pytest.raises(ValueError, match=r"^size .*: give \(height, width\) or the shorter side, in whole"):
        whole_size(size)


# --- Outputs ---

SHAPE = (2, 4, 5, 3)
EMPTY = torch.zeros((2, 3, 4, 5), dtype=torch.uint8)


@pytest.mark.parametrize(
    ("out", "told"),
    [
        (EMPTY.numpy(), "is of type ndarray, and no tensor"),
        ([0], "is of type list, and no tensor"),
        (EMPTY.to_sparse(), "is sparse"),
        (EMPTY.to("meta"), r"is \[2, 3, 4, 5\] of uint8 on meta"),
        (torch.zeros((2, 3, 4, 5), requires_grad=True), r"is \[2, 3, 4, 5\] of float32 on cpu"),
        (EMPTY.permute(0, 2, 3, 1), r"is \[2, 4, 5, 3\] of uint8 on cpu"),
    ],
    ids=["array", "list", "sparse", "meta", "float that requires grad", "another order"],
)
def test_what_frames_cannot_be_written_into(out: Any, told: str) -> None:
    with pytest.raises(ValueError, match=rf"^out {told}: give uint8 \[2, 3, 4, 5\] on the CPU$"):
        require_fit(out, SHAPE)


def test_what_overlaps_itself_cannot_be_written_into() -> None:
    for out in (EMPTY[:1].expand(2, -1, -1, -1), EMPTY.flatten().as_strided((2, 3, 4, 5), (1, 20, 5, 1))):
        with pytest.raises(ValueError, match=r"^out overlaps itself, .*: give memory for each frame$"):
            require_fit(out, SHAPE)


@pytest.mark.parametrize(
    "out",
    [
        EMPTY,
        EMPTY.to(memory_format=torch.channels_last),
        torch.zeros((4, 3, 8, 10), dtype=torch.uint8)[::2, :, ::2, 1::2],
        torch.zeros((5, 4, 3, 2), dtype=torch.uint8).permute(3, 2, 1, 0),
        torch.zeros((2, 1, 4, 5), dtype=torch.uint8).expand(-1, 3, -1, -1).clone(),
    ],
)
def test_tensors_of_any_strides_can_be_written_into(out: torch.Tensor) -> None:
    require_fit(out, SHAPE)


def test_no_frames_overlap_nothing() -> None:
    require_fit(EMPTY[:0], (0, 4, 5, 3))
    assert not overlaps_itself((0, 9), (0, 0))


def coincide(shape: list[int], strides: list[int]) -> bool:
    places = [
        sum(n * stride for n, stride in zip(position, strides, strict=True))
        for position in product(*map(range, shape))
    ]
    return len(set(places)) < len(places)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), max_size=4).map(
        lambda dimensions: ([size for size, _ in dimensions], [stride for _, stride in dimensions])
    )
)
def test_overlaps_are_those_that_counting_finds(layout: tuple[list[int], list[int]]) -> None:
    assert overlaps_itself(*layout) == coincide(*layout)


def test_interleaved_elements_do_not_overlap() -> None:
    """Neither dimension steps over the other: 0, 2, 4 and 3, 5, 7."""
    assert not overlaps_itself((2, 3), (3, 2))
    assert overlaps_itself((3, 4), (3, 2))


def test_large_layouts_are_decided_at_once() -> None:
    """Positions are never listed: there are a trillion."""
    shape, row, plane = (10**5, 3, 1080, 1920), 1920 * 3, 1920 * 1080
    frame = 2 * 3 * plane
    assert not overlaps_itself(shape, (frame, 1, row, 3))
    assert not overlaps_itself(shape, (frame, plane, 1920, 1))
    assert overlaps_itself(shape, (frame, 3 * plane, 1920, 1))
    assert not overlaps_itself((1000, 3, 1080, 1920), (7, 1080 * 2 * 10**6, 2 * 10**6, 1000))
    assert overlaps_itself((1001, 3, 1080, 1920), (7, 1080 * 2 * 10**6, 2 * 10**6, 1000))
