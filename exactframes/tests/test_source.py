"""What is read of a file: TorchCodec's header, and what else."""

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
import torch
from torchcodec.decoders import VideoDecoder

from exactframes import decode_frames, iter_frames, survey
from exactframes import source as source_module
from exactframes.boxes import look_at
from exactframes.source import count_frames, look_of, open_source, sequential


def box(kind: str, payload: bytes = b"", size: int | None = None) -> bytes:
    """A box (ISO/IEC 14496-12, 4.2)."""
    return (8 + len(payload) if size is None else size).to_bytes(4, "big") + kind.encode() + payload


def large_box(kind: str, payload: bytes) -> bytes:
    """A box with its size in 64 bits."""
    return box(kind, (16 + len(payload)).to_bytes(8, "big") + payload, size=1)


START = box("ftyp", b"isom") + box("moov", box("trak"))
MOOF = box("moof", b"mfhd")


@pytest.mark.parametrize(
    ("data", "is_fragmented"),
    [
        (START + MOOF, True),
        (START + box("mdat", b"12345") + MOOF, True),
        (START + large_box("mdat", b"12345") + MOOF, True),
        (START + large_box("mdat", b"") + MOOF, True),
        (START + box("free") + MOOF, True),
        (START + box("mdat", MOOF), False),
        (START + large_box("mdat", MOOF), False),
        (START + box("mdat", MOOF, size=0), False),  # up to the end of the file
        (START + box("mdat", b"", size=7) + MOOF, False),
        (START + box("mda\0", b"\0\0\x08moof", size=7), False),  # less than its own header
        (START + box("mdat", b"", size=100), False),
        (START + box("mdat", b"12345", size=14) + MOOF, False),
        (START + b"\0\0\0\1junk" + b"\xff" * 8, False),  # further than can be sought
        (START + b"\0\0\0\1junk" + b"\x7f" + b"\xff" * 7, False),
        (START + MOOF[:7], False),
        (START, False),
        (b"", False),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81" + MOOF, False),
    ],
)
def test_movie_fragments_are_found(data: bytes, is_fragmented: bool, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(data)
    assert look_at(tmp_path / "film.mp4").is_fragmented == is_fragmented


def test_a_look_at_boxes_ends_no_call(tmp_path: Path) -> None:
    assert not look_at(tmp_path).is_fragmented
    assert not look_at(tmp_path / "gone.mp4").is_fragmented


@pytest.mark.parametrize("behind", [b"\0\0\0\1junk" + b"\xff" * 8, b"\0\0\0\1junk\0", b"junk"], ids=repr)
def test_what_stands_behind_the_last_box_does_no_harm(
    behind: bytes, small_video: Path, tmp_path: Path
) -> None:
    (tmp_path / "film.mp4").write_bytes(small_video.read_bytes() + behind)
    expected = VideoDecoder(tmp_path / "film.mp4").get_frames_at([3, 70]).data
    assert torch.equal(decode_frames(tmp_path / "film.mp4", [3, 70]), expected)


# --- The path ---


@pytest.mark.parametrize("name", ["10:30.mp4", "./10:30.mp4", "file:it.mp4", "pipe:0", "%d.mp4"])
def test_names_that_ffmpeg_takes_for_something_else(
    name: str, small_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(small_video.read_bytes())
    expected = VideoDecoder(small_video).get_frames_at([3, 70]).data
    for given in (name, Path(name)):
        assert torch.equal(decode_frames(given, [3, 70]), expected)
        ((_, frames),) = iter_frames(given, [3, 70])
        assert torch.equal(frames, expected)
    assert survey(name, [3, 70]) == survey(small_video, [3, 70])


def test_a_relative_path_is_of_the_folder_at_the_call(
    small_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_video.parent)
    batches = iter_frames(small_video.name, [3])
    monkeypatch.chdir(tmp_path)
    assert [rows for rows, _ in batches] == [range(1)]


def test_what_is_no_file_is_told_by_its_kind(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=r"^/.* is a directory: give the path of a video$"):
        open_source(tmp_path, "exact")
    with pytest.raises(FileNotFoundError, match=r"missing.mp4: no such file; give the path of a video$"):
        open_source(tmp_path / "missing.mp4", "exact")
    (tmp_path / "file").touch()
    with pytest.raises(FileNotFoundError, match=r"file/it.mp4: no such file; give the path of a video$"):
        open_source(tmp_path / "file" / "it.mp4", "exact")


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
def test_what_can_be_opened_and_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    os.mkfifo("pipe")
    with pytest.raises(OSError, match=r"^pipe is a pipe \(FIFO\): give the path of a video$"):
        open_source("pipe", "exact")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
        with pytest.raises(OSError, match=r"^socket is a socket: give the path of a video$"):
            open_source("socket", "exact")
    with pytest.raises(OSError, match=r"^/dev/null is a device: give the path of a video$"):
        open_source("/dev/null", "exact")


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace_by_another(path: Path) -> None:
    other = path.with_name("other.mp4")
    other.write_bytes(path.read_bytes()[:-1])
    other.replace(path)


def touch(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


@pytest.mark.parametrize("change", [truncate, replace_by_another, touch, Path.unlink])
@pytest.mark.parametrize("indices", [range(75), range(74, -1, -1)], ids=["one pass", "a pass each"])
def test_a_file_that_changes_between_batches(
    change: Callable[[Path], None], indices: range, small_video: Path, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(small_video.read_bytes())
    batches = iter_frames(film, indices, batch_frames=5)
    next(batches)
    change(film)
    with pytest.raises(
        RuntimeError, match=r"^film.mp4 has changed while its frames were read: open it again$"
    ):
        list(batches)
    assert list(batches) == []


# --- The header ---


def test_what_the_header_tells(small_video: Path) -> None:
    source = open_source(str(small_video), "approximate")
    assert (source.path, source.seek_mode, source.stream_index) == (small_video, "approximate", 0)
    assert (source.width, source.height, source.fps, source.frames) == (96, 64, 25, 75)
    assert source.look[:4] == ("h264", 96, 64, "yuv420p")
    assert not source.boxes.is_fragmented


@pytest.mark.parametrize(
    ("size", "given"), [(None, (64, 96)), (32, (32, 48)), ((20, 70), (20, 70)), ((1, 1), (1, 1))]
)
def test_the_size_of_frames_as_they_are_given(
    size: int | tuple[int, int] | None, given: tuple[int, int], small_video: Path
) -> None:
    source = open_source(small_video, "exact", size)
    assert source.shape(5) == (5, *given, 3)
    assert source.frame_bytes == given[0] * given[1] * 3


def test_what_a_version_of_torchcodec_lacks_is_none() -> None:
    metadata = SimpleNamespace(codec="h264", width=96, rotation=90)
    look = look_of(cast("Any", SimpleNamespace(metadata=metadata)))
    assert look == ("h264", 96, None, None, None, None, None, 90)


@pytest.mark.parametrize("error", [RuntimeError, ValueError, AssertionError])
def test_where_the_header_tells_too_little_the_file_is_scanned(
    error: type[Exception], small_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []

    def refusing(path: Path, *, seek_mode: Any) -> VideoDecoder:
        modes.append(seek_mode)
        if seek_mode == "approximate":
            raise error("no number of frames")
        return VideoDecoder(path, seek_mode=seek_mode)

    monkeypatch.setattr(source_module, "VideoDecoder", refusing)
    assert open_source(small_video, "exact").frames == 75
    assert modes == ["approximate", "exact"]
    with pytest.raises(error, match="no number of frames"):
        open_source(small_video, "approximate")


@pytest.mark.parametrize("missing", ["width", "height"])
def test_a_header_without_frame_size(
    missing: str, small_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown: dict[str, Any] = {missing: None}
    metadata = replace(VideoDecoder(small_video).metadata, **unknown)
    monkeypatch.setattr(source_module, "VideoDecoder", lambda *_, **__: SimpleNamespace(metadata=metadata))
    with pytest.raises(RuntimeError, match=r"^small.mp4: its header tells no frame size$"):
        open_source(small_video, "exact")


def test_torchcodec_s_own_way_and_count(small_video: Path) -> None:
    source = open_source(small_video, "approximate")
    frames = sequential(source, (70, 3))
    assert torch.equal(frames, VideoDecoder(small_video).get_frames_at([70, 3]).data)
    nothing = sequential(source, [])
    assert (nothing.shape, nothing.dtype) == ((0, 3, 64, 96), torch.uint8)
    assert count_frames(source) == 75


@pytest.mark.parametrize(("given", "threads"), [((), 1), ((3,), 3)], ids=["by default", "as told"])
def test_torchcodec_s_own_way_takes_so_many_threads(
    given: tuple[int, ...], threads: int, small_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source(small_video, "exact")
    opened = Mock(side_effect=VideoDecoder)
    monkeypatch.setattr(source_module, "VideoDecoder", opened)
    sequential(source, [3], *given)
    assert opened.call_args.kwargs["num_ffmpeg_threads"] == threads
