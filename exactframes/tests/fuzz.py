"""Look for a video on which pruning is not exact: `python -m exactframes.tests.fuzz --minutes 5 [--seed N]`.

Tiny videos are encoded, muxed and changed with random parameters, and frames of them are decoded by the
library and by TorchCodec alone: any difference is a fault, and so is an error that only one of them raises.
TorchCodec cannot seek to some last frames of open GOPs that it gives when it decodes every frame: where the
library gives these, and they are the same, that is counted apart. So are differences in damaged videos: those
of which FFmpeg itself reports errors when it decodes them from the first packet (docs/library.md).
Where nothing is left out, a decoder that was asked before may give what TorchCodec's gives after that.
A case is made of its seed and its number alone; `--seed S --case N` repeats it. What goes wrong stays, with
the video, in fuzz-failures/; a folder left there after a crash or a hang is that case's.

Exit status: 0 if all was exact, 1 if anything was WRONG, 130 after Ctrl-C.
"""

import argparse
import contextlib
import faulthandler
import os
import random
import re
import shutil
import subprocess
import sys
import textwrap
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import torch
from torch import Tensor
from torchcodec.decoders import VideoDecoder

from exactframes import FallbackWarning
from exactframes.tests.fuzz_calls import Call, draw_call
from exactframes.tests.fuzz_recipes import NotEncodedError, Recipe, draw_recipe
from fixtures.errors import InputError
from fixtures.testing.corpus import in_matroska

KEPT = Path("fuzz-failures")
CALLS = 6  # for each video
HANGS_AFTER = 300  # seconds for one case
PRUNED, FELL_BACK, REFUSED = "exact and pruned", "exact by fallback", "refused as TorchCodec does"
NOT_ENCODED, WRONG = "not encoded", "WRONG"
DAMAGED = "different where FFmpeg reports damage"
GIVEN = "given where TorchCodec raises, and as it decodes every frame from the first"


@dataclass(frozen=True)
class Outcome:
    """How a call went."""

    result: str
    detail: str = ""  # of a fallback, the reason; of what is WRONG, how


@dataclass
class Counts:
    """What has been seen so far."""

    videos: int = 0
    results: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    first_case: dict[str, int] = field(default_factory=dict)  # of each reason

    def add(self, outcome: Outcome, case: int, kind: str) -> None:
        """Count it."""
        self.results[outcome.result] += 1
        if outcome.result == FELL_BACK:
            reason = f"{re.sub(r'[0-9]+', '#', outcome.detail)} [{kind}]"
            self.reasons[reason] += 1
            self.first_case.setdefault(reason, case)

    def line(self) -> str:
        """All counts in one line."""
        results = (NOT_ENCODED, PRUNED, FELL_BACK, REFUSED, GIVEN, DAMAGED, WRONG)
        return f"{self.videos} videos; " + ", ".join(f"{self.results[name]} {name}" for name in results)

    def reason_lines(self) -> list[str]:
        """The reasons of fallbacks, the most frequent first."""
        return [f"{n:5} {text} (case {self.first_case[text]})" for text, n in self.reasons.most_common()]


def say(text: str) -> None:
    """Write a line at once."""
    print(text, flush=True)  # noqa: T201


def compare(call: Call, video: Path) -> Outcome:
    """Make a call, and judge it by TorchCodec's own answer."""
    frames: Tensor | Exception
    refusal = expected = None
    try:
        expected = call.theirs(video)
    except Exception as error:  # noqa: BLE001  whatever it is
        refusal = error
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            frames = call.ours(video)
        except Exception as raised:  # noqa: BLE001
            frames = raised
    reasons = [str(w.message) for w in warned if issubclass(w.category, FallbackWarning)]
    if reasons and call.batch_frames:  # TorchCodec's, and it may depend on the batches before
        return Outcome(FELL_BACK, reasons[0])
    if reasons and call.before:  # TorchCodec's, too, and it may depend on these
        return _judge_kept(frames, call, video, reasons[0])
    if isinstance(frames, Exception):
        return _judge_error(frames, refusal)
    if expected is None:
        return _judge_given(frames, refusal, call, video)
    if not torch.equal(frames, expected):
        told = f"it fell back: {reasons[0]}" if reasons else "no warning was given"
        return Outcome(WRONG, f"{_difference(frames, expected, call, video)}; {told}")
    return Outcome(FELL_BACK, reasons[0]) if reasons else Outcome(PRUNED)


