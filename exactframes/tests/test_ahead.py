"""Batches made ahead, and the threads that make them: what they give, when they end, and what never waits."""

import gc
import os
import re
import subprocess
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Generator
from itertools import islice
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from torchcodec.decoders import VideoDecoder

from exactframes import FallbackWarning, decode_frames, iter_frames
from exactframes.ahead import Ahead, Made
from exactframes.errors import StoppedError
from exactframes.helpers import Crew, Stop
from fixtures.testing.corpus import damage, make_video
from fixtures.testing.suite_runner import ROOT

NO_FRAMES = torch.zeros((1, 3, 2, 2), dtype=torch.uint8)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(
        tmp_path_factory.mktemp("ahead") / "video.mp4", "-c:v", "libx264", "-g", "10", frames=300
    )


@pytest.fixture(scope="module")
def damaged(video: Path) -> Path:
    return damage(video, video.with_name("damaged.mp4"), packet=70, offset=1, mask=0xFF)


def our_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("exactframes")]


@pytest.fixture(autouse=True)
def nothing_is_left_of_other_tests() -> None:
    gc.collect()  # an iterator in a cycle of references
    wait_for_threads()


def wait_for_threads() -> None:
    latest = time.monotonic() + 5
    while our_threads() and time.monotonic() < latest:
        time.sleep(0.005)
    assert not our_threads()


def ahead(*made: Made | BaseException) -> Ahead:
    return Ahead(given(made), Stop())


def given(made: tuple[Made | BaseException, ...]) -> Generator[Made, None, None]:
    for item in made:
        if isinstance(item, BaseException) and not isinstance(item, Warning):
            raise item
        yield item


def batch(number: int) -> tuple[range, torch.Tensor]:
    return range(number, number + 1), NO_FRAMES


def run(program: str, *arguments: object) -> str:
    """What a program prints, in a process that must end by itself, well, and in time."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# --- What is given ---


def test_batches_come_in_order_and_then_no_more() -> None:
    batches = ahead(batch(0), batch(1), batch(2))
    assert [rows.start for rows, _ in batches] == [0, 1, 2]
    assert not our_threads()
    assert next(batches, None) is None


def test_an_error_is_told_once_with_its_type_after_what_came_before() -> None:
    error = KeyError("mine")
    batches = ahead(batch(0), error, batch(2))
    next(batches)
    with pytest.raises(KeyError) as told:
        next(batches)
    assert told.value is error
    assert not our_threads()
    assert next(batches, None) is None


def test_an_error_that_was_told_is_freed() -> None:
    """The error holds the frames it came through, and these must not hold the error."""

    def failing() -> Generator[Made, None, None]:
        yield from ()
        raise KeyError("mine")

    batches = Ahead(failing(), Stop())
    freed = weakref.ref(batches)
    gc.disable()
    try:
        assert told(batches) == "mine"
        del batches
        wait_for_threads()
        assert freed() is None
    finally:
        gc.enable()


def told(batches: Ahead) -> str:
    try:
        next(batches)
    except KeyError as error:
        return str(error.args[0])
    return "nothing"


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_several_threads_may_take_batches() -> None:
    """Each of them is told the end as the end, though the first of them has closed the iterator by then."""
    batches = ahead(*map(batch, range(200)))
    taken: list[int] = []
    takers = [
        threading.Thread(target=lambda: taken.extend(rows.start for rows, _ in batches)) for _ in range(4)
    ]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join(20)
    assert sorted(taken) == list(range(200))


def test_where_no_thread_can_be_started_the_caller_s_makes_the_batches(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError("can't start new thread")))
    expected = VideoDecoder(video).get_frames_at(list(range(20))).data
    taken = list(iter_frames(video, range(20), batch_frames=8, workers=4))
    assert [rows for rows, _ in taken] == [range(8), range(8, 16), range(16, 20)]
    assert torch.equal(torch.cat([frames for _, frames in taken]), expected)
    assert torch.equal(decode_frames(video, range(20), workers=4), expected)


LIMITED = """
import sys, threading
from exactframes import decode_frames, iter_frames
threading.stack_size(2**46)  # more than the address space: no thread can be started
try:
    threading.Thread(target=print).start()
except RuntimeError:
    print(decode_frames(sys.argv[1], range(20), workers=4).shape[0])
    print(sum(len(rows) for rows, _ in iter_frames(sys.argv[1], range(20), workers=4)))
