"""The order of pictures by headers that are made bit by bit; and files whose containers state another."""

from pathlib import Path
from typing import Any

import av
import pytest
import torch
from torchcodec.decoders import VideoDecoder

from exactframes import FallbackWarning, decode_frames
from exactframes import VideoDecoder as ExactVideoDecoder
from exactframes.rules import h264, hevc
from exactframes.rules.picture_order import PERIOD_BITS
from exactframes.rules.roles import Ordered
from exactframes.tests.made_h264 import DELIMITER, IDR, avcc, nal, picture, sequence
from exactframes.tests.made_nal import bits, coded, golomb, sized
from exactframes.tests.test_hevc import CRA, PPS, TRAIL_R, hvcc
from exactframes.tests.test_hevc import SPS as HEVC_SPS
from exactframes.tests.test_hevc import nal as hevc_nal
from fixtures.ffmpeg import run_ffmpeg
from fixtures.testing.corpus import make_video

DISPOSABLE_LEADING, DISPOSABLE = 8, 0  # RASL_N, TRAIL_N


def counts(*packets: bytes, sets: bytes = sequence()) -> list[int]:
    """The counts of pictures of H.264, which are in one period."""
    rule = h264.rule(avcc([sets], []))
    assert isinstance(rule, Ordered)
    return numbers(rule.picture_orders(map(sized, packets)))


def numbers(orders: list[int]) -> list[int]:
    """The counts, without the period that they all have in common."""
    period = round(orders[0] / 2**PERIOD_BITS)
    return [order - (period << PERIOD_BITS) for order in orders]


def of(*orders: int, order_bits: int = 8, first: int = IDR, field: str = "") -> list[bytes]:
    """Pictures of these orders, of which the first is an IDR picture."""
    kinds = [first, *[1] * (len(orders) - 1)]
    return [
        picture(order, kind, order_bits=order_bits, field=field)
        for order, kind in zip(orders, kinds, strict=True)
    ]


@pytest.mark.parametrize("order_bits", [4, 8, 16])
def test_counts_are_completed_from_those_before(order_bits: int) -> None:
    step = (1 << order_bits) // 2 - 1
    orders = [0, step, step - 1, 2 * step - 1, 2 * step - 2, 3 * step - 2, 4 * step - 2, 4 * step - 3]
    assert counts(*of(*orders, order_bits=order_bits), sets=sequence(order_bits=order_bits)) == orders


def test_no_count_is_completed_from_a_picture_that_nothing_refers_to() -> None:
    pictures = [picture(0, IDR, order_bits=4), picture(6, order_bits=4), picture(7, ref_idc=0, order_bits=4)]
    assert counts(*pictures, picture(14, order_bits=4), sets=sequence(order_bits=4)) == [0, 6, 7, 14]


def test_pictures_before_a_recovery_point_count_less() -> None:
    assert counts(*of(4, 2, 0, 250, 8, first=1)) == [4, 2, 0, -6, 8]


def test_each_idr_picture_begins_a_period() -> None:
    rule = h264.rule(avcc([sequence()], []))
    assert isinstance(rule, Ordered)
    packets = [sized(nal(DELIMITER), unit) for unit in (*of(0, 100, 50), *of(0, 2))]
    orders = rule.picture_orders(packets)
    assert (numbers(orders[:3]), numbers(orders[3:])) == ([0, 100, 50], [0, 2])
    assert orders[1] < orders[3]


@pytest.mark.parametrize("field", ["0", "10", "11"], ids=["frame", "top field", "bottom field"])
def test_pictures_that_may_be_fields(field: str) -> None:
    assert counts(*of(0, 12, 8, field=field), sets=sequence(has_fields=True)) == [0, 12, 8]


def test_an_order_that_is_that_of_decoding() -> None:
    assert counts(nal(IDR, 1), nal(1, 1), nal(1), sets=sequence(order_type=2)) == [0, 1, 2]


def test_start_codes_and_parameters_in_band() -> None:
    rule = h264.rule(b"")
    assert isinstance(rule, Ordered)
    packets = [coded(sequence(), unit) for unit in of(0, 4, 2)]
    assert [rule(packet, False).has_parameters for packet in packets] == [True] * 3
    assert numbers(rule.picture_orders(packets)) == [0, 4, 2]


