"""Threads that share tasks, which are made up here."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from torch import Tensor

from exactframes.errors import DeclinedError
from exactframes.workers import _Others, on_threads, threads

OUTPUT = torch.zeros((1, 1, 1, 3), dtype=torch.uint8)


def run(all_tasks: Iterable[Any], workers: int, span: range) -> int:
    with threads(workers) as pool:
        return on_threads(all_tasks, OUTPUT, span, workers, pool)


@pytest.fixture
def no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError("can't start new thread")))


@dataclass
class Made:
    """A task that counts what is asked of it."""

    rows: tuple[int, ...] = (0, 1)
    is_done: bool = False
    asked: list[tuple[int, int]] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    error: Exception | None = None

    def write(self, output: Tensor, first_row: int, stop_row: int) -> int:
        assert output is OUTPUT
        self.asked.append((first_row, stop_row))
        self.threads.add(threading.current_thread().name)
        if self.error is not None:
            raise self.error
        return len(self.rows)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_each_task_is_done_once_and_its_rows_are_counted(workers: int) -> None:
    made = [Made(rows=tuple(range(count))) for count in range(7)]
    assert run(made, workers, range(3, 9)) == 21
    assert all(task.asked == [(3, 9)] for task in made)


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_are_this_thread_and_others(workers: int) -> None:
    everybody = threading.Barrier(workers, timeout=20)

    class Meeting(Made):
        def write(self, output: Tensor, first_row: int, stop_row: int) -> int:
            everybody.wait()
            return super().write(output, first_row, stop_row)

    made = [Meeting() for _ in range(2 * workers)]
    run(made, workers, range(9))
    names = set.union(*(task.threads for task in made))
    assert threading.current_thread().name in names
    assert sum(name.startswith("exactframes") for name in names) == workers - 1 == len(names) - 1


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_there_are_no_more_threads_than_workers_besides_the_caller(workers: int) -> None:
    is_over = threading.Event()
    with threads(workers) as pool:
        assert [pool.share(lambda: is_over.wait(20), 9) for _ in range(2)] == [workers - 1] * 2
        names = [thread.name for thread in threading.enumerate() if thread.name.startswith("exactframes")]
        is_over.set()
    assert len(names) == workers - 1


def test_nothing_to_do() -> None:
    assert run([], 3, range(1)) == 0


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_ends_the_taking_and_is_told(workers: int) -> None:
    taken: list[int] = []

    def endless() -> Iterator[Made]:
        while True:
            taken.append(len(taken))
            yield Made(error=DeclinedError("no") if len(taken) == 4 else None)
            assert len(taken) < 100_000

    with pytest.raises(DeclinedError, match=r"^no$"):
        run(endless(), workers, range(1))


def failing_here(count: int, meanwhile: Callable[[], object]) -> list[Made]:
    """Tasks that fail in this thread once another thread is at one, which does something meanwhile."""
    here, has_begun = threading.current_thread(), threading.Event()

    class Failing(Made):
        def write(self, output: Tensor, first_row: int, stop_row: int) -> int:
            if threading.current_thread() is here:
                assert has_begun.wait(20)
                raise DeclinedError("no")
            has_begun.set()
            meanwhile()
            return super().write(output, first_row, stop_row)

    return [Failing() for _ in range(count)]


def test_after_an_error_no_thread_takes_another_task(monkeypatch: pytest.MonkeyPatch) -> None:
    has_failed, wait = threading.Event(), _Others.wait

    def waiting(others: _Others) -> None:
        has_failed.set()
        wait(others)

    def until_it_has() -> None:
        assert has_failed.wait(20)

    monkeypatch.setattr(_Others, "wait", waiting)
    tasks = iter(failing_here(3, until_it_has))
    with pytest.raises(DeclinedError):
        run(tasks, 2, range(1))
    assert len(list(tasks)) == 1


def test_an_error_is_told_when_the_other_threads_have_ended() -> None:
    ended: list[str] = []

    def slowly() -> None:
        threading.Event().wait(0.1)
        ended.append("the other")

    with threads(2) as pool:
        with pytest.raises(DeclinedError):
            on_threads(failing_here(2, slowly), OUTPUT, range(1), 2, pool)
        assert ended == ["the other"]


def test_an_error_of_cutting_is_told() -> None:
    def cut() -> Iterator[Made]:
        yield Made()
        raise DeclinedError("damaged")

    with pytest.raises(DeclinedError, match=r"^damaged$"):
        run(cut(), 3, range(1))


def test_tasks_are_taken_one_at_a_time() -> None:
    inside: list[int] = []
    most: list[int] = []

    def slow() -> Iterator[Made]:
        for _ in range(20):
            inside.append(1)
            most.append(len(inside))
            threading.Event().wait(0.001)
            inside.pop()
            yield Made()

    assert run(slow(), 4, range(1)) == 40  # a generator that is entered twice raises
    assert max(most) == 1


@pytest.mark.parametrize("error", [DeclinedError("no"), KeyboardInterrupt()])
def test_an_error_of_another_thread_is_told_as_it_is(error: BaseException) -> None:
    here, others_turn = threading.current_thread(), threading.Event()

    class Failing(Made):
        def write(self, output: Tensor, first_row: int, stop_row: int) -> int:
            if threading.current_thread() is not here:
                others_turn.set()
                raise error
            assert others_turn.wait(20)
            return super().write(output, first_row, stop_row)

    with pytest.raises(type(error)) as told:
        run([Failing() for _ in range(2)], 2, range(1))
    assert told.value is error


@pytest.mark.usefixtures("no_more_threads")
def test_where_no_thread_can_be_started_this_one_does_all() -> None:
    made = [Made() for _ in range(3)]
    assert run(made, 4, range(1)) == 6
    assert {name for task in made for name in task.threads} == {threading.current_thread().name}


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_threads_do_all_the_work(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    start, started = threading.Thread.start, [0]

    def refused(thread: threading.Thread) -> None:
        started[0] += 1
        if started[0] > count:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refused)
    made = [Made() for _ in range(20)]
    assert run(made, 4, range(1)) == 40
    assert all(len(task.asked) == 1 for task in made)
