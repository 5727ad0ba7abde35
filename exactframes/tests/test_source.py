"""What is read of a file: TorchCodec's header, and what else."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
import torch
from torchcodec.decoders import VideoDecoder

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
        (START + MOOF[:7], False),
        (START, False),
        (b"", False),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81" + MOOF, False),
    ],
)
def test_movie_fragments_are_found(data: bytes, is_fragmented: bool, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(data)
    assert look_at(tmp_path / "film.mp4").is_fragmented == is_fragmented


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