@pytest.mark.parametrize(
    ("sets", "reason"),
    [
        ([sequence(order_type=1)], "has not been tried"),
        ([sequence(), sequence(order_bits=9)], "the codec's parameters change"),
        ([], "the codec's parameters are missing"),
        ([sequence()[:5]], "a header ends early"),
    ],
)
def test_orders_that_are_not_known(sets: list[bytes], reason: str) -> None:
    rule = h264.rule(avcc(sets, []))
    assert isinstance(rule, Ordered)
    with pytest.raises(ValueError, match=reason):
        rule.picture_orders([sized(*of(0))])


def test_a_packet_without_a_picture_has_no_order() -> None:
    rules = {h264.rule(avcc([sequence()], [])): nal(DELIMITER), hevc.rule(hevc_sets()): hevc_nal(35)}
    for rule, delimiter in rules.items():
        assert isinstance(rule, Ordered)
        for unit in (b"", delimiter):
            with pytest.raises(ValueError, match="holds no picture"):
                rule.picture_orders([sized(unit)])


# --- HEVC ---


def hevc_sets(output: int = 0, extra: int = 0) -> bytes:
    """The parameter sets in hvcC (7.3.2.2.1, 7.3.2.3.1), with 8 bits for the order, and a delay of 2."""
    size = f"{golomb(96)}{golomb(64)}0{golomb(0)}{golomb(0)}{golomb(4)}0{golomb(4)}{golomb(2)}{golomb(0)}1"
    sps = hevc_nal(HEVC_SPS, payload=bits(f"{0:04b}0001" + "1" * 96 + golomb(0) + golomb(1) + size))
    pps = hevc_nal(PPS, payload=bits(f"{golomb(0)}{golomb(0)}0{output}{extra:03b}1"))
    return hvcc([sps], [pps])


def hevc_picture(
    order: int, kind: int = TRAIL_R, *, temporal: int = 0, extra: str = "", output: str = ""
) -> bytes:
    """The first fields of a slice (7.3.6.1), up to its picture's order."""
    prior = "0" * (16 <= kind < 24)
    text = f"1{prior}{golomb(0)}{extra}{golomb(1)}{output}{order % 256:08b}1"
    return sized(hevc_nal(kind, temporal=temporal, payload=bits(text)))


def hevc_counts(*packets: bytes, sets: bytes) -> list[int]:
    rule = hevc.rule(sets)
    assert isinstance(rule, Ordered)
    return numbers(rule.picture_orders(packets))


def test_hevc_completes_counts_from_the_lowest_layer() -> None:
    pictures = [
        hevc_picture(10, CRA),
        hevc_picture(7, DISPOSABLE_LEADING),
        hevc_picture(130),
        hevc_picture(250, temporal=1),  # were the next one completed from it, or from one of the next two ...
        hevc_picture(249, DISPOSABLE),
        hevc_picture(248, DISPOSABLE_LEADING),
        hevc_picture(120),  # ... it would be 376
    ]
    assert hevc_counts(*pictures, sets=hevc_sets()) == [10, 7, 130, 250, 249, 248, 120]


@pytest.mark.parametrize(("output", "extra"), [(1, 0), (0, 2)])
def test_hevc_fields_before_the_order(output: int, extra: int) -> None:
    fields: dict[str, Any] = {"extra": "1" * extra, "output": "1" * output}
    pictures = [hevc_picture(3, CRA, **fields), hevc_picture(90, **fields), hevc_picture(50, **fields)]
    assert hevc_counts(*pictures, sets=hevc_sets(output, extra)) == [3, 90, 50]


def test_hevc_states_its_delay() -> None:
    rule = hevc.rule(hevc_sets())
    assert isinstance(rule, Ordered)
    assert rule.delay() == 2


def test_hevc_pictures_that_are_not_to_be_shown() -> None:
    with pytest.raises(ValueError, match="a picture is not to be shown"):
        hevc_counts(hevc_picture(9, output="0"), sets=hevc_sets(output=1))


def test_hevc_pictures_that_are_discarded() -> None:
    packet = sized(hevc_nal(20, payload=bits("11" + golomb(0))))  # no_output_of_prior_pics_flag
    with pytest.raises(ValueError, match="pictures are discarded before they are shown"):
        hevc.rule(hevc_sets())(packet, True)


@pytest.mark.parametrize("delay", [0, 3, None])
def test_h264_states_its_delay(delay: int | None) -> None:
    rule = h264.rule(avcc([sequence(delay=delay)], []))
    assert isinstance(rule, Ordered)
    assert rule.delay() == delay


