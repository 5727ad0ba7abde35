"""A VideoDecoder's index: when it is read, saved, given again and refused; a video opened again with it."""

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from torchcodec.transforms import Resize

from exactframes import Index, StaleIndexError, VideoDecoder, cutting, media, opened
from exactframes.choice import Reckoner
from exactframes.errors import DeclinedError, WrongFrameError
from exactframes.media import open_container
from exactframes.opened import Opened
from exactframes.tests.asking import (
    EXECUTORS,
    GOPS,
    Ask,
    Theirs,
    differing,
    is_same,
    prune_whenever_possible,
    repickled,
)
from fixtures.ffmpeg import run_ffmpeg
from fixtures.testing.corpus import make_video


def test_the_index_is_read_when_torchcodec_has_worked_for_as_long(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "READ_AFTER", 1e-9)
    ours = VideoDecoder(video)
    assert ours._here().index is None
    ours.get_frame_played_at(0.1)
    assert ours._here().index is None
    ours.get_frame_played_at(0.2)
    assert len(ours._here().index or ()) == 75


@pytest.mark.parametrize(("asked", "is_read"), [(range(0, 75, 12), True), ([40], False)])
def test_the_index_is_read_before_a_request_that_would_take_as_long(
    asked: Sequence[int], is_read: bool, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "READ_AFTER", 1.5e-5)
    ours = VideoDecoder(video)
    assert is_same(ours.get_frames_at(list(asked)), Theirs(video).get_frames_at(list(asked)))
    assert (ours._opened is not None and ours._opened.index is not None) == is_read


def test_an_index_takes_few_bytes_a_packet(video: Path) -> None:
    index = VideoDecoder(video).index
    assert index is not None
    stored = [value for value in vars(index).values() if isinstance(value, np.ndarray)]
    assert sum(array.nbytes for array in stored) / len(index) < 36  # and order


def save(video: Path, target: Path) -> Path:
    index = VideoDecoder(video).index
    assert index is not None
    index.save(target)
    return target


@pytest.mark.usefixtures("pruned")
def test_a_saved_index_is_given_again(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = save(video, tmp_path / "video.index")
    assert [path.name for path in tmp_path.iterdir()] == ["video.index"]
    monkeypatch.setattr(opened, "read_index", Mock(side_effect=AssertionError("the file is read")))
    for index in (saved, str(saved), Index.load(saved)):
        ours = VideoDecoder(video, index=index)
        assert ours.metadata == Theirs(video).metadata
        assert differing(ours, video) == []


def test_with_an_index_frames_are_found_by_time_as_in_exact_mode(video: Path) -> None:
    """In approximate mode, which gives the frames, TorchCodec takes some times for the frame before."""
    theirs, guessing = Theirs(video), Theirs(video, seek_mode="approximate")
    times = [theirs.get_frame_at(frame).pts_seconds for frame in range(len(theirs))]
    asked: list[Ask] = [
        lambda d: d.get_frames_played_at(times),
        *[lambda d, first=first: d.get_frames_played_in_range(first, times[-1]) for first in times[:-1]],
    ]
    ours = VideoDecoder(video, index=VideoDecoder(video).index)
    assert ours._here()._open_numbered is Opened._open_regular
    assert [is_same(ask(ours), ask(theirs)) for ask in asked] == [True] * len(asked)
    assert not all(is_same(ask(guessing), ask(theirs)) for ask in asked)


def test_with_an_index_frames_are_counted_as_in_exact_mode(video: Path, tmp_path: Path) -> None:
    """The header implies as many frames as the sound lasts; TorchCodec believes it if told the frames."""
    longer = tmp_path / "video.mkv"
    sound = ("-f", "lavfi", "-i", "sine=duration=5", "-map", "0:v", "-map", "1:a")
    run_ffmpeg("-i", str(video), *sound, "-c:v", "copy", "-c:a", "aac", str(longer))
    assert len(Theirs(longer)) == 75 < len(Theirs(longer, seek_mode="approximate"))
    assert differing(repickled(VideoDecoder(longer)), longer) == []


def test_nothing_is_estimated_for_a_frame_that_starts_a_gop(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder that is opened with its index has given its first frame before it adds up the packets."""
    estimated = Mock(side_effect=AssertionError("the packets are added up"))
    monkeypatch.setattr(opened, "Reckoner", estimated)
    ours, theirs = VideoDecoder(video, index=save(video, tmp_path / "video.index")), Theirs(video)
    for frame in (0, 20, 60, -15):
        assert is_same(ours.get_frame_at(frame), theirs.get_frame_at(frame))
    for frames in ([19], [21], [74], [0, 20]):
        with pytest.raises(AssertionError, match="added up"):
            ours.get_frames_at(frames)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "size",
            r"the index is not of this video: it has [\d,]+ bytes now and had [\d,]+; make the index again",
        ),
        ("time", "it was written at another time"),
        ("content", "its content is another"),
    ],
)
@pytest.mark.parametrize("seconds_later", [0, 10])
def test_a_stale_index_is_refused(
    change: str, told: str, seconds_later: int, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copy(video, tmp_path / "copy.mp4"))
    make_later(monkeypatch, seconds_later)
    saved, status = save(copy, tmp_path / "copy.index"), copy.stat()
    data = bytearray(copy.read_bytes())
    if change == "content":
        data[-1] ^= 1
    copy.write_bytes(bytes(data) + b"\0" * (change == "size"))
    if change == "content":
        os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(StaleIndexError, match=told):
        VideoDecoder(copy, index=saved)


def make_later(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Have an index be made so many seconds later."""
    now = time.time_ns() + seconds * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: now)


def test_content_is_read_again_unless_the_system_tells_that_it_was_not_touched(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copy(video, tmp_path / "copy.mp4"))
    at_once = save(copy, tmp_path / "at_once.index")
    make_later(monkeypatch, 10)
    later = save(copy, tmp_path / "later.index")
    moved = Path(shutil.copy2(copy, tmp_path / "moved.mp4"))
    assert is_same(VideoDecoder(moved, index=later)[20], Theirs(video)[20])
    monkeypatch.setattr(media, "_digest", Mock(side_effect=AssertionError("content is read")))
    assert is_same(VideoDecoder(copy, index=later)[20], Theirs(video)[20])
    for other, index in ((copy, at_once), (moved, later)):
        with pytest.raises(AssertionError, match="content is read"):
            VideoDecoder(other, index=index)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no index of exactframes, or of another version: save it again"),
        (b"junk", "is no index of exactframes, or of another version: save it again"),
        (b"exactframes index 3\n", "is no index of exactframes, or of another version: save it again"),
        (b"exactframes index 7\n\0\0\0\2{}", "is damaged: save it again"),
        (-1, "is damaged: save it again"),
        (40, "is damaged: save it again"),
    ],
)
def test_what_is_no_index_is_refused(content: bytes | int, told: str, video: Path, tmp_path: Path) -> None:
    path = tmp_path / "video.index"
    saved = save(video, path).read_bytes()
    path.write_bytes(content if isinstance(content, bytes) else saved[:content])
    with pytest.raises(StaleIndexError, match=f"video.index {told}"):
        VideoDecoder(video, index=path)
    with pytest.raises(FileNotFoundError):
        VideoDecoder(video, index=tmp_path / "none")


