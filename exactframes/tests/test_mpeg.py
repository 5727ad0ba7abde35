"""B-pictures of MPEG-2 and MPEG-4, on headers that are made up, and on files of FFmpeg's encoders."""

from collections.abc import Callable
from pathlib import Path

import av
import pytest
import torch
from torchcodec.decoders import VideoDecoder

from exactframes import FallbackWarning, decode_frames
from exactframes.errors import DeclinedError
from exactframes.order import Order
from exactframes.rules.mpeg import is_mpeg2_b, is_mpeg4_b, mpeg2_rule, mpeg4_rule
from exactframes.rules.roles import Role, Rule
from fixtures.ffmpeg import run_ffmpeg
from fixtures.testing.corpus import make_video

SEQUENCE, EXTENSION = b"\0\0\1\xb3\x06\0\x60\x35bitrate", b"\0\0\1\xb5\x14\x8a\0more"
CODING = b"\0\0\1\xb5\x8f\xff\xf3"  # picture_coding_extension
LAYER = b"\0\0\1\x20\x08\xc8"  # after video_object_layer_start_code
CHANGED = "^the codec's parameters change within the file$"
CONTRADICTED = "the presentation times contradict the order of the pictures"


def picture(kind: int) -> bytes:
    """A picture_header of MPEG-2: temporal_reference has 10 bits, picture_coding_type 3."""
    return b"\0\0\1\0" + (0x3FF << 6 | kind << 3).to_bytes(2, "big") + b"\0\0\1\1slice"


def vop(kind: int) -> bytes:
    """The beginning of a VideoObjectPlane of MPEG-4: vop_coding_type has 2 bits."""
    return b"\0\0\1\xb6" + bytes([kind << 6 | 0x2F]) + b"macroblocks"


@pytest.mark.parametrize(
    ("data", "is_b"),
    [
        (SEQUENCE + EXTENSION + picture(1) + CODING, False),
        (picture(2) + CODING, False),
        (picture(3) + CODING, True),
        (picture(1) + picture(2), False),  # the two fields of a frame
        (picture(3) + picture(3), True),
    ],
)
def test_pictures_of_mpeg2(data: bytes, is_b: bool) -> None:
    assert is_mpeg2_b(memoryview(data)) is is_b


@pytest.mark.parametrize("kind", range(4))
def test_pictures_of_mpeg4(kind: int) -> None:
    assert is_mpeg4_b(memoryview(b"\0\0\1\xb2user" + vop(kind))) is (kind == 2)


@pytest.mark.parametrize("data", [b"", SEQUENCE, picture(2) + picture(3)])
def test_a_packet_of_mpeg2_holds_one_picture(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^a packet does not hold exactly one picture$"):
        is_mpeg2_b(data)


@pytest.mark.parametrize("data", [b"\x7f", vop(1) + vop(2)])
def test_a_packet_of_mpeg4_holds_one_picture(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^a packet does not hold exactly one picture$"):
        is_mpeg4_b(data)


@pytest.mark.parametrize(
    ("make_rule", "extradata", "begin", "other"),
    [
        (mpeg2_rule, b"", SEQUENCE + EXTENSION, SEQUENCE.replace(b"\x35", b"\x25") + EXTENSION),
        (mpeg2_rule, b"", SEQUENCE + EXTENSION, SEQUENCE + EXTENSION.replace(b"\x14", b"\x15")),
        (mpeg2_rule, b"", SEQUENCE, SEQUENCE + EXTENSION),
        (mpeg2_rule, SEQUENCE, b"", SEQUENCE.replace(b"\x35", b"\x25")),
        (mpeg4_rule, b"", LAYER + vop(0), LAYER + b"1" + vop(0)),
        (mpeg4_rule, LAYER + b"\0", b"", LAYER + b"1"),
    ],
)
def test_parameters_may_not_change(
    make_rule: Callable[[bytes], Rule], extradata: bytes, begin: bytes, other: bytes
) -> None:
    judge = make_rule(extradata)
    start, further = Role(needed=True, starts=True, leads=True), Role(needed=True)
    assert judge(begin + b"\0\0\1\xb2user data of the first", True) == start
    assert judge(b"", False) == further
    assert judge(memoryview(begin.replace(b"bitrate", b"another")), True) == start
    with pytest.raises(ValueError, match=CHANGED):
        judge(memoryview(other), True)


def show(text: str) -> None:
    """Check the times of pictures, such as "I0 P3 b1", in the order in which they are decoded."""
    order = Order(seeks_by_dts=False, is_b=lambda data: bytes(data) == b"b")
    for name in text.split():
        order.require_between(name[:1].encode(), int(name[1:]))


@pytest.mark.parametrize("text", ["I0 P3 b1 b2 I6 b4 b5 P9", "I5 b3 b4 P8", "I0 P1 P2", "I0 P3 b2 b1"])
def test_times_that_fit_the_order_of_decoding(text: str) -> None:
    show(text)


@pytest.mark.parametrize(
    "text", ["b0", "I0 b1", "I0 b0", "I0 P3 b3", "I0 P3 b4", "I0 P3 b0", "I0 P3 b1 I2", "I1 P0", "I0 P0"]
)
def test_times_that_contradict_the_order_of_decoding(text: str) -> None:
    with pytest.raises(DeclinedError, match=f"^{CONTRADICTED}$"):
        show(text)


def test_a_seek_begins_anew() -> None:
    order = Order(seeks_by_dts=True, is_b=lambda _: False)
    for _ in range(2):
        order.require_rising(9)
        order.require_between(b"P", 9)
        order.begin_anew()


@pytest.mark.parametrize("codec", ["mpeg4", "mpeg2video"])
def test_b_pictures_that_the_container_shows_late(tmp_path: Path, codec: str) -> None:
    """As FFmpeg 5.1 writes them with libxvid: their times rise in the order of decoding."""
    whole = make_video(tmp_path / "whole.mkv", "-c:v", codec, "-g", "9", "-bf", "2", frames=30)
    video = tmp_path / "video.mkv"
    with av.open(whole) as container, av.open(video, "w") as output:
        target = output.add_stream_from_template(container.streams.video[0])
        packets = (packet for packet in container.demux(video=0) if packet.size)
        for number, packet in enumerate(packets):
            packet.stream, packet.pts, packet.dts = target, 40 * number, 40 * (number - 3)
            output.mux(packet)
    expected = VideoDecoder(video).get_frames_at([22, 23, 24]).data
    with pytest.warns(FallbackWarning, match=CONTRADICTED):
        assert torch.equal(decode_frames(video, [22, 23, 24]), expected)


def test_a_frame_that_ffmpeg_loses_where_the_aspect_changes(tmp_path: Path) -> None:
    """TorchCodec gives the frame after it in its place, when it comes from before."""
    for name, aspect in (("a", "4/3"), ("b", "16/9")):
        encoding = ("-c:v", "mpeg2video", "-g", "9", "-aspect", aspect)
        make_video(tmp_path / f"{name}.ts", *encoding, frames=20)
    (tmp_path / "parts.txt").write_text("file a.ts\nfile b.ts\n")
    video = tmp_path / "video.mov"
    run_ffmpeg("-f", "concat", "-i", str(tmp_path / "parts.txt"), "-c", "copy", str(video))
    expected = VideoDecoder(video).get_frames_at(list(range(20))).data
    with pytest.warns(FallbackWarning, match=CHANGED):
        assert torch.equal(decode_frames(video, range(20)), expected)