def _judge_kept(answer: Tensor | Exception, call: Call, video: Path, reason: str) -> Outcome:
    """Nothing is left out of this video: one of TorchCodec's decoders must agree."""
    for before in call.histories:
        try:
            theirs = call.theirs(video, before)
            same = isinstance(answer, Tensor) and torch.equal(answer, theirs)
        except (RuntimeError, IndexError) as refusal:
            same = isinstance(answer, type(refusal))
        if same:
            return Outcome(FELL_BACK, reason)
    told = repr(answer) if isinstance(answer, Exception) else "the answer"
    return Outcome(WRONG, f"{told} is no decoder's of TorchCodec, fresh or kept; it fell back: {reason}")


def _judge_error(error: Exception, refusal: Exception | None) -> Outcome:
    if refusal is None:
        return Outcome(WRONG, f"{error!r} was raised where TorchCodec gives frames")
    if not isinstance(error, (RuntimeError, IndexError, type(refusal))):
        return Outcome(WRONG, f"{error!r} was raised where TorchCodec raises {refusal!r}")
    return Outcome(REFUSED)


def _judge_given(frames: Tensor, refusal: Exception | None, call: Call, video: Path) -> Outcome:
    """TorchCodec has no answer to compare with: what it gives for all frames is the next best."""
    told = f"frames were given where TorchCodec raises {refusal!r}"
    try:
        truth = _every(call, video)
    except (RuntimeError, IndexError, InputError) as error:
        return Outcome(WRONG, f"{told}; it cannot decode every frame from the first either: {error}")
    return Outcome(GIVEN) if torch.equal(frames, truth) else Outcome(WRONG, f"{told}; they are others")


def _every(call: Call, video: Path) -> Tensor:
    """What TorchCodec gives for a call where it decodes every frame from the first.

    Where it seeks past the first GOP even then, the same packets in Matroska tell.
    """
    every = Call(indices=list(range(max(call.indices) + 1)), seek_mode=call.seek_mode, workers=1)
    try:
        frames = every.theirs(video)
        first = VideoDecoder(video, seek_mode=call.seek_mode)
        is_first = (
            first.get_frames_at(every.indices[:1]).pts_seconds[0] == first.metadata.begin_stream_seconds
        )
    except RuntimeError:
        is_first = False
    if not is_first:
        frames = every.theirs(in_matroska(video, video.with_suffix(".copy.mkv")))
    return frames[call.indices]


def _difference(frames: Tensor, expected: Tensor, call: Call, video: Path) -> str:
    if frames.shape != expected.shape:
        return f"frames of shape {list(frames.shape)}, not {list(expected.shape)}"
    rows = [
        n for n, (ours, theirs) in enumerate(zip(frames, expected, strict=True)) if not ours.equal(theirs)
    ]
    wrong = [call.indices[row] for row in rows]
    text = f"{len(rows)} of {len(expected)} frames differ: {wrong[:20]}"
    try:
        truth = _every(call, video)
    except (RuntimeError, IndexError, InputError) as error:
        return f"{text}; TorchCodec cannot decode every frame from the first: {error}"
    for name, answer in (("the library", frames), ("TorchCodec's answer", expected)):
        agrees = "as" if torch.equal(answer, truth) else "unlike"
        text += f"; {name} is {agrees} TorchCodec when it decodes every frame from the first"
    return text


