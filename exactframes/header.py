"""What TorchCodec's decoder says of a video before it has decoded a frame."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torchcodec.decoders

from exactframes.boxes import look_at
from exactframes.index import Index
from exactframes.media import path_of
from exactframes.source import Source, look_of

Theirs = torchcodec.decoders.VideoDecoder


@dataclass(frozen=True)
class Header:
    """A video's header."""

    stream_index: int
    metadata: Any  # torchcodec.decoders.VideoStreamMetadata
    frames: int
    look: tuple[Any, ...]

    @classmethod
    def of(cls, decoder: Theirs) -> "Header":
        """That of the video which is open."""
        return cls(decoder.stream_index, decoder.metadata, len(decoder), look_of(decoder))

    def finds_frames_of(self, index: Index) -> bool:
        """Whether approximate mode finds the same frames as the index, at the same times."""
        return (
            index.regular_fps is not None
            and index.regular_fps == self.metadata.average_fps_from_header
            and self.metadata.begin_stream_seconds == 0
            and self.frames == len(index)
        )

    def completed(self, index: Index) -> Any:
        """The metadata of exact mode, which counts the content."""
        begin, end = index.begin_seconds, index.end_seconds
        return dataclasses.replace(
            self.metadata,
            num_frames_from_content=len(index),
            num_frames=len(index),
            begin_stream_seconds_from_content=begin,
            begin_stream_seconds=begin,
            end_stream_seconds_from_content=end,
            end_stream_seconds=end,
            duration_seconds=end - begin,
            average_fps=len(index) / (end - begin) if end > begin else self.metadata.average_fps,
        )

    def source(self, video: Any, transforms: Any, frames: int) -> Source:
        """The video as a source of so many frames, resized by the only transform, if there is one."""
        height, width = transforms[0].size if transforms else (None, None)
        return Source(
            path=path_of(video) or Path("the video"),
            given=video,
            seek_mode="exact",
            stream_index=self.stream_index,
            width=self.metadata.width or 0,
            height=self.metadata.height or 0,
            fps=self.metadata.average_fps_from_header,
            frames=frames,
            look=self.look,
            boxes=look_at(video),
            size=None if height is None or width is None else (height, width),
        )


# The last header that was read with an index, and the decoder's arguments: a data set opens a video again and
# again with one index, which is compared with the file each time.
_KNOWN: WeakKeyDictionary[Index, tuple[dict[str, Any], Header]] = WeakKeyDictionary()


def known_header(index: Index, arguments: dict[str, Any]) -> Header | None:
    """The header, if it was read in this process with this index and these arguments."""
    before, header = _KNOWN.get(index, (None, None))
    return header if before == _kept(arguments) else None


def remember(index: Index, arguments: dict[str, Any], header: Header) -> None:
    """Keep a header as long as its index lives."""
    _KNOWN[index] = _kept(arguments), header


def _kept(arguments: dict[str, Any]) -> dict[str, Any]:
    return {**arguments, "transforms": tuple(arguments["transforms"] or ())}  # not the caller's own list
