"""Requests of every shape on every length of GOP: exactframes' kept decoder beside TorchCodec's.

    python -m benchmarks.grid --save FILE.json [--codec NAME] [--gop N] [--pairs N]

Both decoders are kept, exact, with one FFmpeg thread; both get the same requests in turns, each at a random
place. A ratio is the mean, over the middle half of the requests, of TorchCodec's seconds over ours for the
same request, since requests differ in what they cost: above 1 ours is faster. Each cell is proven before it
is timed: all frames of its first request are equal. Interrupted, it goes on where it was: a cell that has
enough pairs in the file is not measured again, and more are added to one that has fewer. So a low cell of a
few pairs is looked at again: `--codec hevc --gop 48 --pairs 100`. A file of another machine or of other
versions is refused.

Exit status: 0; 2 if the file is refused; 130 after Ctrl-C.

What it cannot see: the first requests of a decoder (these are opened and their index read before), and
larger pictures, on which what is fixed in a request weighs less.
"""

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, astuple, dataclass, fields
from functools import cache
from pathlib import Path
from statistics import median

import torch
from cpuinfo import get_cpu_info
from torchcodec.decoders import VideoDecoder

import exactframes
from benchmarks.harness.identify import software_versions
from fixtures.clip import EMBEDDED_CLIP
from fixtures.errors import InputError
from fixtures.ffmpeg import run_ffmpeg
from fixtures.settings import usable_cpus
from results.saved.history import UNREADABLE
from results.saved.saving import write_atomically
from results.told.grid import ratio, request_in_words