@pytest.mark.parametrize(
    "more", ["", ":nal-hrd=vbr:vbv-maxrate=300:vbv-bufsize=300", ":videoformat=pal:chromaloc=1"]
)
def test_what_x264_states_is_what_it_does(more: str, tmp_path: Path) -> None:
    ways = f"bframes=3:b-adapt=0:b-pyramid=normal:keyint=20{more}"
    video = make_video(tmp_path / "video.mkv", "-c:v", "libx264", "-x264-params", ways)
    assert torch.equal(decode_frames(video, [13, 44]), VideoDecoder(video).get_frames_at([13, 44]).data)
    with av.open(video) as container:
        rule = h264.rule(bytes(container.streams.video[0].codec_context.extradata or b""))
    assert isinstance(rule, Ordered)
    assert rule.delay() == 2


# --- Files ---


def rewritten(video: Path, target: Path, swapped: tuple[int, int]) -> Path:
    """The same packets, of which two have changed their times."""
    with av.open(video) as container, av.open(target, "w") as output:
        stream = output.add_stream_from_template(container.streams.video[0])
        packets = [packet for packet in container.demux(video=0) if packet.size]
        one, other = (packets[place] for place in swapped)
        one.pts, other.pts = other.pts, one.pts
        for packet in packets:
            packet.stream = stream
            output.mux(packet)
    return target


def is_declined(video: Path, frames: list[int], reason: str) -> bool:
    """Whether frames are declined for this reason, and TorchCodec's are given."""
    with pytest.warns(FallbackWarning, match=reason):
        given = decode_frames(video, frames, workers=2)
    return torch.equal(given, VideoDecoder(video).get_frames_at(frames).data)


X265 = ("-c:v", "libx265", "-x265-params", "log-level=none:keyint=20:bframes=3:b-adapt=0")


@pytest.mark.parametrize(
    "encoding", [("-c:v", "libx264", "-g", "20", "-bf", "3", "-b_strategy", "0"), X265], ids=["h264", "hevc"]
)
def test_times_that_contradict_the_order_of_pictures(encoding: tuple[str, ...], tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.mkv", *encoding)
    with av.open(whole) as container:
        shown = [packet.pts or 0 for packet in container.demux(video=0) if packet.size]
    swapped = (shown.index(sorted(shown)[26]), shown.index(sorted(shown)[27]))
    video = rewritten(whole, tmp_path / "video.mkv", swapped)
    contradicted = "the presentation times contradict the order of the pictures"
    assert is_declined(video, [24, 25, 28], contradicted)
    ours = ExactVideoDecoder(video)
    assert (ours.index, ours.why_unpruned) == (None, contradicted)
    frames = [2, 15, 45, 70]  # of other GOPs
    assert torch.equal(decode_frames(video, frames), VideoDecoder(video).get_frames_at(frames).data)


def test_colours_that_change_within_h264(tmp_path: Path) -> None:
    ways = ("", ":fullrange=on:colormatrix=bt709", "")
    encoding = [("-c:v", "libx264", "-x264-params", f"keyint=20:repeat-headers=1{way}") for way in ways]
    parts = [make_video(tmp_path / f"{n}.ts", *one, frames=40) for n, one in enumerate(encoding)]
    video, joined = tmp_path / "video.mkv", "|".join(map(str, parts))
    run_ffmpeg("-i", f"concat:{joined}", "-map", "0:v", "-c", "copy", str(video))
    assert is_declined(video, [5, 45, 85, 110], "the codec's parameters change within the file")


@pytest.mark.parametrize(
    ("build", "options", "is_old"),
    [(148, ("-qp", "0"), True), (151, ("-qp", "0"), False), (148, (), False), (33, (), True)],
)
def test_what_ffmpeg_decodes_by_the_version_of_x264(
    build: int, options: tuple[str, ...], is_old: bool, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "video.mp4", "-c:v", "libx264", "-g", "20", *options)
    content = video.read_bytes()
    place = content.index(b"x264 - core ") + len(b"x264 - core ")
    video.write_bytes(content[:place] + f"{build:03d}".encode() + content[place + 3 :])
    frames = [0, 25, 30, 65]
    if is_old:
        assert is_declined(video, frames, "FFmpeg decodes what this old x264 has made by its version")
    else:
        assert torch.equal(decode_frames(video, frames), VideoDecoder(video).get_frames_at(frames).data)