def test_a_file_that_was_replaced_is_not_indexed(video: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(video, tmp_path / "copy.mp4"))
    ours = VideoDecoder(copy)
    before = ours.get_frame_at(40)
    other = make_video(tmp_path / "other.mp4", "-c:v", "libx264", "-g", "7")
    other.replace(copy)
    assert ours.index is None
    assert ours.why_unpruned == "the file has changed since it was opened"
    assert is_same(ours.get_frame_at(40), before)


def test_packets_that_are_no_longer_there_are_torchcodec_s_matter(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prune_whenever_possible(monkeypatch)
    failing = Mock(side_effect=WrongFrameError("a planned frame was not decoded"))
    for kind in ("InPlace", "Cutting"):
        monkeypatch.setattr(opened, kind, Mock(return_value=Mock(write=failing)))
    ours = VideoDecoder(video)
    assert is_same(ours.get_frames_at([40, 3]), Theirs(video).get_frames_at([40, 3]))
    assert ours.why_unpruned == "a planned frame was not decoded"
    failing.assert_called_once()


@pytest.mark.parametrize("in_place", EXECUTORS)
def test_an_index_of_other_frames_gives_none_of_them(
    in_place: bool, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packets that are not where the index says are found by their times."""
    prune_whenever_possible(monkeypatch, in_place=in_place)
    ours = VideoDecoder(video)
    index = ours.index
    assert index is not None
    index.pts[30:] += 512
    for name in ("times", "ends"):
        index.__dict__.pop(name, None)
    assert is_same(ours.get_frame_at(45), Theirs(video).get_frame_at(45))
    assert ours.why_unpruned is not None


def stands_in(path: Path) -> bool:
    """Whether TorchCodec's decoder is one of approximate mode; what it gives is right in any case."""
    taken, theirs = repickled(VideoDecoder(path)), Theirs(path)
    assert taken.metadata == theirs.metadata
    for index in (7, 33, 74, 19, 20):
        assert is_same(taken.get_frame_at(index), theirs.get_frame_at(index))
    return taken._here()._open_numbered is Opened._open_regular


@pytest.mark.parametrize(
    ("options", "is_found"),
    [((), True), (("-bf", "0", "-movflags", "frag_keyframe+empty_moov"), False)],
    ids=["by time", "fragmented"],
)
def test_approximate_mode_stands_in_only_where_it_finds_the_same_frames(
    options: tuple[str, ...], is_found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reckoner, "saves", lambda *_: False)
    path = make_video(tmp_path / "video.mp4", *GOPS, *options)
    assert stands_in(path) == is_found


@pytest.mark.usefixtures("pruned")
def test_a_header_is_read_once_for_an_index(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = VideoDecoder(video).index
    before = VideoDecoder(video, index=index)
    opening = Mock(wraps=Theirs)
    monkeypatch.setattr(opened, "Theirs", opening)
    again = VideoDecoder(video, index=index)
    assert is_same(again.get_frames_at([7, 33]), before.get_frames_at([7, 33]))
    assert (again.metadata, again.stream_index) == (before.metadata, before.stream_index)
    assert not opening.called
    assert differing(again, video) == []


@pytest.mark.parametrize(
    ("name", "options", "decoding"),
    [
        ("video.mp4", GOPS, [True, False, False]),
        ("video.mkv", GOPS, [True, False, False]),
        (
            "rejected.mp4",
            ("-c:v", "mpeg4", "-g", "20", "-bf", "2"),
            [True, False, True, True],
        ),  # by the muxer
        ("video.ts", (*GOPS, "-bf", "0"), [True, True, True]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_video_is_opened_again_without_decoding_if_its_header_says_enough(
    name: str, options: tuple[str, ...], decoding: list[bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prune_whenever_possible(monkeypatch, in_place=False)
    path = make_video(tmp_path / name, *options)
    index, opening = VideoDecoder(path).index, Mock(wraps=open_container)
    monkeypatch.setattr(cutting, "open_container", opening)
    for _ in range(3):
        ours = VideoDecoder(path, index=index)
        assert is_same(ours.get_frames_at([33, 7, 48]), Theirs(path).get_frames_at([33, 7, 48]))
        assert ours.why_unpruned is None
    assert [call.kwargs["decodes"] for call in opening.call_args_list] == decoding


def test_excerpts_by_the_header_alone_are_compared_with_the_file(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prune_whenever_possible(monkeypatch, in_place=False)
    index, comparing = VideoDecoder(video).index, Mock(side_effect=[None, DeclinedError("another shape")])
    monkeypatch.setattr(cutting, "require_same", comparing)
    for _ in range(3):
        ours = VideoDecoder(video, index=index)
        assert is_same(ours.get_frames_at([33, 7]), Theirs(video).get_frames_at([33, 7]))
        assert ours.why_unpruned is None
    assert comparing.call_count == 2


@pytest.mark.parametrize("saves", [False, True])
def test_other_arguments_with_the_same_index(
    saves: bool, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prune_whenever_possible(monkeypatch)
    monkeypatch.setattr(Reckoner, "saves", lambda *_: saves)
    index, resizes = VideoDecoder(video).index, [Resize((20, 30))]
    resized: dict[str, Any] = {"transforms": resizes}
    for number, arguments in enumerate([{}, {}, {"dimension_order": "NHWC"}, resized, resized]):
        ours, theirs = VideoDecoder(video, index=index, **arguments), Theirs(video, **arguments)
        assert is_same(ours.get_frames_at([33, 7]), theirs.get_frames_at([33, 7])), number
    resizes[0] = Resize((40, 60))
    assert VideoDecoder(video, index=index, transforms=resizes).get_frame_at(7).data.shape == (3, 40, 60)
    with pytest.raises(ValueError, match="dimension order"):
        VideoDecoder(video, index=index, dimension_order="CHWN")  # type: ignore[arg-type]


@pytest.mark.parametrize("saves", [False, True])
def test_a_file_that_is_replaced_before_the_first_request(
    saves: bool, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reckoner, "saves", lambda *_: saves)
    copy = Path(shutil.copy(video, tmp_path / "copy.mp4"))
    index = VideoDecoder(copy).index
    ours = [VideoDecoder(copy, index=index) for _ in range(2)][1]
    make_video(tmp_path / "other.mp4", "-c:v", "libx264", "-g", "7").replace(copy)
    assert is_same(ours.get_frame_at(3), Theirs(copy).get_frame_at(3))
    assert ours.why_unpruned == "the file has changed since it was opened"


def test_durations_of_half_the_steps_between_frames_are_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TorchCodec gives frames of two ticks, where PyAV tells one."""
    prune_whenever_possible(monkeypatch, in_place=False)
    source = ("-f", "lavfi", "-i", "testsrc2=size=100x52:rate=120,format=yuvj420p", "-frames:v", "60")
    run_ffmpeg(*source, "-c:v", "mjpeg", "-threads", "1", str(tmp_path / "a.mkv"))
    video = tmp_path / "video.avi"
    run_ffmpeg("-ss", "0.2", "-i", str(tmp_path / "a.mkv"), "-c", "copy", str(video))
    theirs, ours = Theirs(video), repickled(VideoDecoder(video))
    frames = list(range(3, 10))
    assert is_same(ours.get_frames_at(frames), theirs.get_frames_at(frames))
