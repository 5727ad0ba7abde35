"""TorchCodec's VideoDecoder: exact, approximate, with mappings, and with FFmpeg's own threads."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torchcodec.decoders import VideoDecoder
from torchcodec.transforms import Resize

from benchmarks.ways.given import Given, Memory
from fixtures.request_videos import mapping_of
from fixtures.requests import Request


@dataclass(frozen=True)
class Kept:
    """An open decoder; closed when nothing refers to it any more."""

    decoder: Any

    def frames(self, request: Request) -> Tensor:
        """By numbers or by times."""
        return ask(self.decoder, request)

    def close(self) -> None:
        """Nothing is remembered."""


def ask(decoder: Any, request: Request) -> Tensor:
    """The frames of a request from TorchCodec's decoder, or from one like it."""
    if request.indices:
        frames: Tensor = decoder.get_frames_at(list(request.indices)).data
    else:
        frames = decoder.get_frames_played_at(list(request.seconds)).data
    return frames


def options(given: Given) -> dict[str, Any]:
    """What every decoder of this video is told."""
    return {"transforms": [] if given.size is None else [Resize(given.size)]}


def exact(given: Given, _memory: Memory) -> Kept:
    """Exact mode: the file's packets are counted on opening."""
    return Kept(VideoDecoder(given.source, seek_mode="exact", **options(given)))


def approximate(given: Given, _memory: Memory) -> Kept:
    """Approximate mode: the header is trusted."""
    return Kept(VideoDecoder(given.source, seek_mode="approximate", **options(given)))


def mapped(given: Given, memory: Memory) -> Kept:
    """Exact mode, told where the frames are: they are listed once, and remembered while it is closed."""
    if "mapping" not in memory:
        memory["mapping"] = mapping_of(given.video)
    mapping = memory["mapping"]
    return Kept(
        VideoDecoder(given.source, seek_mode="exact", custom_frame_mappings=mapping, **options(given))
    )


def with_ffmpeg_threads(given: Given, _memory: Memory) -> Kept:
    """Exact mode with as many FFmpeg threads as FFmpeg likes."""
    return Kept(VideoDecoder(given.source, seek_mode="exact", num_ffmpeg_threads=0, **options(given)))
