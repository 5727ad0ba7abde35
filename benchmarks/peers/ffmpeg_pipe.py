"""FFmpeg's own command: its `select` filter picks the frames, which come as raw RGB through a pipe."""

import subprocess
from io import FileIO
from itertools import pairwise
from math import gcd

from benchmarks.peers.frames import Frames, PeerError, empty, wanted
from benchmarks.strategies.shared import Indices
from fixtures.workload import Workload


def read(workload: Workload, indices: Indices, threads: int | None) -> Frames:
    """Read from a process of its own; a late chunk is sought by time (-ss before -i)."""
    output, rows = empty(workload, indices), wanted(indices)
    if not rows:
        return output
    first = min(rows)
    picked = _regular(list(rows))
    seek = ("-ss", f"{(first - 0.5) / workload.video.fps:.6f}") if first else ()
    step = picked.step
    height, width = workload.frame_size
    scale = "" if workload.size is None else f",scale={width}:{height}:flags=bilinear"
    select = f"select='not(mod(n,{step}))',format=rgb24{scale}"
    command = [
        *("ffmpeg", "-nostdin", "-v", "error", "-noautorotate"),
        *(() if threads is None else ("-threads", str(threads))),
        *(*seek, "-i", str(workload.video.path), "-map", f"0:{workload.video.stream_index}"),
        *("-vf", select, "-fps_mode", "passthrough", "-frames:v", str(len(picked))),
        *("-f", "rawvideo", "-"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process:
        assert isinstance(process.stdout, FileIO)  # unbuffered
        spare = empty(workload, (0,))[0]
        for index in picked:
            here = rows.get(index)
            target = output[here[0]] if here else spare
            if not _fill(process.stdout, memoryview(target).cast("B")):
                process.kill()
                raise PeerError(f"ffmpeg gave no frame {index}")
            if here and len(here) > 1:
                output[here[1:]] = target
    return output


def _regular(frames: list[int]) -> range:
    """The widest-stepped regular frames that hold all of these: what `select` can tell by its remainder."""
    step = gcd(*(b - a for a, b in pairwise(frames))) or 1
    return range(frames[0], frames[-1] + 1, step)


def _fill(pipe: FileIO, buffer: memoryview) -> bool:
    """Read until the buffer is full; whether it was."""
    while buffer:
        read = pipe.readinto(buffer)
        if not read:
            return False
        buffer = buffer[read:]
    return True
