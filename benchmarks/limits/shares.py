"""A pass of FFmpeg's own command over the packets of a limit's frames.

Each worker is one single-threaded process, and decodes an equal share of the packets: nothing is converted to
RGB, nothing is kept. The shares are cut once, untimed.
"""

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.harness.clock import CLOCK
from benchmarks.harness.contenders import NotMeasuredError
from benchmarks.harness.passes import Pause
from benchmarks.strategies.shared import split
from exactframes import DeclinedError
from exactframes.excerpt import Excerpt, excerpts
from exactframes.source import open_source
from fixtures.workload import Workload


@dataclass(kw_only=True)
class DecodingShares:
    """A pass of FFmpeg over as many parts as a strategy's pass has."""

    name: str
    workload: Workload  # what strategies decode
    wanted: Workload  # what the limit decodes
    workers: int
    folder: Path  # an empty one
    shares: list[list[Path]] = field(default_factory=list)  # of each part; cut by warm_up

    def warm_up(self) -> None:
        """Cut the shares.

        Raises:
            NotMeasuredError: if the video cannot be planned or cut.
        """
        for indices in split(self.wanted.indices, len(self.workload.parts)):
            place = self.folder / f"part{len(self.shares)}"
            place.mkdir(parents=True)
            try:
                part = replace(self.wanted, indices=indices)
                self.shares.append(prepare_shares(part, self.workers, place))
            except DeclinedError as reason:
                raise NotMeasuredError(f"no share can be cut: {reason}") from reason

    def run(self) -> None:
        """Decode the shares of one part after the other."""
        for shares in self.shares:
            decode_shares(shares)

    def prove(self, when: str = "", pause: Pause = CLOCK.stopped) -> None:  # noqa: ARG002
        """Decode: there is nothing to prove."""
        self.run()

    def prove_last(self) -> None:
        """The same in the last timed round."""
        self.run()


def prepare_shares(workload: Workload, workers: int, folder: Path) -> list[Path]:
    """Write the packets that a workload needs: see share_out."""
    return share_out([workload], workers, folder)


def share_out(workloads: Iterable[Workload], workers: int, folder: Path) -> list[Path]:
    """Write the packets that each workload needs into `workers` lists of files of about equal size.

    Returns:
        A file for FFmpeg's concat demuxer for each worker that has something to do.

    Raises:
        DeclinedError: if the video cannot be planned or cut.
    """
    shares: list[list[Path]] = [[] for _ in range(workers)]
    sizes = [0] * workers
    for number, excerpt in enumerate(_cut(workloads, workers)):
        piece = folder / f"piece{number}"
        piece.write_bytes(excerpt.data)
        smallest = sizes.index(min(sizes))
        shares[smallest].append(piece)
        sizes[smallest] += excerpt.packets
    return [_concat_list(folder / f"share{n}.txt", pieces) for n, pieces in enumerate(shares) if pieces]


def _cut(workloads: Iterable[Workload], workers: int) -> Iterator[Excerpt]:
    for workload in workloads:
        with excerpts(open_source(workload.video.path, workload.seek_mode), workload.indices, workers) as cut:
            yield from cut


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