GOPS = (1, 2, 12, 48, 250, 345)
FRAMES = (1, 8, 32, 300)
STRIDES = (1, 4, 12, 100)
SIZE = (320, 180)
FEWEST_PAIRS = 20
SHORTEST = 1.0  # seconds of requests in a cell: small requests have more pairs
LONG_PAIR = 0.75  # seconds: if pairs last longer than this, fewer are enough, as long in all
LONG_ENOUGH = max(FRAMES) * max(STRIDES) + 1000  # frames: any request has many places
ENCODERS: dict[str, Callable[[int], tuple[str, ...]]] = {
    "h264": lambda gop: (
        "libx264", "-crf", "24", "-x264-params", f"keyint={gop}:min-keyint={gop}:scenecut=0",
    ),
    "hevc": lambda gop: (
        "libx265", "-crf", "26", "-preset", "fast", "-tag:v", "hvc1",
        "-x265-params", f"log-level=error:keyint={gop}:min-keyint={gop}:scenecut=0",
    ),
    "av1": lambda gop: (
        # SVT-AV1 takes a distance of one frame for no keyframes at all.
        ("libaom-av1", "-crf", "36", "-cpu-used", "8", "-g", "0")
        if gop == 1
        else ("libsvtav1", "-crf", "36", "-preset", "9", "-g", str(gop))
    ),
    "vp9": lambda gop: (
        "libvpx-vp9", "-crf", "34", "-b:v", "0", "-cpu-used", "6", "-row-mt", "1", "-threads", "8",
        "-g", str(gop), "-keyint_min", str(gop),
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A cell of the grid."""

    codec: str
    gop: int  # frames
    frames: int  # of a request
    stride: int  # frames from one to the next

    @property
    def span(self) -> int:
        """Frames from the first to the last one, both counted."""
        return (self.frames - 1) * self.stride + 1


@dataclass(frozen=True, kw_only=True)
class Cell(Shape):
    """What was measured of it, in seconds a request."""

    theirs: list[float]
    ours: list[float]
    theirs_cpu: list[float]  # CPU seconds of the same requests: what a neighbour changes least
    ours_cpu: list[float]

    def is_measured(self, pairs: int) -> bool:
        """Whether it has enough of them."""
        seconds = sum(self.theirs) + sum(self.ours)
        return seconds >= pairs * LONG_PAIR or (seconds >= SHORTEST and len(self.ours) >= pairs)


def shapes(codec: str, gop: int) -> Iterator[Shape]:
    """All requests of one video; a stride means nothing to a single frame."""
    for frames in FRAMES:
        for stride in STRIDES if frames > 1 else STRIDES[:1]:
            yield Shape(codec=codec, gop=gop, frames=frames, stride=stride)


def make_video(codec: str, gop: int, folder: Path) -> Path:
    """Encode the embedded clip in whole GOPs of this length, and repeat it until it is long enough."""
    once, video = folder / f"once-{codec}-{gop}.mp4", folder / f"{codec}-{gop}.mp4"
    frames = gop * max(1, round(345 / gop))
    scaled = ("-vf", f"scale={SIZE[0]}:{SIZE[1]}", "-frames:v", str(frames), "-an", "-pix_fmt", "yuv420p")
    run_ffmpeg(
        "-stream_loop", "-1", "-i", str(EMBEDDED_CLIP), *scaled, "-c:v", *ENCODERS[codec](gop), str(once)
    )
    loops = LONG_ENOUGH // frames
    run_ffmpeg("-stream_loop", str(loops), "-i", str(once), "-map", "0:v", "-c", "copy", str(video))
    return video


def measure(cell: Cell, theirs: VideoDecoder, ours: exactframes.VideoDecoder, pairs: int) -> None:
    """Take requests in turns, and note their seconds in the cell until it has enough.

    Raises:
        AssertionError: if a frame of ours differs.
    """
    shape = Shape(codec=cell.codec, gop=cell.gop, frames=cell.frames, stride=cell.stride)
    places = random.Random(f"{shape} {len(cell.ours)}")  # noqa: S311  the same in every run

    def request() -> list[int]:
        first = places.randrange(len(theirs) - shape.span)
        return list(range(first, first + shape.span, shape.stride))

    indices = request()
    assert torch.equal(theirs.get_frames_at(indices).data, ours.get_frames_at(indices).data), shape
    turns: list[tuple[VideoDecoder | exactframes.VideoDecoder, list[float], list[float]]] = [
        (theirs, cell.theirs, cell.theirs_cpu),
        (ours, cell.ours, cell.ours_cpu),
    ]
    while not cell.is_measured(pairs):
        indices = request()
        for decoder, wall, cpu in turns:
            began, worked = time.perf_counter(), time.process_time()
            decoder.get_frames_at(indices)
            wall.append(round(time.perf_counter() - began, 6))
            cpu.append(round(time.process_time() - worked, 6))
        turns.reverse()


def measure_video(codec: str, gop: int, pairs: int, save: Path) -> None:
    """Measure what the file does not hold of one video; it is written after each cell.

    Raises:
        InputError: as saved_cells does.
    """
    cells = {tuple(getattr(cell, field.name) for field in fields(Shape)): cell for cell in saved_cells(save)}
    for shape in shapes(codec, gop):
        nothing = Cell(**asdict(shape), theirs=[], ours=[], theirs_cpu=[], ours_cpu=[])
        cells.setdefault(astuple(shape), nothing)
    left = [cells[astuple(s)] for s in shapes(codec, gop) if not cells[astuple(s)].is_measured(pairs)]
    if not left:
        return
    with tempfile.TemporaryDirectory() as folder:
        video = make_video(codec, gop, Path(folder))
        theirs = VideoDecoder(video, seek_mode="exact")
        ours = exactframes.VideoDecoder(video, seek_mode="exact")
        index = ours.index  # read now, not in the midst of requests
        # An open GOP at the end of the clip has the leading frames of none after it.
        assert index is None or 0 <= index.longest - gop < 8, f"{codec}: GOPs of {index.longest} packets"
        if index is None:
            say(f"{codec} GOP {gop}: TorchCodec answers all, since {ours.why_unpruned}")
        for cell in left:
            measure(cell, theirs, ours, pairs)
            measured = [asdict(one) for one in cells.values() if one.ours]
            write_atomically(save, json.dumps({**about(), "cells": measured}))
            say(told(cell))


def saved_cells(save: Path) -> list[Cell]:
    """The cells of the file that is completed; none if there is no file.

    Raises:
        InputError: if it is no grid, or one of another machine or of other versions.
    """
    if not save.exists():
        return []
    try:
        saved = json.loads(save.read_text())
        cells = [Cell(**cell) for cell in saved.pop("cells")]
    except UNREADABLE as error:
        raise InputError(f"{save} is no grid ({error!r:.100}): give another file") from error
    if saved != about():
        raise InputError(f"{save} was measured on another machine or with other versions: give another file")
    return cells


@cache
def about() -> dict[str, object]:
    """What the figures are figures of, in plain JSON."""
    machine = {"usable_cpus": usable_cpus(), "cpu_model": get_cpu_info().get("brand_raw", "unknown")}
    return {"machine": machine, "software": software_versions(), "size": "{}x{}".format(*SIZE)}


def told(cell: Cell) -> str:
    """A cell as a line."""
    saved = asdict(cell)
    times = f"{ratio(saved):.2f}x, {ratio(saved, '_cpu'):.2f}x by CPU, {median(cell.ours) * 1e3:.1f} ms"
    return f"{request_in_words(saved)}: {times}, {len(cell.ours)} pairs"


def main(argv: list[str] | None = None) -> int:
    """Measure, video after video."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--save", type=Path, required=True, help="the JSON file that is written or completed")
    parser.add_argument("--codec", choices=ENCODERS, action="append", help="only these (default: all)")
    parser.add_argument(
        "--gop", choices=GOPS, type=int, action="append", help="only videos with these GOPs (default: all)"
    )
    parser.add_argument(
        "--pairs", type=int, default=FEWEST_PAIRS, help=f"of requests in a cell (default: {FEWEST_PAIRS})"
    )
    options = parser.parse_args(argv)
    if options.pairs < 1:
        parser.error(f"--pairs {options.pairs}: give a whole number of 1 or more")
    try:
        for codec in options.codec or ENCODERS:
            for gop in options.gop or GOPS:
                measure_video(codec, gop, options.pairs, options.save)
    except InputError as error:
        say(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        say("interrupted: the finished cells are kept, the same command goes on from there")
        return 130
    return 0


def say(line: str) -> None:
    """Report progress."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
