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
from exactframes.rules.mpeg import mpeg2_rule, mpeg4_rule
from exactframes.rules.roles import Role, Rule
from fixtures.ffmpeg import run_ffmpeg
from fixtures.testing.corpus import make_video

SEQUENCE = b"\0\0\1\xb3\x06\0\x60\x35\x01\x02\x03\x04"  # size, aspect and rate; bit rate, no matrices
EXTENSION = b"\0\0\1\xb5\x14\x8a\x01\x02\x03\x04"
DISPLAY = b"\0\0\1\xb5\x23\x01\x01\x01"
CODING = b"\0\0\1\xb5\x8f\xff\xf3"  # picture_coding_extension
CONTRADICTED = "the presentation times contradict the order of the pictures"
CHANGED = "^the codec's parameters change within the file$"
NOT_ONE = "^a packet does not hold exactly one picture$"


def picture(kind: int) -> bytes:
    """A picture_header of MPEG-2: temporal_reference has 10 bits, picture_coding_type 3."""
    return b"\0\0\1\0" + (0x3FF << 6 | kind << 3).to_bytes(2, "big") + b"\0\0\1\1slice"


def vop(kind: int) -> bytes:
    """The beginning of a VideoObjectPlane of MPEG-4: vop_coding_type has 2 bits."""
    return b"\0\0\1\xb6" + bytes([kind << 6 | 0x2F]) + b"macroblocks"


def layer(bits: str) -> bytes:
    """A VideoObjectLayer of MPEG-4 that begins with these bits."""
    bits = bits.replace(" ", "").ljust(64, "1")
    return b"\0\0\1\x20" + int(bits, 2).to_bytes(8, "big")


# random_accessible_vol, type, is_object_layer_identifier, aspect_ratio_info, vol_control_parameters,
# chroma_format, low_delay
LAYER = layer("0 00010001 0 0001 1 01 0")


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
    assert mpeg2_rule(b"")(memoryview(data), False) == Role(needed=True, is_b=is_b)


@pytest.mark.parametrize("kind", range(4))
def test_pictures_of_mpeg4(kind: int) -> None:
    judge = mpeg4_rule(LAYER)
    assert judge(memoryview(b"\0\0\1\xb2user" + vop(kind)), False) == Role(needed=True, is_b=kind == 2)


@pytest.mark.parametrize(
    ("make_rule", "data"),
    [
        (mpeg2_rule, b""),
        (mpeg2_rule, SEQUENCE),
        (mpeg2_rule, picture(2) + picture(3)),
        (mpeg2_rule, 3 * picture(2)),
        (mpeg4_rule, b"\x7f"),
        (mpeg4_rule, vop(1) + vop(2)),  # a packed bitstream
        (mpeg4_rule, vop(1) + vop(1)),
    ],
)
def test_a_packet_holds_one_picture(make_rule: Callable[[bytes], Rule], data: bytes) -> None:
    with pytest.raises(ValueError, match=NOT_ONE):
        make_rule(b"")(data, False)


@pytest.mark.parametrize(
    ("extradata", "headers"),
    [
        (b"", [SEQUENCE + EXTENSION + DISPLAY] * 2),
        (b"", [SEQUENCE + EXTENSION, b"", SEQUENCE + EXTENSION]),
        (b"", [SEQUENCE, SEQUENCE.replace(b"\x01\x02\x03\x04", b"\x11\x12\x13\x14")]),  # the bit rate
        (b"", [SEQUENCE + EXTENSION, SEQUENCE + EXTENSION.replace(b"\x01\x02\x03", b"\x11\x12\x13")]),
        (SEQUENCE, [SEQUENCE + EXTENSION] * 2),  # the header outside is not used
        (SEQUENCE + EXTENSION, [b"", SEQUENCE + EXTENSION]),
    ],
)
def test_parameters_of_mpeg2_that_stay(extradata: bytes, headers: list[bytes]) -> None:
    judge, start = mpeg2_rule(extradata), Role(needed=True, starts=True, leads=True)
    for header in headers:
        assert judge(header + picture(1), True) == start
        assert judge(picture(2), False) == Role(needed=True)


WITH_MATRIX = SEQUENCE[:-1] + b"\x06" + 64 * b"\x08"


@pytest.mark.parametrize(
    ("extradata", "before", "after"),
    [
        (b"", SEQUENCE + EXTENSION, SEQUENCE.replace(b"\x35", b"\x25") + EXTENSION),
        (b"", SEQUENCE + EXTENSION, SEQUENCE + EXTENSION.replace(b"\x14", b"\x15")),
        (b"", SEQUENCE + EXTENSION, SEQUENCE + EXTENSION[:-1] + b"\x84"),  # low_delay
        (b"", SEQUENCE + EXTENSION, SEQUENCE),
        (b"", SEQUENCE + EXTENSION, SEQUENCE + EXTENSION + DISPLAY),
        (b"", SEQUENCE + DISPLAY, SEQUENCE + DISPLAY.replace(b"\x23", b"\x22")),
        (b"", SEQUENCE, WITH_MATRIX),
        (b"", WITH_MATRIX, WITH_MATRIX[:-1] + b"\x09"),
        (SEQUENCE, SEQUENCE + EXTENSION, b""),  # there the one outside is used
    ],
)
def test_parameters_of_mpeg2_that_change(extradata: bytes, before: bytes, after: bytes) -> None:
    judge = mpeg2_rule(extradata)
    judge(before + picture(1), True)
    with pytest.raises(ValueError, match=CHANGED):
        judge(memoryview(after + picture(1)), True)


