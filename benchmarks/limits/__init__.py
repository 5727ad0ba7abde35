"""The floor that this machine sets for the same work, measured in the same run.

A limit decodes with FFmpeg's own command, one single-threaded process for each worker over an equal share
of the packets: nothing is converted to RGB, nothing is kept. Shares are prepared untimed. To add a limit,
write the function that tells its frames and one line below.
"""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.strategies.decoding import split
from exactframes.excerpt import excerpts
from exactframes.source import open_source
from fixtures.workload import Workload


def all_frames(workload: Workload) -> Workload:
    """Every frame of the video: what no strategy can beat that skips none."""
    return replace(workload, indices=tuple(range(workload.video.frames)))


def needed_frames(workload: Workload) -> Workload:
    """Just the packets that the requested frames need: what no pruned strategy can beat."""
    return workload


Limit = Callable[[Workload], Workload]  # what a limit decodes for a workload

LIMITS: dict[str, Limit] = {
    "limit-all-frames": all_frames,
    "limit-needed-frames": needed_frames,
}


def prepare_parts(limit: Limit, workload: Workload, workers: int, folder: Path) -> list[list[Path]]:
    """The shares of each part: as many parts of what the limit decodes as strategies take.

    Raises:
        DeclinedError: if the video cannot be planned or cut.
    """
    wanted = limit(workload)
    prepared = []
    for number, indices in enumerate(split(wanted.indices, len(workload.parts))):
        place = folder / f"part{number}"
        place.mkdir()
        prepared.append(prepare_shares(replace(wanted, indices=indices), workers, place))
    return prepared


def decode_parts(parts: Sequence[Sequence[Path]]) -> None:
    """Decode the shares of one part after the other.

    Raises:
        RuntimeError: if one fails.
    """
    for shares in parts:
        decode_shares(shares)


def prepare_shares(workload: Workload, workers: int, folder: Path) -> list[Path]:
    """Write the packets that a workload needs into `workers` lists of files of about equal size.

    Returns:
        A file for FFmpeg's concat demuxer for each worker that has something to do.

    Raises:
        DeclinedError: if the video cannot be planned or cut.
    """
    shares: list[list[Path]] = [[] for _ in range(workers)]
    sizes = [0] * workers
    source = open_source(workload.video.path, workload.seek_mode)
    with excerpts(source, workload.indices, workers) as cut:
        for number, excerpt in enumerate(cut):
            piece = folder / f"piece{number}"
            piece.write_bytes(excerpt.data)
            smallest = sizes.index(min(sizes))
            shares[smallest].append(piece)
            sizes[smallest] += excerpt.packets
    return [_concat_list(folder / f"share{n}.txt", pieces) for n, pieces in enumerate(shares) if pieces]


def decode_shares(shares: Sequence[Path]) -> None:
    """Decode all shares at once, a single-threaded FFmpeg process each.

    Raises:
        RuntimeError: if one fails.
    """
    options = ("-nostdin", "-v", "error", "-threads", "1", "-f", "concat", "-safe", "0")
    processes = [
        subprocess.Popen(["ffmpeg", *options, "-i", str(share), "-f", "null", "-"], stderr=subprocess.DEVNULL)
        for share in shares
    ]
    try:
        statuses = [process.wait() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    if any(statuses):
        raise RuntimeError(f"ffmpeg ended with status {max(statuses)} on a share")


def _concat_list(target: Path, pieces: list[Path]) -> Path:
    target.write_text("".join(f"file '{piece}'\n" for piece in pieces))
    return target
