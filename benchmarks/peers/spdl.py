"""SPDL: `sample_decode_video` without its filter, and a filter graph that converts only the wanted frames.

By itself that function converts all frames up to the last wanted one after a keyframe. SPDL's
own benchmarks have worker threads, and give FFmpeg's decoder its own by `decode_config`; one by default.
"""

import signal

from benchmarks.peers.frames import Frames, empty, wanted
from benchmarks.strategies.shared import Indices
from fixtures.workload import Workload


def prepare() -> None:
    """Load its library, whose logging takes SIGTERM over, and give SIGTERM back to whoever had it."""
    import spdl.io

    handler = signal.getsignal(signal.SIGTERM)
    spdl.io.decode_config()  # before its first use nothing is loaded
    signal.signal(signal.SIGTERM, handler)


def read(workload: Workload, indices: Indices, threads: int | None) -> Frames:
    """Read with a demuxer and decoders of its own; packets of the whole file are held in memory."""
    import spdl.io

    output, rows = empty(workload, indices), wanted(indices)
    if not rows:
        return output
    with spdl.io.Demuxer(str(workload.video.path)) as demuxer:
        packets, codec = demuxer.demux_video(), demuxer.video_codec
    options = {} if threads is None else {"threads": str(threads)}
    config = spdl.io.decode_config(decoder_options=options)
    frames = spdl.io.sample_decode_video(packets, list(rows), decode_config=config, filter_desc=None)
    height, width = workload.frame_size
    scale = "" if workload.size is None else f",scale={width}:{height}:flags=bilinear"
    source = spdl.io.get_buffer_desc(codec)
    converter = spdl.io.FilterGraph(f"{source}{scale},format=pix_fmts=rgb24,buffersink")
    for frame, here in zip(frames, rows.values(), strict=True):
        converter.add_frames(frame)
        output[here] = spdl.io.to_numpy(spdl.io.convert_frames(converter.get_frames()))
    return output
