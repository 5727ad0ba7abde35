"""Rounds in turns: the order, what a failure does, and that replayed seconds are those that were taken."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from benchmarks.against.planted import _slowed
from benchmarks.harness.clock import CLOCK
from benchmarks.harness.contenders import Contender
from benchmarks.harness.passes import Pause
from benchmarks.harness.rounds import InTurns, replay
from benchmarks.strategies.one_decoder import sequential
from fixtures.console import Console
from fixtures.workload import Workload, read_workload
from results.schema import Record


@pytest.fixture
def quiet(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setattr(Console, "line", lambda *_: None)
    return Console(pytestconfig)


@dataclass
class FakePass:
    name: str
    do: Callable[[], object]
    do_last: Callable[[], object]

    def warm_up(self) -> None: ...

    def run(self) -> None:
        self.do()

    def prove(self, when: str = "", pause: Pause = CLOCK.stopped) -> None:  # noqa: ARG002
        self.do()

    def prove_last(self) -> None:
        self.do_last()


def in_turns(console: Console, *passes: FakePass) -> InTurns:
    record = Record(strategy="it", workers=1, frames=0)
    contenders = [Contender(subject=subject, record=record) for subject in passes]
    rounds = InTurns(contenders, 2, console)
    rounds.take_all()
    return rounds


def logging(log: list[str], name: str) -> Callable[[], str]:
    def run() -> str:
        log.append(name)
        return name

    return run


def test_all_take_turns(quiet: Console) -> None:
    log: list[str] = []
    taken = in_turns(quiet, *(FakePass(n, logging(log, n), logging(log, f"{n}, last")) for n in ("a", "b")))
    assert log == ["a", "b"] * 2 + ["a, last", "b, last"]  # an untimed turn, and two that count
    assert [len(seconds) for seconds in taken.seconds.values()] == [2, 2]
    assert not taken.errors


def test_one_that_fails_is_out_and_the_others_go_on(quiet: Console) -> None:
    log: list[str] = []
    sound = logging(log, "s")
    broken = FakePass("broken", lambda: 1 / 0, lambda: None)
    taken = in_turns(quiet, broken, FakePass("sound", sound, sound))
    assert isinstance(taken.errors["broken"], ZeroDivisionError)
    assert taken.seconds["broken"] == []
    assert len(log) == 3


def test_a_wrong_last_round_is_an_error(quiet: Console) -> None:
    def wrong() -> None:
        raise AssertionError("wrong frames")

    taken = in_turns(quiet, FakePass("late", lambda: 0, wrong))
    assert str(taken.errors["late"]) == "wrong frames"


def test_replayed_seconds_are_those_that_were_taken() -> None:
    take = replay([100.0, 300.0])
    for seconds in (100.0, 300.0):
        start = CLOCK.now()
        take()
        assert CLOCK.now() - start == pytest.approx(seconds, abs=1)


def test_planted_work_is_more_frames_and_the_same_result(small_video: object) -> None:
    asked: list[int] = []

    def counting(workload: Workload, workers: int) -> object:
        asked.append(len(workload.indices))
        return sequential(workload, workers)

    workload = read_workload(str(small_video), range(0, 75, 3))
    frames = _slowed(counting, 0.2)(workload, 2)  # type: ignore[arg-type]
    assert asked == [25, 5]
    assert len(frames) == 25
