"""What the boxes of an MP4 or MOV file say and FFmpeg's demuxer does not pass on (ISO/IEC 14496-12)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from exactframes.media import opened


@dataclass(frozen=True)
class Boxes:
    """The boxes of one file; the defaults stand for a file of another kind."""

    is_fragmented: bool = False  # it has movie fragments: boxes "moof" (8.8.4)
    edit_lists: tuple[bool, ...] = ()  # of each track, in their order: whether it has one (8.6.6)

    def has_edit_list(self, stream_index: int) -> bool:
        """Whether a stream has an edit list, by which FFmpeg shifts its times."""
        known = stream_index < len(self.edit_lists) and not self.is_fragmented
        return known and self.edit_lists[stream_index]


def look_at(video: Any) -> Boxes:
    """Read the boxes at the top of a file and those of its tracks; damaged content raises no error."""
    try:
        with opened(video) as file:
            return _read(file)
    except (OSError, ValueError, OverflowError):
        return Boxes()


def _read(file: Any) -> Boxes:
    edit_lists = []
    for kind, start, stop in _boxes(file, 0, file.seek(0, 2)):
        if kind == b"moof":
            return Boxes(is_fragmented=True)
        if kind != b"moov":
            continue
        for track, first, last in _boxes(file, start, stop):
            if track == b"trak":
                edits = [bounds for inner, *bounds in _boxes(file, first, last) if inner == b"edts"]
                edit_lists.append(any(inner == b"elst" for a, b in edits for inner, *_ in _boxes(file, a, b)))
    return Boxes(edit_lists=tuple(edit_lists))


def _boxes(file: Any, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The kind of each box (4.2), and where its content begins and ends."""
    while position + 8 <= end:
        file.seek(position)
        header = file.read(16)
        size, kind, start = int.from_bytes(header[:4], "big"), header[4:8], position + 8
        if size == 1:  # a 64-bit size follows
            size, start = int.from_bytes(header[8:], "big"), position + 16
        stop = end if size == 0 else position + size
        if stop < start:
            return
        yield kind, start, min(stop, end)
        position = stop