def run_case(seed: int, case: int, counts: Counts, *, verbose: bool) -> None:
    """Make a case's video and requests, count what comes of them, and tell what is WRONG."""
    pick = random.Random(f"{seed} {case}")  # noqa: S311  it is to be repeatable
    recipe = draw_recipe(pick)
    folder = KEPT / f"{seed}-{case}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        recipe.make(folder)
    except NotEncodedError as error:
        counts.results[NOT_ENCODED] += 1
        if verbose:
            say(f"case {case}: {error}\n{recipe.script()}")
        shutil.rmtree(folder)
        return
    counts.videos += 1
    video = folder / recipe.video
    is_sound = True
    for _ in range(CALLS):
        call = draw_call(pick, _frames(video))
        outcome = compare(call, video)
        if outcome.result == WRONG and (damage := damage_of(video)) is not None:
            outcome = Outcome(DAMAGED, f"{outcome.detail}; FFmpeg reports: {damage}")
            say(f"case {case}, {recipe.kind}: {outcome.result}: {outcome.detail}")
        counts.add(outcome, case, recipe.kind)
        if outcome.result == WRONG:
            is_sound = False
            _tell(recipe, call, outcome, folder)
        elif verbose:
            say(f"case {case}, {recipe.kind}: {outcome.result} {outcome.detail}")
    if is_sound:
        shutil.rmtree(folder)
    elif verbose:
        say(recipe.script())


def damage_of(video: Path) -> str | None:
    """What FFmpeg's command reports of a video when it decodes all of it; None where that is nothing."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(video), "-map", "0:v:0", "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("[null")]  # not of the output
    return lines[0] if lines else None


def _frames(video: Path) -> int:
    try:
        return max(1, len(VideoDecoder(video)))
    except Exception:  # noqa: BLE001  then any request is as good
        return 10


def _tell(recipe: Recipe, call: Call, outcome: Outcome, folder: Path) -> None:
    text = f"{recipe.script()}\npython - <<'END'\n{call.script(folder / recipe.video)}\nEND"
    (folder / "reproduce.sh").write_text(text + "\n")
    say(f"WRONG: {outcome.detail}\n  kept in {folder}; to make it again:\n{textwrap.indent(text, '    ')}")


@contextlib.contextmanager
def without_ffmpegs_noise() -> Iterator[None]:
    """What FFmpeg's libraries write to file descriptor 2 is lost; what Python writes to stderr is not."""
    av.logging.set_level(av.logging.PANIC)
    sys.stderr.flush()
    before, kept = sys.stderr, os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    with os.fdopen(kept, "w") as pythons:
        sys.stderr = pythons
        try:
            yield
        finally:
            sys.stderr = before
            os.dup2(kept, 2)


def fuzz(arguments: argparse.Namespace, counts: Counts) -> None:
    """Run cases until the time is over."""
    started = told = time.monotonic()
    case = arguments.case or 0
    while True:
        faulthandler.dump_traceback_later(HANGS_AFTER, exit=True, file=sys.stderr)
        run_case(arguments.seed, case, counts, verbose=arguments.verbose)
        faulthandler.cancel_dump_traceback_later()
        now = time.monotonic()
        if arguments.case is not None or now - started >= 60 * arguments.minutes:
            return
        if now - told >= 10:
            told = now
            say(f"{now - started:.0f} s, case {case}: {counts.line()}")
        case += 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; gives its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (default: 5)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="default: a new one")  # noqa: S311
    parser.add_argument("--case", type=int, help="this one alone")
    parser.add_argument("--verbose", action="store_true", help="tell of every call and refused encoding")
    arguments = parser.parse_args(argv)
    say(f"seed {arguments.seed}")
    counts = Counts()
    status = 0
    try:
        with without_ffmpegs_noise():
            fuzz(arguments, counts)
    except KeyboardInterrupt:
        status = 130
    say("\n".join([counts.line(), *counts.reason_lines()]))
    with contextlib.suppress(OSError):
        KEPT.rmdir()  # unless something is kept
    return 1 if counts.results[WRONG] else status


if __name__ == "__main__":
    sys.exit(main())
