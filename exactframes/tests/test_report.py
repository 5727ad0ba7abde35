"""The report on a wrong frame: what it tells, what it keeps to itself, and its errors."""

import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from torchcodec.decoders import VideoDecoder

from exactframes import evidence
from exactframes.digests import frame_digests
from exactframes.errors import WrongFrameError
from exactframes.opened import Opened
from exactframes.report import main
from fixtures.ffmpeg import run_ffmpeg
from fixtures.testing.corpus import damage, make_video

# GOPs of I0 P3 b1 b2 P6 b4 b5 P8 b7
GOPS = ("-c:v", "libx264", "-g", "9", "-x264-params", "bframes=2:b-adapt=0:b-pyramid=none:scenecut=0")
NAME = "annas-holiday"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("at-annas-house") / f"{NAME}.mp4", *GOPS, frames=27)


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path | int, status: int = 0) -> str:
    assert main(list(map(str, arguments))) == status
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def rows_of(text: str) -> dict[str, list[str]]:
    """The cells of the packets' table, by the packet's number."""
    table = text.split("Packets around them")[1].splitlines()
    rows = [re.split(r"  +", line) for line in table if re.match(r"\d", line)]
    return {row[0]: row[1:] for row in rows}


def test_it_tells_versions_the_stream_and_digests(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, video, 11, 26).splitlines()
    assert f"Python: {platform.python_version()} on {platform.system()} {platform.machine()}" in lines
    for package in ("torch", "torchcodec", "av", "exactframes"):
        assert f"{package}: {version(package)}" in lines
    assert [line for line in lines if line.startswith("TorchCodec's libavcodec: ")]
    assert set(lines) >= {
        "codec: h264", "profile: High", "width: 96", "height: 64", "time base: 1/12800", "packets: 27",
        "flagged as keyframes: 3", "edit list: True", "fragmented: False",
    }  # fmt: skip
    digests = [digest.hex() for digest in frame_digests(VideoDecoder(video).get_frames_at([11, 26]).data)]
    place = lines.index("frame 11, shown at 0.440000 s")
    assert lines[place + 1] == f"  TorchCodec  {digests[0]}"
    assert lines[place + 2] == f"  decode_frames  {digests[0]}  the same"
    assert lines[place + 3] == f"  VideoDecoder  {digests[0]}  the same"
    assert lines[place + 5] == f"  TorchCodec  {digests[1]}"
    assert "decode_frames: 0 of 2 frames differ from TorchCodec's" in lines


