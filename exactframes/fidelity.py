"""What an excerpt could lose of its source: all that decides how frames look is compared here."""

import io
from typing import Any

import av
from av.video.stream import VideoStream

from exactframes.errors import DeclinedError
from exactframes.support import TRIED

FULL_RANGE = 2  # AVCOL_RANGE_JPEG
NOT_INTERLACED = {0, 1}  # AV_FIELD_UNKNOWN, AV_FIELD_PROGRESSIVE

# Read by FFmpeg's decoders (codec tag, extradata, profile, size, pixel format with alpha, field order) or by
# the conversion to RGB (colours, shape of pixels).
FIELDS = (
    "profile", "pix_fmt", "width", "height", "colorspace", "color_primaries", "color_trc",
)  # fmt: skip


def parameters(stream: VideoStream) -> dict[str, Any]:
    """A stream's codec parameters, as PyAV finds them.

    What each container states in its own way is left out: the codec tag, unless it names a variant; and the
    field order, since all decoders but those of intra-only codecs read it in the pictures themselves.

    Raises:
        DeclinedError: if the codec is intra-only, and this version of PyAV does not tell the field order.
    """
    context = stream.codec_context
    codec = TRIED[context.codec.canonical_name]
    found = {field: getattr(context, field) for field in FIELDS}
    found["color range"] = int(context.color_range) == FULL_RANGE  # unspecified counts as limited
    ratio = context.sample_aspect_ratio
    found["sample aspect ratio"] = ratio if ratio and ratio != 1 else None
    found["parameter sets"] = codec.parameter_sets(bytes(context.extradata or b""))
    if codec.tag_tells:
        found["codec tag"] = context.codec_tag
    if context.codec.intra_only:
        if not hasattr(context, "field_order"):
            raise DeclinedError(
                "PyAV tells the field order of intra-only video from version 18 on: "
                "install that, with Python 3.11 or newer"
            )
        order = context.field_order
        found["field order"] = None if order in NOT_INTERLACED else order
    return found


def require_same(expected: dict[str, Any], excerpt: bytes) -> None:
    """Compare an excerpt's parameters with its source's.

    Raises:
        DeclinedError: if one differs; the message names the first.
    """
    try:
        with av.open(io.BytesIO(excerpt)) as container:
            found = parameters(container.streams.video[0])
    except (av.FFmpegError, IndexError, KeyError) as error:
        raise DeclinedError(f"an excerpt cannot be read back: {error}") from error
    for field, value in expected.items():
        if found[field] != value:
            raise DeclinedError(f"an excerpt does not keep the video's {field.replace('_', ' ')}")
