"""What a report tells of a video as a whole, and what each way gives for some of its frames."""

import platform
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import av
import torch
from torch import Tensor
from torchcodec import FrameBatch

from exactframes.decoder import VideoDecoder
from exactframes.decoding import decode_frames
from exactframes.errors import DeclinedError
from exactframes.fidelity import FIELDS
from exactframes.media import identify, open_container
from exactframes.source import Source, open_decoder
from exactframes.versions import ffmpeg_versions

PACKAGES = ("exactframes", "torch", "torchcodec", "av", "numpy", "joblib")
FAILURES = (DeclinedError, RuntimeError, ValueError, IndexError, OSError, av.FFmpegError)
Facts = list[tuple[str, Any]]  # a name and what it is


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one way gave for all frames that are asked for."""

    way: str
    frames: Tensor | None = None  # uint8 [N, C, H, W]; None where it gave none
    seconds: Sequence[float] = ()  # when they are shown, as TorchCodec tells
    told: str = ""  # why no packets were left out, or what it raised


def software() -> Facts:
    """All that takes part in decoding, by version; nothing of whose machine it is."""
    theirs = {f"TorchCodec's {name}": told for name, told in ffmpeg_versions().items()}
    own = {f"PyAV's {name}": ".".join(map(str, told)) for name, told in av.library_versions.items()}
    return [
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        *((name, _version(name)) for name in PACKAGES),
        ("instructions that torch uses", torch.backends.cpu.get_cpu_capability()),
        *theirs.items(),
        *own.items(),
    ]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # on PYTHONPATH, and not installed
        return "unknown"


def container_and_stream(source: Source) -> Facts:
    """What a video is, as PyAV and TorchCodec see it; no tag of it, since people write names there.

    Raises:
        av.FFmpegError, OSError: if it cannot be read.
    """
    identity = identify(source.video)
    with open_container(source.video) as container:
        stream: Any = container.streams[source.stream_index]
        context = stream.codec_context
        found = {
            "container": container.format.name,
            "fragmented": source.boxes.is_fragmented,
            "edit list": source.boxes.has_edit_list(source.stream_index),
            "bytes": identity.size,
            "digest of some of its blocks": identity.digest or "none",
            "streams": ", ".join(one.type for one in container.streams),
            "stream decoded": source.stream_index,
            "codec": context.codec.canonical_name,
            "codec tag": repr(context.codec_tag),
            **{name.replace("_", " "): getattr(context, name) for name in FIELDS},
            "color range": context.color_range,
            "shape of pixels": context.sample_aspect_ratio,
            "B-frames": context.has_b_frames,
            "bytes of extradata": len(bytes(context.extradata or b"")),
            "time base": stream.time_base,
            "start": stream.start_time,
            "frames a second by the header": source.fps,
            "frames as TorchCodec's header tells them": source.frames,
        }
    return list(found.items())


def answers(source: Source, wanted: list[int]) -> list[Answer]:
    """What TorchCodec gives for these frames, then what each way of this library gives.

    Args:
        source: the video.
        wanted: frame numbers, none negative.
    """
    return [
        _answer("TorchCodec", _theirs, source, wanted),
        _answer("decode_frames", _at_once, source, wanted),
        _answer("VideoDecoder", _kept, source, wanted),
    ]


def _answer(way: str, decode: Any, source: Source, wanted: list[int]) -> Answer:
    try:
        frames, seconds, told = decode(source, wanted)
    except FAILURES as error:
        return Answer(way=way, told=without_names(f"{type(error).__name__}: {first_line(error)}", source))
    return Answer(way=way, frames=frames, seconds=seconds, told=without_names(told, source))


Given = tuple[Tensor, Sequence[float], str]


def _theirs(source: Source, wanted: list[int]) -> Given:
    batch: FrameBatch = open_decoder(source, 1).get_frames_at(wanted)
    return batch.data, batch.pts_seconds.tolist(), ""


def _at_once(source: Source, wanted: list[int]) -> Given:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        frames = decode_frames(source.video, wanted, seek_mode=source.seek_mode)
    return frames, (), " ".join(first_line(warning.message) for warning in caught)


def _kept(source: Source, wanted: list[int]) -> Given:
    """Without the packets that are not needed, also where it would find TorchCodec's way cheaper."""
    decoder = VideoDecoder(source.video, seek_mode=source.seek_mode)
    index, opened = decoder.index, decoder._here()
    reason = decoder.why_unpruned or ""
    if index is not None:
        try:
            return opened._pruned(index, wanted).data, (), ""
        except FAILURES as error:
            reason = first_line(error)  # then it hands over to TorchCodec, as here
    return decoder.get_frames_at(wanted).data, (), reason


def first_line(error: object) -> str:
    """The first line of a message that is one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def without_names(message: str, source: Source) -> str:
    """A message in which VIDEO stands for the video's path, or its name."""
    for name in filter(None, (str(source.video), source.path.name, source.path.stem)):
        message = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "VIDEO", message)
    return message
