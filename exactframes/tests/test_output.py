"""Outputs, and how rows get into them."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import ANY, MagicMock

import pytest
import torch

from exactframes.output import open_output, own_output, shared_output, write_rows


def numbered(count: int) -> torch.Tensor:
    """Frames of 4x5, uint8 [count, 3, 4, 5], of which no two values of a frame are equal."""
    return (torch.arange(60).reshape(1, 3, 4, 5) + 64 * torch.arange(count).reshape(-1, 1, 1, 1)).to(
        torch.uint8
    )


@pytest.mark.parametrize("rows", [[0, 1, 2], [3, 4, 5], [5, 4, 3], [4, 3, 5], [0, 2, 5], [3, 5, 4]], ids=str)
def test_frames_go_into_their_rows_and_no_others(rows: list[int]) -> None:
    output = torch.full((6, 4, 5, 3), 255, dtype=torch.uint8)
    expected = output.clone()
    frames = numbered(3)
    for row, frame in zip(rows, frames, strict=True):
        expected[row] = frame.permute(1, 2, 0)
    assert write_rows(output, rows, frames) == 3
    assert torch.equal(output, expected)


def test_rows_in_sequence_are_copied_in_one_piece() -> None:
    target = MagicMock()
    output = cast("Any", SimpleNamespace(shape=(6, 4, 5, 3), numpy=lambda: target))
    write_rows(output, [2, 3, 4], numbered(3))
    target.__setitem__.assert_called_once_with(slice(2, 5), ANY)


def test_no_rows_are_no_frames() -> None:
    output = torch.zeros((1, 4, 5, 3), dtype=torch.uint8)
    assert write_rows(output, [], torch.empty((0, 3, 9, 9), dtype=torch.uint8)) == 0


@pytest.mark.parametrize("shape", [(1, 4, 1, 3), (1, 1, 5, 3), (1, 4, 5, 1), (1, 4, 6, 3)], ids=str)
def test_frames_of_another_size_are_not_stretched(shape: tuple[int, ...]) -> None:
    count, height, width, channels = shape
    frames = torch.zeros((count, channels, height, width), dtype=torch.uint8)
    with pytest.raises(RuntimeError, match=r"^frames of \(.*\) do not fit into \(4, 5, 3\)$"):
        write_rows(torch.zeros((2, 4, 5, 3), dtype=torch.uint8), [0], frames)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_shared_output_is_one_memory_wherever_it_is_opened(count: int) -> None:
    shape = (count, 4, 5, 3)
    with shared_output(shape) as (output, path):
        other = open_output(shape, path)
        write_rows(other, range(count), numbered(count))
        assert tuple(output.shape) == tuple(other.shape) == shape
        assert output.dtype == torch.uint8
        assert Path(path).stat().st_size == max(1, count * 60)
    assert torch.equal(output, numbered(count).permute(0, 2, 3, 1))  # it stays valid
    assert not Path(path).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is such a file at all times")
@pytest.mark.parametrize("fails", [False, True])
def test_where_there_is_no_memory_without_a_name_a_file_is_removed(
    fails: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    try:
        with shared_output((2, 4, 5, 3)) as (output, path):
            assert Path(path).parent == tmp_path
            write_rows(open_output((2, 4, 5, 3), path), [0, 1], numbered(2))
            if fails:
                raise KeyError(path)
    except KeyError:
        assert fails
    assert torch.equal(output, numbered(2).permute(0, 2, 3, 1))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("count", [0, 3])
def test_what_is_given_is_ordinary_memory(count: int) -> None:
    """Queues of torch copy it; what claims to be shared they hand on by a descriptor that there is not."""
    shape = (count, 4, 5, 3)
    with shared_output(shape) as (output, path):
        write_rows(output, range(count), numbered(count))
        own = own_output(shape, path)
    expected = numbered(count).permute(0, 2, 3, 1)
    for given in (own, output):
        assert not given.untyped_storage().is_shared()
    queue = torch.multiprocessing.get_context("fork").Queue()
    queue.put(own)
    assert torch.equal(queue.get(timeout=20), expected)
    assert torch.equal(own, expected)


def test_what_is_written_to_own_memory_stays_there() -> None:
    """As in a fork that prepares its frames in place: others see theirs."""
    shape = (3, 4, 5, 3)
    with shared_output(shape) as (output, path):
        write_rows(output, range(3), numbered(3))
        own = own_output(shape, path)
    own += 1
    assert torch.equal(output, numbered(3).permute(0, 2, 3, 1))
    assert torch.equal(own, output + 1)


@pytest.mark.skipif(sys.platform != "linux", reason="lists /proc")
def test_outputs_keep_no_descriptor() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    kept = []
    for _ in range(5):
        with shared_output((1, 4, 5, 3)) as (_, path):
            kept.append(own_output((1, 4, 5, 3), path))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert len(kept) == 5