"""


@pytest.mark.long
def test_where_the_system_gives_no_more_threads(video: Path) -> None:
    assert run(LIMITED, video) == "20\n20\n"


# --- Warnings ---


def test_a_warning_points_to_the_caller_s_line(damaged: Path) -> None:
    batches = iter_frames(damaged, range(60), batch_frames=25, workers=2)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in batches:
            pass
    assert [(warning.filename, warning.lineno) for warning in told] == [
        (__file__, line_of("for _ in batches:"))
    ]


def line_of(text: str) -> int:
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.strip() == text)


def test_a_warning_that_is_an_error_is_raised_to_the_caller(damaged: Path) -> None:
    batches = iter_frames(damaged, range(60), batch_frames=25, workers=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FallbackWarning, match="a NAL unit is longer than its packet"):
            list(batches)
    assert list(batches) == []
    wait_for_threads()


def test_a_warning_comes_before_what_it_is_about() -> None:
    batches = ahead(batch(0), UserWarning("first"), UserWarning("second"), batch(1), UserWarning("last"))
    assert next(batches)[0].start == 0
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert next(batches)[0].start == 1
    assert [str(warning.message) for warning in told] == ["first", "second"]
    with pytest.warns(UserWarning, match="last"):
        assert next(batches, None) is None


# --- Inference mode ---


@pytest.mark.parametrize("workers", [1, 3])
def test_frames_are_of_the_caller_s_inference_mode(workers: int, video: Path, damaged: Path) -> None:
    for film in (video, damaged):
        for mode in (True, False):
            with torch.inference_mode(mode), warnings.catch_warnings():
                warnings.simplefilter("ignore", FallbackWarning)
                theirs = VideoDecoder(film).get_frames_at([0]).data.is_inference()
                assert decode_frames(film, range(30), workers=workers).is_inference() == theirs == mode
                for _, frames in iter_frames(film, range(30), batch_frames=8, workers=workers):
                    assert frames.is_inference() == mode


def test_inference_mode_may_change_between_batches(video: Path) -> None:
    expected = VideoDecoder(video).get_frames_at(list(range(32))).data
    batches = iter_frames(video, range(32), batch_frames=8, workers=2)
    for mode in (False, True, True, False):
        with torch.inference_mode(mode):
            rows, frames = next(batches)
        assert frames.is_inference() == mode
        assert torch.equal(frames, expected[rows.start : rows.stop])


# --- The end ---


def test_to_close_or_free_an_iterator_waits_for_nothing_and_ends_its_threads() -> None:
    is_making, may_end = threading.Event(), threading.Event()

    def slow() -> Generator[Made, None, None]:
        yield batch(0)
        is_making.set()
        may_end.wait(20)
        yield batch(1)

    for free in (True, False):
        is_making.clear()
        may_end.clear()
        batches = Ahead(slow(), Stop())
        next(batches)
        assert is_making.wait(20)
        if free:
            del batches
        else:
            batches.close()
            assert next(batches, None) is None
        assert len(our_threads()) == 1  # it is still at its batch
        may_end.set()
        wait_for_threads()


def test_a_generator_is_closed_by_the_thread_that_made_its_batches() -> None:
    names: list[str] = []

    def noting() -> Generator[Made, None, None]:
        try:
            while True:
                yield batch(0)
        finally:
            names.append(threading.current_thread().name)

    batches = Ahead(noting(), Stop())
    next(batches)
    batches.close()
    wait_for_threads()
    assert names == ["exactframes-ahead"]


def test_a_batch_in_the_making_ends_with_the_excerpt_it_is_at() -> None:
    stop = Stop()
    items = stop.heeded(range(9))
    assert list(islice(items, 3)) == [0, 1, 2]
    stop.is_set = True
    with pytest.raises(StoppedError, match="the iterator has been closed, or the process exits"):
        next(items)


def test_to_free_a_crew_ends_its_threads() -> None:
    crew, is_over = Crew(2), threading.Event()
    assert crew.share(lambda: is_over.wait(20), 2) == 2
    del crew
    assert len(our_threads()) == 2
    is_over.set()
    wait_for_threads()


ABANDONED = """
import gc, sys, threading, time
from exactframes import iter_frames
gc.set_threshold(1, 1, 1)  # the collector runs all the time, in whatever thread
failures = []

def abandon(video):
    batches = iter_frames(video, range(300), batch_frames=30, workers=2)
    next(batches)
    raise ValueError("the caller's own")

for _ in range(int(sys.argv[2])):
    try:
        abandon(sys.argv[1])
    except ValueError as error:
        failure = error  # a cycle: the error holds the frame, which holds the error
        failure.again = failure
    del failure
latest = time.monotonic() + 20
gc.collect()
while threading.active_count() > 1 and time.monotonic() < latest:
    time.sleep(0.01)
    gc.collect()
print(threading.active_count())
"""


@pytest.mark.long
def test_iterators_that_the_collector_frees_leave_no_thread(video: Path) -> None:
    assert run(ABANDONED, video, 200) == "1\n"


FREED_WITHIN = """
import gc, sys, threading, time
from exactframes import iter_frames
from exactframes.excerpt import Decoding
gc.disable()  # it runs where it is told to: in the threads that decode
abandoned, write = threading.Event(), Decoding.write

def collecting(self, output, first_row, stop_row):
    if first_row:  # of the batch that is made ahead
        assert abandoned.wait(20)
        gc.collect()
    return write(self, output, first_row, stop_row)

