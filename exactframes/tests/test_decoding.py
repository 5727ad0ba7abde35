"""What a user calls: decode_frames and iter_frames; their arguments, errors, and what they leave."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torchcodec.decoders import VideoDecoder
from torchcodec.transforms import Resize

from exactframes import FallbackWarning, VerificationError, decode_frames, iter_frames, survey
from exactframes import decoding as decoding_module
from exactframes import excerpt as excerpt_module
from exactframes.excerpt import Excerpt
from exactframes.output import write_rows
from exactframes.source import SeekMode, Source, open_source, sequential
from fixtures.ffmpeg import run_ffmpeg
from fixtures.testing.corpus import damage, make_video

FRAMES = 75
GOPS = ("-c:v", "libx264", "-g", "10")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("library") / "video.mp4", *GOPS)


@pytest.fixture(scope="module")
def expected(video: Path) -> Tensor:
    return VideoDecoder(video).get_frames_at(list(range(FRAMES))).data


@pytest.fixture(scope="module")
def damaged_at_its_end(video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A length in its last packets is wrong: that shows only when most of it has been decoded."""
    target = tmp_path_factory.mktemp("library") / "damaged.mp4"
    return damage(video, target, packet=70, offset=1, mask=0xFF)


@pytest.fixture(scope="module")
def trimmed(video: Path) -> Path:
    """It lacks one of its last frames, so that approximate mode guesses wrongly from there on."""
    target = video.with_name("trimmed.mp4")
    run_ffmpeg("-i", str(video), "-t", "2.0", "-c", "copy", str(target))
    return target


def test_frames_far_apart_in_gops_of_several_lengths(tmp_path: Path) -> None:
    keyframes = ("-g", "100", "-force_key_frames", "expr:eq(mod(n,100),0)+eq(mod(n,100),20)")
    path = make_video(tmp_path / "video.mp4", "-c:v", "libx264", *keyframes, frames=300)
    frames = [5, 70, 105, 290]
    pruned = decode_frames(path, frames, seek_mode="approximate")  # a fallback would warn, and fail
    assert torch.equal(pruned, VideoDecoder(path).get_frames_at(frames).data)


