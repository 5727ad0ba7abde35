"""PyAV: frames are decoded in order from the first one asked for, and only the wanted ones converted.

Its documentation seeks to a keyframe by pts and decodes on (container.seek), and advises
`thread_type = "AUTO"`; its default is slice threads.
"""

import av
from av.video.reformatter import VideoReformatter

from benchmarks.peers.frames import Frames, PeerError, empty, wanted
from benchmarks.strategies.shared import Indices
from fixtures.workload import Workload


def read(workload: Workload, indices: Indices, threads: int | None) -> Frames:
    """Read with a container and a codec of its own; with threads, `thread_type` is AUTO."""
    output, rows = empty(workload, indices), wanted(indices)
    if not rows:
        return output
    converter, (height, width) = VideoReformatter(), workload.frame_size
    with av.open(str(workload.video.path)) as container:
        stream = container.streams[workload.video.stream_index]
        assert isinstance(stream, av.VideoStream)
        if threads is not None:
            stream.thread_type = "AUTO"
            stream.thread_count = threads
        number = 0
        start, base, first = stream.start_time or 0, float(stream.time_base or 1), min(rows)
        if first:
            container.seek(start + round(first / workload.video.fps / base), stream=stream)
            number = -1  # told by the time stamp of the first frame that comes
        for frame in container.decode(stream):
            if number < 0:
                number = round(((frame.pts or 0) - start) * base * workload.video.fps)
            if number in rows:
                picture = converter.reformat(frame, width, height, format="rgb24")
                output[rows.pop(number)] = picture.to_ndarray()
            number += 1
            if not rows:
                return output
    raise PeerError(f"PyAV gave no frame {next(iter(rows))}")
