"""AV1's rule against FFmpeg's own reading: trace_headers tells every syntax element of encoded videos."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import av
import pytest

from exactframes.rules.av1 import rule
from exactframes.rules.roles import Role
from exactframes.tests.made_av1 import KEY
from fixtures.errors import InputError
from fixtures.testing.corpus import make_video

SVT = ("-c:v", "libsvtav1", "-preset", "12", "-g", "20")
AOM = ("-c:v", "libaom-av1", "-cpu-used", "8", "-g", "30", "-lag-in-frames", "19")
VIDEOS = {  # with the file's suffix and how many of the packets are not needed: none, some
    "svt preset 9": ("mp4", ("-c:v", "libsvtav1", "-preset", "9", "-g", "20"), "some"),
    "svt preset 12": ("mkv", SVT, "some"),
    "svt with intra-only frames": ("mp4", (*SVT, "-svtav1-params", "irefresh-type=1"), "some"),
    "svt with switch frames": ("mp4", (*SVT[:4], "-svtav1-params", "pred-struct=1:sframe-dist=8"), "some"),
    "aom": ("mp4", AOM, "some"),
    "aom in WebM": ("webm", AOM, "some"),
    "aom with temporal delimiters": ("ivf", AOM, "some"),
    "aom with a decoder model": ("mp4", (*AOM, "-aom-params", "timing-info=model"), "some"),
    "aom at equal intervals": ("mp4", (*AOM, "-aom-params", "timing-info=constant"), "some"),
    "aom without order hints": ("mp4", (*AOM, "-aom-params", "enable-order-hint=0"), "some"),
    "aom tile groups": ("mp4", (*AOM, "-tiles", "2x1", "-aom-params", "num-tile-groups=2"), "some"),
    "aom realtime": ("mp4", ("-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime"), "none"),
    "aom all intra": ("mp4", ("-c:v", "libaom-av1", "-cpu-used", "8", "-g", "1"), "none"),
    "aom still picture": ("mp4", (*AOM[:4], "-still-picture", "1", "-frames:v", "1"), "none"),
    "rav1e": ("mp4", ("-c:v", "librav1e", "-speed", "10", "-g", "20"), "some"),
}


class Traced(NamedTuple):
    """A packet as FFmpeg reads it."""

    size: int
    needed: bool
    starts: bool
    has_parameters: bool


def encode(folder: Path, suffix: str, encoding: tuple[str, ...]) -> Path:
    try:
        return make_video(folder / f"video.{suffix}", *encoding, size="128x96", frames=60)
    except InputError as error:
        pytest.skip(f"this FFmpeg has no such encoder or option: {error}")


def trace(video: Path) -> Iterator[Traced]:
    command = ["ffmpeg", "-nostdin", "-nostats", "-v", "repeat+info", "-i", str(video), "-map", "0:v:0"]
    command += ["-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-"]
    log = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    slots: dict[int, int] = {}  # the type of the frame in each
    for packet in log.split("] Packet: ")[1:]:
        obus = set(re.findall(r"obu_type +[01]+ = (\d+)", packet))
        frames = [trace_frame(header, slots) for header in packet.split("] Frame Header\n")[1:]]
        needed = any(frame.needed for frame in frames) or bool(obus & {"1", "5"})
        yield Traced(int(packet.split()[0]), needed, frames[0].starts, "1" in obus)


def trace_frame(header: str, slots: dict[int, int]) -> Role:
    """Whether a frame changes any slot, which it then does."""
    found = re.findall(r"\] \d+ +(\w+) +[01]+ = (\d+)", header)
    elements = {name: int(value) for name, value in found}
    if elements.get("show_existing_frame"):
        frame_type = slots[elements["frame_to_show_map_idx"]]
        flags, starts = 0 if frame_type else 255, False
    else:  # what is not written is what it is for a shown key frame
        frame_type, flags = elements.get("frame_type", KEY), elements.get("refresh_frame_flags", 255)
        starts = frame_type == KEY and elements.get("show_frame", 1) == 1
    slots.update({slot: frame_type for slot in range(8) if flags >> slot & 1})
    return Role(needed=flags != 0, starts=starts)


def judge_packets(video: Path) -> list[tuple[int, Role]]:
    with av.open(video) as container:
        stream = container.streams.video[0]
        judge = rule(stream.codec_context.extradata or b"")
        return [
            (packet.size, judge(memoryview(packet), packet.is_keyframe))
            for packet in container.demux(stream)
            if packet.size
        ]


QUICK = ("svt preset 12", "svt with switch frames", "aom", "aom tile groups", "aom still picture", "rav1e")


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in VIDEOS]
)
def test_agrees_with_trace_headers(name: str, tmp_path: Path) -> None:
    suffix, encoding, unneeded = VIDEOS[name]
    video = encode(tmp_path, suffix, encoding)
    ours = [
        Traced(size, role.needed, role.starts, role.has_parameters) for size, role in judge_packets(video)
    ]
    assert ours == list(trace(video))
    assert (unneeded == "some") == any(not packet.needed for packet in ours)


def test_error_resilient_streams_are_kept_whole(tmp_path: Path) -> None:
    video = encode(tmp_path, "mp4", (*AOM, "-error-resilience", "default"))
    assert not all(packet.needed for packet in trace(video))
    assert all(role.needed for _, role in judge_packets(video))