def test_it_tells_which_packets_are_kept_for_a_frame(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the second GOP, frame 11 is b2: it needs I0 and P3, and b1 before it is dropped."""
    rows = rows_of(told(capsys, video, 11))
    roles = {number: (row[3], row[4], row[5]) for number, row in rows.items()}
    assert roles["9"] == ("keyframe", "reference, decoding may begin", "kept")
    assert roles["10"] == ("-", "reference", "kept")
    assert roles["11"] == ("-", "no reference", "dropped")
    assert roles["12"] == ("-", "no reference", "kept")
    assert rows["12"][6] == "11"
    assert roles["13"] == ("-", "reference", "-")  # nobody asked for what needs it
    assert rows["12"][:2] == [str(11 * 512)] * 2  # pts and dts of what is decoded as the 13th
    assert [int(number) for number in rows] == list(range(4, 21))


def test_packets_far_from_the_frames_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = make_video(tmp_path / "long.mp4", "-c:v", "libx264", "-g", "60", "-bf", "0", frames=75)
    text = told(capsys, long, 40)
    assert [int(number) for number in rows_of(text)] == [0, *range(32, 49)]
    assert "\n...\n" in text


def test_a_wrong_frame_is_told_with_its_size(
    video: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = VideoDecoder(video).get_frames_at([3, 11]).data.clone()
    red = wrong[1, 0]
    wrong[1, 0] = torch.where(red < 128, red + 100, red - 50)  # some are larger, some smaller
    monkeypatch.setattr(evidence, "decode_frames", Mock(return_value=wrong))
    text = told(capsys, video, 3, 11, status=1)
    assert re.search(r"  decode_frames  [0-9a-f]{32}  6144 of 18432 values differ, by up to 100\n", text)
    assert "decode_frames: 1 of 2 frames differ from TorchCodec's" in text
    assert "VideoDecoder: 0 of 2 frames differ from TorchCodec's" in text


def test_the_kept_decoder_leaves_packets_out_also_where_it_would_not(
    video: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frame that is planned wrong would else be hidden by TorchCodec's own way, which is cheaper here."""
    pruned = Opened._pruned
    asked = []

    def noted(self: Opened, index: object, frames: list[int]) -> object:
        asked.append(list(frames))
        return pruned(self, index, frames)  # type: ignore[arg-type]

    monkeypatch.setattr(Opened, "_pruned", noted)
    told(capsys, video, 0)
    assert asked == [[0]]


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
def test_it_tells_why_nothing_is_left_out(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoding = GOPS if suffix == "ts" else ("-c:v", "mpeg2video", "-g", "9")
    text = told(capsys, make_video(tmp_path / f"{NAME}.{suffix}", *encoding, frames=27), 0)
    assert "Nothing is left out: " in text
    assert "decode_frames: " in text
    assert NAME not in text
    assert "-i VIDEO" in text  # the remedy, without the name


def test_where_the_kept_decoder_hands_over_so_does_the_report(
    video: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = WrongFrameError(f"a packet of {video.name} is not where it was")
    monkeypatch.setattr(Opened, "_pruned", Mock(side_effect=refusal))
    text = told(capsys, video, 0, 13)
    assert "VideoDecoder: a packet of VIDEO is not where it was" in text
    assert "VideoDecoder: 0 of 2 frames differ from TorchCodec's" in text


def test_what_is_raised_is_part_of_the_report(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = damage(video, tmp_path / f"{NAME}.mp4", packet=20, offset=1, mask=0xFF)
    text = told(capsys, damaged, 25, status=1)
    assert "Nothing is left out: a packet is damaged: a NAL unit is longer than its packet" in text
    assert rows_of(text)["20"][4] == "not known"
    assert rows_of(text)["26"][6] == "25 (by order)"  # TorchCodec gives no frame, and so no time
    for way in ("TorchCodec", "decode_frames", "VideoDecoder"):
        assert re.search(rf"^{way}: RuntimeError: .*Could not push packet to decoder", text, re.MULTILINE)
    assert "decode_frames: no frame can be compared" in text


def test_there_is_no_path_no_name_no_host_and_no_tag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = tmp_path / f"{NAME}.mkv"
    run_ffmpeg(
        "-f", "lavfi", "-i", "testsrc=size=96x64:rate=25", "-frames:v", "9", "-c:v", "libx264",
        "-metadata", "title=annas-birthday", str(named),
    )  # fmt: skip
    text = told(capsys, named, 0, 5)
    for secret in (str(tmp_path), NAME, "annas-birthday", platform.node(), str(Path.home())):
        assert secret not in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.mp4", "1"], "nowhere.mp4: no such file; give the path of a video"),
        (["{folder}", "1"], "{folder} is a directory: give the path of a video"),
        (["{video}", "27"], f"{NAME}.mp4 has 27 frames, and frame 27 is asked for"),
        (["{video}", "soon"], "INDEX 'soon': give frame numbers, such as 10 250 -1"),
        (["{video}", "1.5"], "INDEX '1.5': give frame numbers, such as 10 250 -1"),
        (["{video}", "1", "--seek-mode", "fast"], "seek_mode 'fast': give 'exact' or 'approximate'"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], sentence: str, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"video": video, "folder": video.parent}
    assert main([argument.format(**places) for argument in arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.endswith(sentence.format(**places) + "\n")
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1


def test_what_is_no_video_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    assert main([str(tmp_path / "text.mp4"), "0"]) == 2
    assert re.fullmatch(r"error: .*Invalid data found.*\n", capsys.readouterr().err)


@pytest.mark.long
def test_it_runs_as_a_command_and_helps() -> None:
    command = [sys.executable, "-m", "exactframes.report", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: python -m exactframes.report")
    for word in ("VIDEO", "INDEX", "--seek-mode", "No picture is in this report", "Exit status"):
        assert word in done.stdout
    assert done.stderr == ""


def test_frames_from_the_end_and_repeats(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, video, -1, 26)
    assert text.count("frame 26, shown at 1.040000 s") == 2
    assert f"torch: {version('torch')}\n" in text
