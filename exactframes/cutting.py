"""Cuts runs out of a file that stays open, a decoder for each. Used if TorchCodec has no low-level API."""

from typing import Any
from weakref import WeakSet

import av

from exactframes.errors import DeclinedError, WrongFrameError
from exactframes.excerpt import Decoding, cut
from exactframes.fidelity import parameters, require_same
from exactframes.gops import Packet
from exactframes.index import Index
from exactframes.media import open_container
from exactframes.output import Batch
from exactframes.plan import Run
from exactframes.source import Source
from exactframes.support import codec_for

# Indices of files of which an excerpt was compared with its source: all others are made in the same way. An
# index outlives the decoders of a data set with more videos than can be kept open.
_COMPARED: WeakSet[Index] = WeakSet()


class Cutting:
    """Excerpts of one video, one run after the other."""

    def __init__(self, source: Source, index: Index, ffmpeg_threads: int) -> None:
        """Open the file.

        Raises:
            av.FFmpegError, OSError: if PyAV cannot open it.
        """
        self._source, self._index, self._threads = source, index, ffmpeg_threads
        self._container = open_container(source.video)
        stream: Any = self._container.streams[index.stream_index]
        self._stream = stream
        name = self._container.format.name.partition(",")[0]
        self._codec = codec_for(
            self._stream.codec_context.codec.canonical_name, name, source.path.name, is_exact=True
        )

    def write(self, run: Run, batch: Batch) -> None:
        """Decode a run's packets, and write its frames into the batch.

        Raises:
            DeclinedError: if the excerpt does not keep what it must.
            WrongFrameError: if the file differs from its index, or a frame is not as planned.
        """
        try:
            excerpt = cut(self._stream, self._codec, self._read(run), self._source)
        except (av.FFmpegError, ValueError) as error:
            raise DeclinedError(str(error)) from error
        if self._index not in _COMPARED:
            require_same(parameters(self._stream), excerpt.data)
            _COMPARED.add(self._index)
        task = Decoding(excerpt, self._threads)
        index = self._index
        numbers = {packet.pts: packet.data.number for packet in run.packets}
        shown = [numbers[request.pts] for request in sorted(run.requests)]
        times, durations = index.seconds(index.pts[shown]), index.seconds(index.duration[shown])
        batch.put_all(task, times.tolist(), durations.tolist())

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
