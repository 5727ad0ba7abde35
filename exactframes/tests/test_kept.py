"""A decoder that stays open gives what a fresh one gives, whatever it was asked before."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchcodec import decoders

from exactframes import VideoDecoder
from exactframes.source import SeekMode
from exactframes.tests.asking import GOPS, Ask, Theirs, answer, is_same, repickled
from fixtures.ffmpeg import run_ffmpeg
from fixtures.testing.corpus import make_video

FOLLOWERS: list[Ask] = [
    lambda d: d.get_frame_at(2),
    lambda d: d[2],
    lambda d: d[2:5],
    lambda d: d.get_frames_at([7, 2]),
    lambda d: d.get_frames_in_range(2, 9, 3),
    lambda d: d.get_frames_played_at([0.09]),
    lambda d: d.get_frames_played_in_range(0.08, 0.2),
    lambda d: d.get_frames_played_in_range(0.08, 0.2, fps=10),
]


def asked(kind: str, number: int, seconds: float) -> Ask:
    """A request; its frames or times are among the first."""
    return {
        "frame": lambda d: d.get_frame_at(number),
        "frames": lambda d: d.get_frames_at([number + 9, number]),
        "slice": lambda d: d[number : number + 3],
        "none": lambda d: d[number:number],
        "time": lambda d: d.get_frame_played_at(seconds),
        "times": lambda d: d.get_frames_played_at([seconds + 0.1, seconds]),
        "range": lambda d: d.get_frames_played_in_range(seconds, seconds + 0.1),
        "resampled": lambda d: d.get_frames_played_in_range(seconds, seconds + 0.3, fps=9),
        "too late": lambda d: d.get_frames_at([number, 10**6]),
    }[kind]


KINDS = ["frame", "frame", "time", "time", "frames", "slice", "none", "times", "range", "resampled"]
ASKS = st.builds(
    asked,
    st.sampled_from([*KINDS, "too late"]),
    st.integers(0, 12),
    st.one_of(st.integers(0, 12).map(lambda frame: frame / 25 + 1e-4), st.floats(0, 0.5)),
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """GOPs of 20, and keyframes only."""
    folder = tmp_path_factory.mktemp("kept")
    alone = make_video(folder / "alone.mp4", "-c:v", "libx264", "-g", "1")
    return [make_video(folder / "gops.mp4", *GOPS), alone]


@pytest.mark.parametrize("seek_mode", ["exact", "approximate"])
@pytest.mark.parametrize("follower", FOLLOWERS)
def test_a_request_by_number_after_one_by_time(follower: Ask, seek_mode: SeekMode, video: Path) -> None:
    ours = VideoDecoder(video, seek_mode=seek_mode)
    ours.get_frame_at(1)
    ours.get_frame_played_at(2.0)
    fresh = decoders.VideoDecoder(video, seek_mode=seek_mode)
    assert is_same(follower(ours), follower(fresh))


@pytest.mark.parametrize("seek_mode", ["exact", "approximate"])
@given(asks=st.lists(ASKS, min_size=2, max_size=7), number=st.integers(0, 1), has_index=st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_requests_in_any_order(
    asks: list[Ask], number: int, has_index: bool, seek_mode: SeekMode, files: list[Path]
) -> None:
    ours = VideoDecoder(files[number], seek_mode=seek_mode)
    if has_index:
        ours = repickled(ours)
    for ask in asks:
        assert is_same(answer(ours, ask), answer(Theirs(files[number], seek_mode=seek_mode), ask))


def test_a_time_within_the_last_frame_where_frames_overlap(tmp_path: Path) -> None:
    coarse, path = tmp_path / "coarse.mkv", tmp_path / "overlapping.mov"
    source = ("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=120,trim=end_frame=31")
    run_ffmpeg(*source, "-c:v", "mpeg4", "-g", "50", str(coarse))  # Matroska rounds times to milliseconds
    flags = "frag_keyframe+empty_moov+delay_moov+default_base_moof"
    run_ffmpeg("-i", str(coarse), "-c", "copy", "-movflags", flags, str(path))
    ours = VideoDecoder(path)
    for seconds in (0.028, 0.029, 0.0291):
        fresh = Theirs(path).get_frame_played_at(seconds)
        assert is_same(ours.get_frame_played_at(seconds), fresh)
        assert fresh.pts_seconds == 0.025


def test_a_request_after_one_that_failed(video: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    run_ffmpeg("-i", str(video), "-c", "copy", "-movflags", "faststart", str(whole))
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    ours = VideoDecoder(cut, seek_mode="approximate")
    first = ours.get_frame_at(1)
    with pytest.raises(RuntimeError):
        ours.get_frame_at(74)
    assert first.pts_seconds == 0.04
    assert is_same(ours.get_frame_at(2), Theirs(whole).get_frame_at(2))


@pytest.mark.parametrize("seek_mode", ["exact", "approximate"])
def test_theora_after_a_seek_with_threads(seek_mode: SeekMode, tmp_path: Path) -> None:
    path = tmp_path / "theora.mkv"
    source = ("-f", "lavfi", "-i", "mandelbrot=size=96x64:rate=24,trim=end_frame=34")
    run_ffmpeg(*source, "-c:v", "libtheora", "-g", "50", "-pix_fmt", "yuv420p", str(path))
    ours = VideoDecoder(path, seek_mode=seek_mode, num_ffmpeg_threads=2)
    fresh = Theirs(path, seek_mode=seek_mode).get_frames_at(list(range(34)))
    for number in (8, 4, 0, 30, 16, 14, 12, 30, 25, 24, 27, 13, 16, 27):
        assert torch.equal(ours.get_frame_at(number).data, fresh.data[number])


def test_a_file_whose_packets_are_never_left_out(tmp_path: Path) -> None:
    path = make_video(tmp_path / "untried.mkv", "-c:v", "huffyuv")
    ours = VideoDecoder(path)
    assert ours.index is None
    ours.get_frame_at(1)
    ours.get_frame_played_at(2.0)
    assert is_same(ours.get_frame_at(2), Theirs(path).get_frame_at(2))
