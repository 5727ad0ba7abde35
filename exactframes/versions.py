"""Versions of all that takes part in decoding: frames are sure to be the same only if these are."""

from importlib.metadata import version
from typing import NamedTuple


class Versions(NamedTuple):
    """The versions in one process."""

    exactframes: str
    torch: str
    torchcodec: str
    ffmpeg: str


def versions() -> Versions:
    """The versions in this process.

    Raises:
        ImportError, RuntimeError: if TorchCodec is missing, or does not find FFmpeg.
    """
    ffmpeg = ffmpeg_versions().get("ffmpeg_version", "unknown")
    return Versions(version("exactframes"), version("torch"), version("torchcodec"), ffmpeg)


def ffmpeg_versions() -> dict[str, str]:
    """The versions of FFmpeg and each of its libraries, by TorchCodec's names for them."""
    # TorchCodec publishes only the major version; the same private function is in 0.11 to 0.17.
    from torchcodec._core import get_ffmpeg_library_versions

    libraries = get_ffmpeg_library_versions()
    return {name: v if isinstance(v, str) else ".".join(map(str, v)) for name, v in libraries.items()}
