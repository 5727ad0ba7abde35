"""How long requests will be measured: told before anything is, from what their sequential decode took."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pytest

from benchmarks.harness.reference import Reference
from benchmarks.harness.request_work import Situation, why_not
from benchmarks.harness.watching import in_words
from fixtures.derive import EncoderMissingError
from fixtures.settings import usable_cpus

BEFORE = 1  # untimed passes of each way: its proof
# Ways open videos and seek, too: those of 0003_requests.json took so many times as long as sequential
# decodes of their frames.
SLOWER = 1.3


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What was selected, and about how long it takes."""

    situations: int
    ways: int  # of all situations together, limits too
    seconds: float  # of all passes, the proofs included

    def told(self, rounds: int) -> str:
        """A sentence."""
        several = "s" * (self.situations != 1)
        passes = f"{self.ways} ways to answer, {rounds} round{'s' * (rounds > 1)} of each and one to prove it"
        return f"{self.situations} situation{several} with {passes}: about {in_words(self.seconds)}"


def estimate(items: Iterable[pytest.Item], reference: Callable[[str], Reference], rounds: int) -> Estimate:
    """Estimate all passes of the selected benchmarks; a stream whose videos cannot be made here has none.

    Args:
        items: all benchmarks of the session.
        reference: of a stream, by its name.
        rounds: timed ones.

    Raises:
        InputError: if a user's log is wrong.
    """
    situations = ways = 0
    seconds = 0.0
    for situation, names in selected(items).items():
        try:
            asked = reference(situation.stream)
        except EncoderMissingError:  # its benchmarks are skipped, and say why
            continue
        answering = [name for name in names if why_not(name, situation, asked.stream) is None]
        situations, ways = situations + bool(answering), ways + len(answering)
        seconds += len(answering) * (BEFORE + rounds) * seconds_of_a_pass(asked, situation)
    return Estimate(situations=situations, ways=ways, seconds=seconds)


def selected(items: Iterable[pytest.Item]) -> Mapping[Situation, list[str]]:
    """The ways that are measured in each situation."""
    found: dict[Situation, list[str]] = {}
    for item in items:
        if isinstance(item, pytest.Function) and "situation" in item.fixturenames:
            situation, way = item.callspec.params["situation"], item.callspec.params["way"]
            assert isinstance(situation, Situation)
            found.setdefault(situation, []).append(str(way))
    return found


def seconds_of_a_pass(reference: Reference, situation: Situation) -> float:
    """About how long one pass takes, by a sequential decode of the same frames."""
    requests = reference.stream.requests
    work = sum(len(request) * reference.seconds_a_frame[request.video] for request in requests)
    sequential = work / min(max(1, situation.callers), usable_cpus())
    if situation.load == "open":
        return sequential * 100 / situation.number
    busy = SLOWER * sequential
    return max(busy, requests[-1].at or 0.0) if situation.load == "log" else busy