def test_the_layer_of_mpeg4_stays() -> None:
    judge = mpeg4_rule(LAYER + b"\0")
    judge(vop(0), True)
    judge(LAYER + b"\0\0\1\xb2user data" + vop(0), True)
    with pytest.raises(ValueError, match=CHANGED):
        judge(LAYER[:-1] + b"\xfe" + vop(0), True)


@pytest.mark.parametrize(
    ("bits", "tells"),
    [
        ("0 00010001 0 0001 1 01 0", True),
        ("0 00010001 0 0001 1 01 1", False),  # low_delay
        ("0 00010001 0 0001 0 11 0", False),  # no vol_control_parameters
        ("0 00010001 1 0010 001 0001 1 01 0", True),
        ("0 00010001 1 0010 001 0001 0 01 0", False),
        ("0 00010001 0 1111 00001100 00001011 1 01 0", True),
        ("0 00010001 0 1111 00001100 00001011 0 01 0", False),
    ],
)
def test_b_vops_need_a_header_that_tells_of_reordering(bits: str, tells: bool) -> None:
    judge = mpeg4_rule(b"")
    judge(layer(bits) + vop(0), True)
    judge(vop(1), False)
    if tells:
        assert judge(vop(2), False).is_b
    else:
        with pytest.raises(ValueError, match=r"^the header tells no B-frames, and there are some$"):
            judge(vop(2), False)


def show(text: str) -> None:
    """Check the times of pictures, such as "I0 P3 b1", in the order in which they are decoded."""
    order = Order(seeks_by_dts=False, tells_b=True)
    for name in text.split():
        order.require_given_in_order(is_b=name[0] == "b", pts=int(name[1:]))


@pytest.mark.parametrize("text", ["I0 P3 b1 b2 I6 b4 b5 P9", "I5 b3 b4 P8", "I0 P1 P2", "I5 P9 b7"])
def test_times_that_fit_the_order_of_decoding(text: str) -> None:
    show(text)


@pytest.mark.parametrize(
    "text",
    [
        *("b0", "I0 b1", "I0 b0", "I0 P3 b3", "I0 P3 b4", "I0 P3 b0", "I0 P3 b1 I2", "I1 P0", "I0 P0"),
        *("I0 P3 b2 b1", "I5 b4 b3", "I0 P3 b1 b1", "I0 P3 I6 b2"),
    ],
)
def test_times_that_contradict_the_order_of_decoding(text: str) -> None:
    with pytest.raises(DeclinedError, match=f"^{CONTRADICTED}$"):
        show(text)


def test_a_seek_begins_anew() -> None:
    order = Order(seeks_by_dts=True, tells_b=True)
    for time in (9, 5):
        order.require_rising(time)
        order.require_given_in_order(is_b=False, pts=time)
        order.require_given_in_order(is_b=True, pts=time - 1)
        order.begin_anew()


def test_order_of_pictures_is_not_judged_where_b_pictures_are_not_told() -> None:
    order = Order(seeks_by_dts=True, tells_b=False)
    for pts in (0, 3, 1, 2):
        order.require_given_in_order(is_b=False, pts=pts)


def is_as_torchcodec(video: Path, frames: list[int], why: str) -> bool:
    """Whether frames are TorchCodec's, and why it gave them is told."""
    with pytest.warns(FallbackWarning, match=why):
        ours = decode_frames(video, frames)
    return torch.equal(ours, VideoDecoder(video).get_frames_at(frames).data)


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
    expected = VideoDecoder(video).get_frames_at([22, 23, 24])
    assert expected.pts_seconds.tolist() != [0.88, 0.92, 0.96]  # it is not what it was asked for
    assert is_as_torchcodec(video, [22, 23, 24], CONTRADICTED)


def test_a_frame_that_ffmpeg_loses_where_the_aspect_changes(tmp_path: Path) -> None:
    """When TorchCodec comes from before that place, it gives other frames than alone."""
    for name, aspect in (("a", "4/3"), ("b", "16/9")):
        encoding = ("-c:v", "mpeg2video", "-g", "9", "-aspect", aspect)
        make_video(tmp_path / f"{name}.ts", *encoding, frames=20)
    (tmp_path / "parts.txt").write_text("file a.ts\nfile b.ts\n")
    video = tmp_path / "video.mov"
    run_ffmpeg("-f", "concat", "-i", str(tmp_path / "parts.txt"), "-c", "copy", str(video))
    alone, last = VideoDecoder(video).get_frame_at(20), VideoDecoder(video).get_frames_at(list(range(22)))
    assert not torch.equal(alone.data, last.data[20])
    assert is_as_torchcodec(video, list(range(22)), CHANGED)
