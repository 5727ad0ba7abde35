"""Cuts runs out of a file that stays open, a decoder for each. Used if TorchCodec has no low-level API."""

from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import av

from exactframes.errors import DeclinedError, WrongFrameError
from exactframes.excerpt import Decoding, Excerpt, cut
from exactframes.fidelity import parameters, require_same
from exactframes.gops import Packet
from exactframes.index import Index
from exactframes.media import open_container
from exactframes.output import Batch
from exactframes.plan import Run
from exactframes.source import Source
from exactframes.support import MKV, MOV, codec_for

STATES_TIMES = (MOV, MKV)  # containers that state each packet's pts: no decoder is needed to work it out


@dataclass(frozen=True)
class _Compared:
    """What is known of a file, once an excerpt was compared with it: all others are made in the same way."""

    expected: dict[str, Any]  # what its excerpts must keep
    is_header_enough: bool | None  # to cut them: FFmpeg need not decode to open the file; None: not tried


# An index outlives the decoders of a data set with more videos than can be kept open.
_COMPARED: WeakKeyDictionary[Index, _Compared] = WeakKeyDictionary()


class Cutting:
    """Excerpts of one video, one run after the other."""

    def __init__(self, source: Source, index: Index, ffmpeg_threads: int) -> None:
        """Open the file.

        Raises:
            av.FFmpegError, OSError: if PyAV cannot open it.
        """
        self._source, self._index, self._threads = source, index, ffmpeg_threads
        known = _COMPARED.get(index)
        self._open(decodes=known is None or known.is_header_enough is False)

    def _open(self, *, decodes: bool) -> None:
        self._decodes = decodes
        self._container = open_container(self._source.video, decodes=decodes)
        stream: Any = self._container.streams[self._index.stream_index]
        self._stream = stream
        self._demuxer = self._container.format.name.partition(",")[0]
        codec, name = self._stream.codec_context.codec.canonical_name, self._source.path.name
        self._codec = codec_for(codec, self._demuxer, name, is_exact=True)

    def write(self, run: Run, batch: Batch) -> None:
        """Decode a run's packets, and write its frames into the batch.

        Raises:
            DeclinedError: if the excerpt does not keep what it must.
            WrongFrameError: if the file differs from its index, or a frame is not as planned.
        """
        task = Decoding(self._checked(run), self._threads)
        index = self._index
        numbers = {packet.pts: packet.data.number for packet in run.packets}
        shown = [numbers[request.pts] for request in sorted(run.requests)]
        times, durations = index.seconds(index.pts[shown]), index.seconds(index.duration[shown])
        batch.put_all(task, times.tolist(), durations.tolist())

    def _checked(self, run: Run) -> Excerpt:
        """Cut an excerpt; the first of a file is compared with it, and the first by the header alone, too."""
        known = _COMPARED.get(self._index)
        if known is None:
            return self._first(run)
        if self._decodes or known.is_header_enough:
            return self._cut(run)
        try:
            excerpt = self._cut(run)
            require_same(known.expected, excerpt.data)
        except (DeclinedError, WrongFrameError):
            _COMPARED[self._index] = replace(known, is_header_enough=False)
            self._open(decodes=True)
            return self._cut(run)
        _COMPARED[self._index] = replace(known, is_header_enough=True)
        return excerpt

    def _first(self, run: Run) -> Excerpt:
        excerpt, expected = self._cut(run), parameters(self._stream)
        require_same(expected, excerpt.data)
        _COMPARED[self._index] = _Compared(expected, None if self._demuxer in STATES_TIMES else False)
        return excerpt

    def _cut(self, run: Run) -> Excerpt:
        try:
            return cut(self._stream, self._codec, self._read(run), self._source)
        except (av.FFmpegError, ValueError) as error:
            raise DeclinedError(str(error)) from error

    def _read(self, run: Run) -> Run:
        """Return the run with the content of its packets."""
        self._container.seek(run.packets[0].pts, stream=self._stream)
        read = self._collect(run)
        if read is None:  # the seek led elsewhere
            self._container.seek(0, stream=self._stream)
            read = self._collect(run)
        if read is None:
            raise WrongFrameError("a packet is not where it was when the file was read")
        return read

    def _collect(self, run: Run) -> Run | None:
        """Read on to the run's first packet, and from there to its last; None if they do not come."""
        index, chosen = self._index, {packet.data.number: packet for packet in run.packets}
        number, last = run.packets[0].data.number, run.packets[-1].data.number
        pts, size = index.pts[number : last + 1].tolist(), index.size[number : last + 1].tolist()
        found: list[Packet] = []
        place = 0
        for data in self._container.demux(self._stream):
            if not data.size:
                continue
            if (data.pts, data.size) != (pts[place], size[place]):
                if place or (data.pts is not None and data.pts > run.packets[0].pts and data.is_keyframe):
                    return None
                continue
            packet = chosen.get(number + place)
            if packet is not None:
                found.append(packet._replace(data=data))
            place += 1
            if place == len(pts):
                return Run(found, run.requests, run.size)
        return None