def abandon(video, workers):
    batches = iter_frames(video, range(300), batch_frames=30, workers=workers)
    next(batches)
    raise ValueError("the caller's own")

Decoding.write = collecting
for number in range(10):
    abandoned.clear()
    try:
        abandon(sys.argv[1], 1 + number % 3)
    except ValueError as error:
        failure = error
        failure.itself = failure
    del failure
    abandoned.set()
    latest = time.monotonic() + 20
    while threading.active_count() > 1 and time.monotonic() < latest:
        time.sleep(0.01)
    print(threading.active_count(), end="")
"""


@pytest.mark.long
def test_an_iterator_that_is_freed_in_its_own_thread(video: Path) -> None:
    assert run(FREED_WITHIN, video) == "1" * 10


AT_EXIT = """
import os, sys, threading, time, warnings
from exactframes import decode_frames, iter_frames
warnings.simplefilter("ignore")
kept = []
for number in range(int(sys.argv[1])):
    if not os.fork():  # a process that ends as others do, and has torch already
        video = sys.argv[2:][number % len(sys.argv[2:])]
        batches = iter_frames(video, range(300), batch_frames=50, workers=1 + number % 3)
        kept.append(batches)
        next(batches)
        time.sleep(number % 7 * 0.004)
        sys.exit()
    status = os.waitstatus_to_exitcode(os.wait()[1])
    if status:
        print("exit", status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_process_that_exits_while_batches_are_made_is_not_aborted(video: Path, damaged: Path) -> None:
    assert run(AT_EXIT, 6, video, damaged) == ""


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_no_process_of_many_is_aborted_as_it_exits(video: Path, damaged: Path) -> None:
    assert run(AT_EXIT, 30, video) == ""
    assert run(AT_EXIT, 9, damaged) == ""


LATE = """
import atexit, sys
kept, told = [], []

@atexit.register  # before the library's own: it is called when that has ended the threads
def late():
    print(decode_frames(sys.argv[1], range(20), workers=3).shape[0])
    print(sum(len(rows) for rows, _ in iter_frames(sys.argv[1], range(20), batch_frames=6)))
    try:
        print(sum(len(rows) for rows, _ in kept[0]))
    except RuntimeError as error:
        print(error)

from exactframes import decode_frames, iter_frames
kept.append(iter_frames(sys.argv[1], range(300), batch_frames=50))
next(kept[0])
"""


@pytest.mark.long
def test_at_exit_the_caller_s_thread_still_decodes(video: Path) -> None:
    told = "no more frames are made: the iterator has been closed, or the process exits"
    assert run(LATE, video) == f"20\n20\n{told}\n"


AFTER_MAIN = """
import sys, threading
from exactframes import decode_frames, iter_frames

def late():
    threading.main_thread().join()
    print(decode_frames(sys.argv[1], range(20), workers=3).shape[0])
    print(sum(len(rows) for rows, _ in iter_frames(sys.argv[1], range(20), batch_frames=6, workers=3)))

threading.Thread(target=late).start()
"""


@pytest.mark.long
def test_a_thread_that_outlives_the_main_one_decodes(video: Path) -> None:
    assert run(AFTER_MAIN, video) == "20\n20\n"


FORKED = """
import gc, os, signal, sys, time, warnings
from exactframes import decode_frames, iter_frames
warnings.simplefilter("ignore")
expected = decode_frames(sys.argv[1], range(8))
unread = iter_frames(sys.argv[1], range(8), batch_frames=8)
batches = iter_frames(sys.argv[1], range(300), batch_frames=30, workers=2)
next(batches)
if not os.fork():
    signal.alarm(30)
    try:
        next(batches)
    except RuntimeError as error:
        print(error)
    before = time.monotonic()
    del batches
    gc.collect()
    print(time.monotonic() - before < 1)
    print((next(unread)[1] == expected).all().item())
    sys.exit()
print(os.waitstatus_to_exitcode(os.wait()[1]))
print(sum(len(rows) for rows, _ in batches))
"""


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_an_iterator_that_a_forked_process_inherits(video: Path) -> None:
    sentence, *others = run(FORKED, video).splitlines()
    assert re.search(
        r"^these frames are being decoded in another process: make a new iterator here$", sentence
    )
    assert others == ["True", "True", "0", "270"]


CREW_FORKED = """
import os, signal, sys, threading
from exactframes.helpers import Crew
crew = Crew(2)
done = [threading.Event() for _ in range(2)]
assert crew.share(done[0].set, 1) == 1 and done[0].wait(20)
if not os.fork():
    signal.alarm(30)
    assert crew.share(done[1].set, 1) == 1 and done[1].wait(20)
    sys.exit()
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_crew_that_a_forked_process_inherits_starts_its_own_threads() -> None:
    assert run(CREW_FORKED) == "0\n"
