"""The tables of the README and of docs/, measured again in one go: `make tables`.

Each part below is a command, whose run is kept in .tables/ when it has ended. After Ctrl-C, a kill or a
failure the same command goes on with the parts that are missing. When all are there, their files replace
those in results/, and the documents and the picture are made of them. What is begun on one machine with one
commit is finished there: tables of one page can then be compared with each other. A peer that fails stops
nothing: its row is missing, and a document that shows it says so in the end.

Exit status: 0; 2 if a part fails, or what is there is of another machine or commit; 130 after Ctrl-C.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.identify import machine_of
from fixtures.clip import EMBEDDED_CLIP
from fixtures.errors import InputError
from fixtures.ffmpeg import run_ffmpeg
from results.documents import DocumentError, write_documents
from results.saved.history import STORAGE
from results.saved.saving import write_atomically

ROOT = STORAGE.parent
KEPT = ROOT / ".tables"
GRIDS = STORAGE / "saved" / "grids"
FOLDER = KEPT / "folder"  # the videos of a part
LINK = (
    ".ci/cluster-in-a-namespace",
    str(KEPT),
    "sh",
    "-c",
    'exec make bench-cluster CLUSTER="$CLUSTER" "$1"',
    "-",
)


class PartError(Exception):
    """A part failed, or cannot be gone on with; the message says what to do."""


@dataclass(frozen=True)
class Part:
    """One measurement, a run of the suite."""

    name: str  # of the file that comes of it
    command: tuple[str, ...]
    options: str = ""  # of the suite
    needs_root: bool = False

    @property
    def result(self) -> Path:
        """What it leaves in the end."""
        return KEPT / f"{self.name}.json"

    @property
    def is_possible(self) -> bool:
        """Whether this user may measure it."""
        return not self.needs_root or os.geteuid() == 0

    def run(self) -> None:
        """Measure it.

        Raises:
            PartError: if it fails.
        """
        self.measure()
        if not self.result.exists():
            raise PartError(f"{self.name} failed, as is said above: mend that, and the same command goes on")

    def measure(self) -> None:
        """Leave the result, if all goes well."""
        storage, cache = KEPT / self.name, KEPT / f"{self.name}.cache"
        shutil.rmtree(storage, ignore_errors=True)  # of a run that failed
        shutil.rmtree(cache, ignore_errors=True)
        saves = f"--benchmark-storage={storage} --benchmark-save={self.name} -o cache_dir={cache}"
        if not _status_of([*self.command, f"ARGS={self.options} {saves}"]) or _only_peers_failed(cache):
            for saved in storage.glob("*/*.json"):  # one
                saved.replace(self.result)

    def shipped(self, runs: Path, number: int) -> Path:
        """Where its result stands in the repository.

        Args:
            runs: the folder of saved runs.
            number: of this part.
        """
        return runs / f"{number:04}_{self.result.name}"


class VerdictPart(Part):
    """A against B; the result is what `make ab` writes in Markdown."""

    @property
    def result(self) -> Path:
        """What it leaves in the end."""
        return KEPT / f"{self.name}.md"

    def measure(self) -> None:
        """Leave the result; each verdict has an exit status of its own, so it is there or not."""
        _status_of([*self.command, f"SUMMARY={self.result}"])


class GridPart(Part):
    """A grid of requests, which is gone on with cell by cell."""

    def measure(self) -> None:
        """Leave the result, if all goes well."""
        begun = KEPT / f"{self.name}.begun.json"
        if not _status_of([*self.command, f"SAVE={begun}"]):
            begun.replace(self.result)

    def shipped(self, _runs: Path, _number: int) -> Path:
        """Not among the runs."""
        return GRIDS / self.result.name


def _only_peers_failed(cache: Path) -> bool:
    """Whether other libraries gave wrong frames and all else went well: a finding, which stops no tables."""
    failed = cache / "v" / "cache" / "lastfailed"  # pytest's: {test: true}
    return failed.exists() and all("::test_peer[" in test for test in json.loads(failed.read_text()))


def _status_of(command: Sequence[str]) -> int:
    """Run a command in a session of its own; an interrupt is handed on, and the command ends first."""
    child = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        return child.wait()
    except KeyboardInterrupt:
        os.killpg(child.pid, signal.SIGINT)
        child.wait()
        raise


def pins(constraints: str) -> str:
    """The versions of torch and TorchCodec of a stack, as make ab takes them."""
    return " ".join(
        re.findall(r"^(?:torch|torchcodec)==[\d.]+", (ROOT / constraints).read_text(), re.MULTILINE)
    )


WORKLOAD_1080P = "--workload 1080p --loops 12"
# The long video stands in the folder that its workers do not see.
CUT_OFF = f"-k 'sequential or pruned-processes or cluster-pruned' --basetemp={KEPT / 'seen-by-none'}"
FOUR_WORKLOADS = "--workload av1 --workload open-gop --workload gop-12 --workload intra-only"
UPGRADE = ("make", "ab", f"A={pins('constraints.txt')}", f"B={pins('constraints-newest.txt')}")
PARTS = (
    Part("strategies_and_peers", ("make", "bench-peers")),
    Part("strategies_and_peers_newest", ("make", "bench-peers", "STACK=newest")),
    Part("requests", ("make", "bench-requests")),
    Part("requests_newest", ("make", "bench-requests", "STACK=newest"), "-k clips-closed-1"),
    Part("uploads_at_their_times", ("make", "bench-requests"), "-k vlm-open-80 --requests-a-pass 32"),
    Part("workloads", ("make", "bench"), "--workload all"),
    Part("workloads_exact_mode", ("make", "bench"), f"{FOUR_WORKLOADS} --seek-mode exact"),
    Part("cluster_on_this_machine", ("make", "bench-cluster")),
    Part("cluster_behind_1_gbit", LINK, CUT_OFF, needs_root=True),
    Part("scaling", ("make", "bench-scaling"), "--loops 20"),
    Part("1080p_in_parts", ("make", "bench"), f"{WORKLOAD_1080P} --rounds 2"),
    Part("1080p_size_448", ("make", "bench"), f"{WORKLOAD_1080P} --size 448 --rounds 2"),
    Part("a_folder_of_videos", ("make", "bench", f"VIDEO={FOLDER}")),
    VerdictPart("upgrade", UPGRADE),
    GridPart("grid", ("make", "grid")),
    GridPart("grid_newest", ("make", "grid", "STACK=newest")),
)
VIDEOS = {
    "a-h264-480p.mp4": ("-vf", "scale=854:480", "-c:v", "libx264", "-g", "250"),
    "b-h264-720p.mkv": ("-vf", "scale=1280:720", "-c:v", "libx264", "-g", "250"),
    "c-hevc.mp4": ("-c:v", "libx265", "-x265-params", "log-level=error"),
    "d-vp9.webm": ("-c:v", "libvpx-vp9", "-b:v", "0", "-crf", "34", "-cpu-used", "6", "-row-mt", "1"),
    "e-av1-240p.mp4": ("-vf", "scale=426:240", "-c:v", "libsvtav1", "-preset", "9"),
}


def make_folder() -> None:
    """Five videos, one that is cut off, and a text."""
    FOLDER.mkdir(exist_ok=True)
    for name, encoding in VIDEOS.items():
        if not (FOLDER / name).exists():
            begun = KEPT / name  # what an interrupt leaves is not among the videos
            run_ffmpeg("-i", str(EMBEDDED_CLIP), "-an", *encoding, str(begun))
            begun.replace(FOLDER / name)
    whole = (FOLDER / "b-h264-720p.mkv").read_bytes()
    (FOLDER / "f-truncated.mkv").write_bytes(whole[: len(whole) // 2])
    (FOLDER / "g-notes.txt.mp4").write_text("no video\n")


def require_same_beginning() -> None:
    """Note this machine and commit; or compare them with those of the parts that are there.

    Raises:
        PartError: if they differ.
    """
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, check=False, capture_output=True, text=True
    )  # fmt: skip
    now = {"commit": revision.stdout.strip(), "machine": machine_of({})}
    noted = KEPT / "begun"
    if not noted.exists():
        write_atomically(noted, json.dumps(now))
    before = json.loads(noted.read_text())
    for field, value in now.items():
        if before[field] != json.loads(json.dumps(value)):
            raise PartError(
                f"the parts in {KEPT.name}/ are of another {field} ({before[field]}, here {value}): "
                f"finish them there, or remove {KEPT.name}/"
            )


def finish(parts: Sequence[Part]) -> None:
    """Put the files where they are shipped, and make the documents of them."""
    runs = STORAGE / next(path.name for path in (KEPT / parts[0].name).iterdir() if path.is_dir())
    for number, part in enumerate(parts, 1):
        if not part.is_possible:
            say(f"{part.name} is left as it was: it needs root")
            continue
        target = part.shipped(runs, number)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(part.result, target)
        say(str(target.relative_to(ROOT)))
    for page in write_documents(ROOT):
        say(f"{page.relative_to(ROOT)} is made of them")


def main(argv: list[str] | None = None) -> int:
    """Measure what is missing."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser(
        prog="make tables", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--only", metavar="NAME", choices=[p.name for p in PARTS], help="measure one part")
    only = parser.parse_args(argv).only
    try:
        KEPT.mkdir(exist_ok=True)
        require_same_beginning()
        make_folder()
        for number, part in enumerate(PARTS, 1):
            if part.result.exists() or only not in {None, part.name} or not part.is_possible:
                continue
            say(f"part {number} of {len(PARTS)}: {part.name}")
            began = time.monotonic()
            part.run()
            say(f"{part.name} took {(time.monotonic() - began) / 60:.1f} min")
        if only is None:
            finish(PARTS)
    except (PartError, InputError, DocumentError) as error:
        say(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        say("interrupted: the finished parts are kept, the same command goes on from there")
        return 130
    return 0


def say(line: str) -> None:
    """Report progress."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
