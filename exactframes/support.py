"""What has been tried: which codec in which container is cut how. All else is decoded unpruned."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from exactframes.errors import DeclinedError
from exactframes.rules import av1, h264, hevc, mpeg
from exactframes.rules.roles import Rule, every_frame_alone, whole_gops

MOV, MKV, AVI = "mov", "matroska", "avi"  # FFmpeg's demuxers by their first name: MP4 is MOV, WebM is MKV
ASF, OGG, FLV, TS, PS = "asf", "ogg", "flv", "mpegts", "mpeg"

KEPT_WHOLE = "all packets of the GOPs that hold a request are kept"
ALONE = "just the requested frames"
HEVC_RULE = "sub-layer non-reference NAL units"


@dataclass(frozen=True)
class Codec:
    """How packets of one codec are judged and cut."""

    containers: tuple[str, ...]  # in which it has been tried
    excerpt: str  # FFmpeg's muxer for excerpts; it must take the codec, and give back what it was given
    make_rule: Callable[[bytes], Rule] = lambda _extradata: whole_gops
    how: str = KEPT_WHOLE  # the words in which a report says what is dropped
    reorders: bool = True  # frames may be shown in another order than they are decoded in
    tag_tells: bool = False  # whether the container's codec tag names a variant of the codec
    parameter_sets: Callable[[bytes], Any] = bytes  # the part of the extradata that a decoder reads
    tells_b: bool = False  # whether the rule tells B-pictures, and no picture refers to one

    @property
    def prunes(self) -> bool:
        """Whether packets between the requested ones can be dropped."""
        return self.how != KEPT_WHOLE


def _intra(containers: tuple[str, ...], excerpt: str, *, tag_tells: bool = False) -> Codec:
    rule = every_frame_alone
    return Codec(containers, excerpt, lambda _extradata: rule, ALONE, reorders=False, tag_tells=tag_tells)


# The keys are FFmpeg's names. The corpus (fixtures/testing/corpus.py, in the repository) has all.
TRIED = {
    "h264": Codec(
        (MOV, MKV, AVI, FLV, TS), "mp4", h264.rule, "nal_ref_idc", parameter_sets=h264.parameter_sets
    ),
    "hevc": Codec((MOV, MKV, TS), "mp4", hevc.rule, HEVC_RULE, parameter_sets=hevc.parameter_sets),
    "av1": Codec((MOV, MKV), "mp4", av1.rule, "refresh_frame_flags", reorders=False),
    "vp9": Codec((MKV, MOV), "mp4", reorders=False),
    "vp8": Codec((MKV,), "nut", reorders=False),
    "mpeg4": Codec((MOV, MKV, AVI), "mp4", mpeg.mpeg4_rule, tells_b=True),
    "mpeg2video": Codec((MKV, MOV), "mp4", mpeg.mpeg2_rule, tells_b=True),
    "theora": Codec((MKV, OGG), "nut", reorders=False),
    "wmv2": Codec((ASF, MKV), "nut", reorders=False),
    "flv1": Codec((MKV, FLV), "nut", reorders=False),
    "ffv1": Codec((MKV,), "nut", reorders=False),
    "mjpeg": _intra((MKV, AVI, MOV), "nut"),
    "prores": _intra((MOV, MKV), "mov", tag_tells=True),
    "dnxhd": replace(_intra((MOV, MKV), "mov"), parameter_sets=lambda _extradata: None),
    "utvideo": _intra((AVI, MKV), "nut", tag_tells=True),
}

INEXACT = {TS: "MPEG-TS", PS: "MPEG-PS", FLV: "FLV", OGG: "Ogg"}


def remux(name: str) -> str:
    """The remedy if only the container is in the way."""
    stem = name.rpartition(".")[0] or name
    command = f"ffmpeg -fflags +genpts -i {name} -map 0:v:0 -c copy {stem}.mkv"
    return f"remux it losslessly, `{command}`, and give that"


def codec_for(codec: str, container: str, name: str, *, is_exact: bool = False) -> Codec:
    """How to treat a codec in a container.

    Args:
        codec: FFmpeg's name, such as "h264".
        container: the first name of FFmpeg's demuxer, such as "mov".
        name: the file's, for the remedy.
        is_exact: whether TorchCodec knows all keyframes when it seeks.

    Raises:
        DeclinedError: if it has not been tried; the message gives a remedy if there is one.
    """
    if container in INEXACT and not (is_exact and container != PS):
        instead = remux(name) if container == PS else f"use seek mode exact, or {remux(name)}"
        raise DeclinedError(f"seeking in {INEXACT[container]} is not exact: {instead}")
    tried = TRIED.get(codec)
    if tried is None:
        raise DeclinedError(f"pruning has not been tried with the codec {codec}")
    if container not in tried.containers:
        raise DeclinedError(f"pruning has not been tried with {codec} in {container}")
    return tried
