"""Which codecs and containers are taken, and what is told of the others."""

import pytest

from exactframes.errors import DeclinedError
from exactframes.rules.roles import Role
from exactframes.support import TRIED, codec_for, remux

REMEDY = "remux it losslessly, `ffmpeg -fflags +genpts -i {} -map 0:v:0 -c copy {}`, and give that"


def test_a_codec_is_told_how_it_is_cut() -> None:
    h264 = codec_for("h264", "mov", "clip.mp4")
    assert (h264.excerpt, h264.how, h264.prunes) == ("mp4", "nal_ref_idc", True)
    assert not codec_for("vp9", "matroska", "clip.webm").prunes


@pytest.mark.parametrize(("container", "name"), [("mpegts", "MPEG-TS"), ("flv", "FLV"), ("ogg", "Ogg")])
def test_containers_without_exact_seeking_are_told_a_remedy(container: str, name: str) -> None:
    with pytest.raises(DeclinedError) as told:
        codec_for("h264", container, "a.b.ts")
    remedy = f"use seek mode exact, or {REMEDY.format('a.b.ts', 'a.b.mkv')}"
    assert str(told.value) == f"seeking in {name} is not exact: {remedy}"
    codec_for({"ogg": "theora"}.get(container, "h264"), container, "a.b.ts", is_exact=True)


@pytest.mark.parametrize("is_exact", [True, False])
def test_a_container_without_exact_seeking_in_any_mode(is_exact: bool) -> None:
    with pytest.raises(DeclinedError) as told:
        codec_for("mpeg2video", "mpeg", "film.mpg", is_exact=is_exact)
    assert str(told.value) == f"seeking in MPEG-PS is not exact: {REMEDY.format('film.mpg', 'film.mkv')}"


def test_a_name_without_suffix_gets_one() -> None:
    assert remux("clip") == REMEDY.format("clip", "clip.mkv")


def test_codecs_that_nobody_tried_are_declined() -> None:
    with pytest.raises(DeclinedError, match=r"^pruning has not been tried with the codec cinepak$"):
        codec_for("cinepak", "mov", "clip.mov")


def test_containers_that_nobody_tried_are_declined() -> None:
    with pytest.raises(DeclinedError, match=r"^pruning has not been tried with h264 in nut$"):
        codec_for("h264", "nut", "clip.nut")


@pytest.mark.parametrize("codec", ["mjpeg", "prores", "dnxhd", "utvideo"])
def test_intra_only_codecs_keep_just_the_requested_frames(codec: str) -> None:
    tried = TRIED[codec]
    assert tried.make_rule(b"")(b"", False) == Role(needed=False, starts=True)
    assert (tried.prunes, tried.reorders) == (True, False)


@pytest.mark.parametrize("codec", ["vp9", "theora", "ffv1"])
def test_other_codecs_keep_gops_whole(codec: str) -> None:
    judge = TRIED[codec].make_rule(b"")
    assert judge(b"", True) == Role(needed=True, starts=True, leads=True)
    assert judge(b"", False) == Role(needed=True)
    assert not TRIED[codec].prunes


def test_only_some_rules_tell_b_pictures() -> None:
    assert {name for name, codec in TRIED.items() if codec.tells_b} == {"mpeg4", "mpeg2video"}


def test_what_of_the_extradata_a_decoder_reads() -> None:
    assert TRIED["vp9"].parameter_sets(b"abc") == b"abc"
    assert TRIED["dnxhd"].parameter_sets(b"abc") is None
    assert TRIED["h264"].parameter_sets(b"\0\0\1\x67a\0\0\1\x06b") == {b"\x67a"}
    assert TRIED["hevc"].parameter_sets(b"\0\0\1\x42\1\0\0\1\x4e\1") == {b"\x42\1"}


def test_only_some_codecs_have_variants_that_the_tag_tells() -> None:
    assert {name for name, codec in TRIED.items() if codec.tag_tells} == {"prores", "utvideo"}


def test_only_some_codecs_show_frames_in_another_order() -> None:
    reordering = {name for name, codec in TRIED.items() if codec.reorders}
    assert reordering == {"h264", "hevc", "mpeg4", "mpeg2video"}
