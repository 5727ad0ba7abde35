"""What takes part in decoding, by version: frames are the same only where these are."""

from importlib.metadata import version
from typing import NamedTuple


class Versions(NamedTuple):
    """Of one process."""

    exactframes: str
    torch: str
    torchcodec: str
    ffmpeg: str


def versions() -> Versions:
    """Those of this process.

    Raises:
        ImportError, RuntimeError: if TorchCodec is missing, or does not find FFmpeg.
    """
    ffmpeg = ffmpeg_versions().get("ffmpeg_version", "unknown")
    return Versions(version("exactframes"), version("torch"), version("torchcodec"), ffmpeg)


def ffmpeg_versions() -> dict[str, str]:
    """Of FFmpeg and each of its libraries, by TorchCodec's names for them."""
    # TorchCodec tells only the major version publicly; the same private function is in 0.11 to 0.17.
    from torchcodec._core import get_ffmpeg_library_versions

    libraries = get_ffmpeg_library_versions()
    return {name: v if isinstance(v, str) else ".".join(map(str, v)) for name, v in libraries.items()}