@pytest.mark.parametrize("processes", [False, True])
@pytest.mark.parametrize("order", [1, -1])
def test_what_was_certain_before_a_decline_is_kept(
    order: int, processes: bool, trimmed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_torchcodec: list[int] = []

    def counted(source: Source, indices: Sequence[int], ffmpeg_threads: int = 1) -> Tensor:
        by_torchcodec.extend(indices)
        return sequential(source, indices, ffmpeg_threads)

    monkeypatch.setattr(decoding_module, "sequential", counted)
    theirs = VideoDecoder(trimmed, seek_mode="approximate")
    indices = list(range(len(theirs)))[::order]
    with pytest.warns(FallbackWarning, match="the frame rate varies"):
        frames = decode_frames(trimmed, indices, seek_mode="approximate", workers=2, processes=processes)
    assert torch.equal(frames, theirs.get_frames_at(indices).data)
    assert 0 < len(by_torchcodec) < len(indices) / 2


@pytest.mark.parametrize("how", ["it raises", "it gives a later frame"])
def test_a_seek_to_the_rest_that_leads_elsewhere(
    how: str, trimmed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in joined files, whose times overlap: one call for all frames does not seek."""
    theirs = VideoDecoder(trimmed, seek_mode="approximate")
    indices = list(range(len(theirs)))

    def elsewhere(source: Source, asked: Sequence[int], ffmpeg_threads: int = 1) -> Tensor:
        if len(asked) == len(indices):
            return sequential(source, asked, ffmpeg_threads)
        if how == "it raises":
            raise RuntimeError("Requested next frame while there are no more frames left to decode.")
        return sequential(source, [min(index + 1, indices[-1]) for index in asked], ffmpeg_threads)

    monkeypatch.setattr(decoding_module, "sequential", elsewhere)
    with pytest.warns(FallbackWarning, match="the frame rate varies"):
        frames = decode_frames(trimmed, indices, seek_mode="approximate", workers=2)
    assert torch.equal(frames, theirs.get_frames_at(indices).data)


def test_frames_that_torchcodec_seeks_past_are_given_all_the_same(video: Path, expected: Tensor) -> None:
    stream = video.with_name("stream.ts")
    run_ffmpeg("-i", str(video), "-c", "copy", str(stream))
    with pytest.raises(RuntimeError, match="no more frames left"):
        VideoDecoder(stream).get_frames_at(list(range(FRAMES)))
    with pytest.warns(FallbackWarning) as told:
        frames = decode_frames(stream, range(FRAMES), workers=2)
    assert torch.equal(frames, expected)
    with pytest.warns(FallbackWarning), pytest.raises(RuntimeError, match="no more frames left"):
        decode_frames(stream, range(FRAMES), workers=2, verify=2)  # by what nobody gives, nothing is verified
    first, second = [str(warning.message) for warning in told]
    assert first.startswith("FFmpeg seeks past frames in this file")
    assert second.startswith("TorchCodec cannot give these frames; they are those of decoding from the first")


@pytest.mark.parametrize("index", [0, 20, 47])
def test_no_frame_of_an_mpeg_ts_is_certain_if_later_ones_are_reordered(index: int, tmp_path: Path) -> None:
    for name, b_frames in (("a", "0"), ("b", "3")):
        encoding = ("-c:v", "libx264", "-g", "12", "-bf", b_frames, "-threads", "1")
        make_video(tmp_path / f"{name}.ts", *encoding, frames=60)
    (tmp_path / "parts.txt").write_text("file a.ts\nfile b.ts\n")
    video = tmp_path / "video.ts"
    run_ffmpeg("-f", "concat", "-i", str(tmp_path / "parts.txt"), "-c", "copy", str(video))
    decoder = VideoDecoder(video)
    theirs = decoder.get_frame_at(index)
    begin = decoder.metadata.begin_stream_seconds or 0
    assert theirs.pts_seconds > begin + index / 25 + 0.01  # it seeks past the frame
    with pytest.warns(FallbackWarning, match="FFmpeg seeks past frames"):
        assert torch.equal(decode_frames(video, [index])[0], theirs.data)
    with pytest.warns(FallbackWarning, match="FFmpeg seeks past frames"):
        [(_, frames)] = iter_frames(video, [index])
    assert torch.equal(frames[0], theirs.data)


@pytest.mark.parametrize(
    "indices",
    [[5, 70, 5, 0], (-1, 3, -75), range(0, 75, 9), np.array([3, 60]), torch.tensor([60, 3]), []],
    ids=["list", "from the end", "range", "array", "tensor", "none"],
)
def test_any_kind_of_indices(indices: list[int], video: Path, expected: Tensor) -> None:
    wanted = [int(index) for index in indices]
    for given in (video, str(video)):
        assert torch.equal(decode_frames(given, indices, workers=2), expected[wanted])
    batches = list(iter_frames(video, indices, batch_frames=2, workers=2))
    assert [row for rows, _ in batches for row in rows] == list(range(len(wanted)))
    for rows, frames in batches:
        assert torch.equal(frames, expected[wanted[rows.start : rows.stop]])


@pytest.mark.parametrize("processes", [False, True])
def test_out_takes_the_frames(processes: bool, video: Path, expected: Tensor) -> None:
    plain = torch.zeros((3, 3, 64, 96), dtype=torch.uint8)
    strided = torch.zeros((6, 64, 3, 192), dtype=torch.uint8).permute(0, 2, 1, 3)[::2, :, :, ::2]
    for out in (plain, strided):
        returned = decode_frames(video, [40, 2, 7], out=out, workers=2, processes=processes)
        assert returned is out
        assert torch.equal(out, expected[[40, 2, 7]])


def test_processes_give_more_rows_than_a_frame_has(video: Path, expected: Tensor) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", FallbackWarning)
        frames = decode_frames(video, range(FRAMES), workers=2, processes=True)
    assert torch.equal(frames, expected)


def test_out_takes_the_frames_of_a_fallback(damaged_at_its_end: Path) -> None:
    out = torch.zeros((2, 3, 64, 96), dtype=torch.uint8)
    with pytest.warns(FallbackWarning):
        decode_frames(damaged_at_its_end, [0, 20], out=out)
    assert torch.equal(out, VideoDecoder(damaged_at_its_end).get_frames_at([0, 20]).data)


@pytest.mark.parametrize(("size", "given"), [(32, (32, 48)), (41, (41, 61)), ((20, 70), (20, 70))])
def test_frames_are_resized(size: int | tuple[int, int], given: tuple[int, int], video: Path) -> None:
    theirs = VideoDecoder(video, transforms=[Resize(given)]).get_frames_at([40, 2, 7]).data
    out = torch.zeros((3, 3, *given), dtype=torch.uint8)
    for processes in (False, True):
        decode_frames(video, [40, 2, 7], size=size, out=out, workers=2, processes=processes)
        assert torch.equal(out, theirs)
        out.zero_()
    assert decode_frames(video, [], size=size).shape == (0, 3, *given)


def test_the_frames_of_a_fallback_are_resized(damaged_at_its_end: Path) -> None:
    theirs = VideoDecoder(damaged_at_its_end, transforms=[Resize((20, 30))]).get_frames_at([0, 60]).data
    with pytest.warns(FallbackWarning):
        assert torch.equal(decode_frames(damaged_at_its_end, [0, 60], size=(20, 30)), theirs)
    with pytest.warns(FallbackWarning):
        ((_, frames),) = iter_frames(damaged_at_its_end, [0, 60], size=(20, 30))
    assert torch.equal(frames, theirs)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"workers": 0}, "workers 0: give a whole number of 1 or more"),
        ({"workers": True}, "workers True: give a whole number of 1 or more"),
        ({"verify": "all"}, "verify 'all': give a whole number of 0 or more"),
        ({"ffmpeg_threads": 1.5}, "ffmpeg_threads 1.5: give a whole number of 0 or more"),
        ({"size": True}, r"size True: give \(height, width\) or the shorter side"),
        ({"size": 9.5}, r"size 9.5: give \(height, width\) or the shorter side"),
        ({"ffmpeg_threads": -1}, "ffmpeg_threads -1: give a whole number of 0 or more"),
        ({"verify": -1}, "verify -1: give a whole number of 0 or more"),
        ({"size": 0}, r"size 0: give \(height, width\) or the shorter side"),
        ({"size": (9, 0)}, r"size \(9, 0\): give \(height, width\)"),
        ({"size": (9, 9, 9)}, r"size \(9, 9, 9\): give \(height, width\)"),
        ({"size": (9.5, 9)}, r"size \(9.5, 9\): give \(height, width\)"),
        ({"seek_mode": "fast"}, "seek_mode 'fast': give 'exact' or 'approximate'"),
        (
            {"out": torch.zeros((2, 3, 64, 96))},
            r"out is \[2, 3, 64, 96\] of float32 on cpu: ",
        ),
        ({"out": torch.zeros((2, 3, 64, 96), dtype=torch.uint8)}, r"give uint8 \[1, 3, 64, 96\] on the CPU"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], sentence: str, video: Path) -> None:
    with pytest.raises(ValueError, match=sentence):
        decode_frames(video, [0], **arguments)  # type: ignore[arg-type]


def test_numbers_may_be_those_of_numpy(video: Path, expected: Tensor) -> None:
    one, two = np.int64(1), np.uint8(2)
    frames = decode_frames(video, [3, 40], workers=two, ffmpeg_threads=one, verify=two, size=np.int32(64))  # type: ignore[arg-type]
    assert torch.equal(frames, expected[[3, 40]])
    sides = np.array([64, 96])
    ((_, frames),) = iter_frames(video, [3, 40], batch_frames=two, workers=one, size=(sides[0], sides[1]))  # type: ignore[arg-type]
    assert torch.equal(frames, expected[[3, 40]])


@pytest.mark.parametrize("index", [75, -76])
@pytest.mark.parametrize("seek_mode", ["exact", "approximate"])
def test_frames_that_the_video_lacks_are_told_first(index: int, seek_mode: SeekMode, video: Path) -> None:
    """Before anything is decoded, and with no warning, which would be an error here."""
    sentence = rf"^video.mp4 has 75 frames, and frame {index} is asked for$"
    with pytest.raises(IndexError, match=sentence):
        decode_frames(video, [3, index], seek_mode=seek_mode)
    with pytest.raises(IndexError, match=sentence):
        iter_frames(video, [3, index], batch_frames=1, seek_mode=seek_mode)
    with pytest.raises(IndexError, match=sentence):
        survey(video, [3, index], seek_mode)


@pytest.mark.parametrize("processes", [False, True])
def test_frames_that_only_the_header_tells_of(
    processes: bool, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = replace(open_source(video, "exact"), frames=90)
    monkeypatch.setattr(decoding_module, "open_source", lambda *_: more)
    with pytest.raises(IndexError, match=r"^video.mp4 has 75 frames, and frame 80 is asked for$"):
        decode_frames(video, [3, 80], workers=2, processes=processes)


def test_what_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(RuntimeError, match="Invalid data"):
        decode_frames(tmp_path / "text.mp4", [0])
    with pytest.raises(IsADirectoryError, match="is a directory: give the path of a video"):
        decode_frames(tmp_path, [0])


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("processes", [False, True])
def test_a_reason_that_shows_late_falls_back(processes: bool, workers: int, damaged_at_its_end: Path) -> None:
    with pytest.warns(FallbackWarning, match="a NAL unit is longer than its packet"):
        frames = decode_frames(damaged_at_its_end, range(60), workers=workers, processes=processes)
    assert torch.equal(frames, VideoDecoder(damaged_at_its_end).get_frames_at(list(range(60))).data)


def test_batches_go_on_after_a_late_reason(damaged_at_its_end: Path) -> None:
    batches = iter_frames(damaged_at_its_end, range(60), batch_frames=25, workers=2)
    with pytest.warns(FallbackWarning, match="a NAL unit is longer than its packet"):
        taken = list(batches)
    assert [rows for rows, _ in taken] == [range(25), range(25, 50), range(50, 60)]
    expected = VideoDecoder(damaged_at_its_end).get_frames_at(list(range(60))).data
    assert torch.equal(torch.cat([frames for _, frames in taken]), expected)


@pytest.mark.parametrize("processes", [False, True])
def test_an_excerpt_that_cannot_be_decoded_falls_back(
    processes: bool, video: Path, expected: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excerpt_module, "_write", lambda *_: (b"no video", 512))
    monkeypatch.setattr(excerpt_module, "require_same", lambda *_: None)
    with pytest.warns(FallbackWarning):
        frames = decode_frames(video, [3, 40], workers=2, processes=processes)
    assert torch.equal(frames, expected[[3, 40]])


def test_an_excerpt_that_loses_something_falls_back(
    video: Path, expected: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_video(video.parent / "other.mp4", *GOPS, "-colorspace", "bt709", size="96x64")
    monkeypatch.setattr(excerpt_module, "_write", lambda *_: (other.read_bytes(), 512))
    with pytest.warns(FallbackWarning, match=r"an excerpt does not (keep|look)"):
        frames = decode_frames(video, [3, 40], workers=2)
    assert torch.equal(frames, expected[[3, 40]])


def askew(excerpt: Excerpt) -> Excerpt:
    """The same, but for the frame before each."""
    return replace(excerpt, frames=tuple(frame - 1 for frame in excerpt.frames))


@pytest.mark.parametrize("how", ["another time", "another look", "a row left out"])
def test_frames_other_than_planned_fall_back(
    how: str, video: Path, expected: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output begins uninitialised: what was not written, or not as planned, must never be given."""
    if how == "another time":
        cut = excerpt_module.cut
        monkeypatch.setattr(excerpt_module, "cut", lambda *given: askew(cut(*given)))
    elif how == "another look":
        monkeypatch.setattr(excerpt_module, "look_of", lambda _: ("other",))
    else:
        monkeypatch.setattr(excerpt_module, "write_rows", lambda *_: 0)
        monkeypatch.setattr(decoding_module, "on_threads", lambda *_: 2)
    with pytest.warns(FallbackWarning):
        frames = decode_frames(video, [3, 40, 60], workers=1)
    assert torch.equal(frames, expected[[3, 40, 60]])


def test_verifying_names_the_first_frame_that_differs(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoiled(output: Tensor, rows: list[int], frames: Tensor) -> int:
        return write_rows(output, rows, frames ^ torch.tensor([row >= 4 for row in rows]).view(-1, 1, 1, 1))

    monkeypatch.setattr(excerpt_module, "write_rows", spoiled)
    indices = list(range(0, 75, 9))
    decode_frames(video, indices, workers=1)
    for count, row in ((9, 4), (3, 4), (2, 8)):
        with pytest.raises(VerificationError, match=f"video.mp4: row {row}, frame {9 * row} of the video"):
            decode_frames(video, indices, workers=1, verify=count)
    decode_frames(video, indices, workers=1, verify=1)  # the first row alone, which is right


def test_verified_frames_are_given(video: Path, expected: Tensor) -> None:
    assert torch.equal(decode_frames(video, [3, 40], verify=100), expected[[3, 40]])


def test_rows_that_processes_left_out_fall_back(
    video: Path, expected: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding_module, "on_processes", lambda *_: 1)
    with pytest.warns(FallbackWarning, match="the plan covered 1 of 3 frames"):
        frames = decode_frames(video, [3, 40, 60], workers=2, processes=True)
    assert torch.equal(frames, expected[[3, 40, 60]])


def test_a_gop_after_a_recovery_point_is_not_joined_to_one_before_a_gap(tmp_path: Path) -> None:
    """Its pictures are numbered on from those that are left out: FFmpeg took wrong references for 41."""
    settings = "open-gop=1:b-adapt=2:b-pyramid=none:ref=16:weightb=0:cabac=0"
    options = ("-c:v", "libx264", "-g", "12", "-preset", "veryfast", "-x264-params", settings)
    video = make_video(tmp_path / "video.mp4", *options, size="128x96", frames=84)
    for frames in ([12, 41], [15, 40], [18, 45], [21, 40]):
        expected = VideoDecoder(video).get_frames_at(frames).data
        assert torch.equal(decode_frames(video, frames, workers=1), expected), frames
