"""What an excerpt must keep of its source, on streams that are made up and on small files."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest

from exactframes.errors import DeclinedError
from exactframes.fidelity import FIELDS, parameters, require_same
from fixtures.testing.corpus import make_video


def told(codec: str = "h264", *, intra_only: bool = False, **context: Any) -> dict[str, Any]:
    """The parameters of a stream that differs so from a usual one."""
    usual: dict[str, Any] = dict.fromkeys(FIELDS, 1) | {
        "color_range": 1,
        "sample_aspect_ratio": None,
        "extradata": None,
        "codec_tag": "abcd",
        "field_order": 0,
    }
    names = SimpleNamespace(canonical_name=codec, intra_only=intra_only)
    return parameters(stream_of(**(usual | context), codec=names))


def stream_of(**context: Any) -> Any:
    """A stream of which PyAV tells this."""
    return SimpleNamespace(codec_context=SimpleNamespace(**context))


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_is_kept(field: str) -> None:
    other: dict[str, Any] = {field: 2}
    assert {key for key, value in told(**other).items() if value != told()[key]} == {field}


@pytest.mark.parametrize(
    ("given", "alike"),
    [
        ({"color_range": 0}, True),  # unspecified counts as limited
        ({"color_range": 2}, False),
        ({"sample_aspect_ratio": Fraction(1)}, True),
        ({"sample_aspect_ratio": Fraction(0)}, True),
        ({"sample_aspect_ratio": Fraction(4, 3)}, False),
        ({"extradata": b""}, True),
        ({"extradata": b"\0\0\1\x67a"}, False),
        ({"codec_tag": "efgh"}, True),  # containers have their own
        ({"field_order": 2}, True),  # pictures tell it
    ],
    ids=str,
)
def test_what_differs_counts_unless_containers_tell_it_in_their_own_way(
    given: dict[str, Any], alike: bool
) -> None:
    assert (told(**given) == told()) == alike


def test_the_codec_tag_counts_where_it_tells_a_variant() -> None:
    assert told("prores", codec_tag="ap4h") != told("prores", codec_tag="apch")


@pytest.mark.parametrize(("order", "alike"), [(0, True), (1, True), (2, False), (5, False)])
def test_the_field_order_counts_in_intra_only_codecs(order: int, alike: bool) -> None:
    interlaced, usual = (told("mjpeg", intra_only=True, field_order=given) for given in (order, 1))
    assert (interlaced == usual) == alike


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("fidelity") / "video.mp4", "-c:v", "mpeg4", frames=2)


def test_an_excerpt_that_keeps_all_passes(video: Path) -> None:
    with av.open(str(video)) as container:
        expected = parameters(container.streams.video[0])
    require_same(expected, video.read_bytes())
    for field in expected:
        words = field.replace("_", " ")
        with pytest.raises(DeclinedError, match=f"^an excerpt does not keep the video's {words}$"):
            require_same(expected | {field: "other"}, video.read_bytes())


# RIFF WAVE, mono, 8 bits: one sample
SOUND = b"RIFF%\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\1\0\0\0\x80"


@pytest.mark.parametrize("what", ["no file", "no video", "a codec that nobody tried"])
def test_an_excerpt_that_cannot_be_read_back(what: str, tmp_path: Path) -> None:
    excerpt = b"none" if what == "no file" else SOUND
    if what == "a codec that nobody tried":
        excerpt = make_video(tmp_path / "video.mkv", "-c:v", "huffyuv", frames=1).read_bytes()
    with pytest.raises(DeclinedError, match=r"^an excerpt cannot be read back: "):
        require_same({}, excerpt)


def test_a_field_order_that_pyav_does_not_tell_is_not_guessed() -> None:
    told_of_prores = dict.fromkeys(FIELDS, 1) | {"color_range": 1, "codec_tag": "ap4h", "extradata": None}
    names = SimpleNamespace(canonical_name="prores", intra_only=True)
    with pytest.raises(DeclinedError, match="from version 18 on"):
        parameters(stream_of(**told_of_prores, sample_aspect_ratio=None, codec=names))
