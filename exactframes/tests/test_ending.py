"""How iterators and their threads end: what never waits, at exit, in forks, and under the collector."""

import gc
import os
import re
import threading
from collections.abc import Generator
from itertools import islice
from pathlib import Path

import pytest

from exactframes.ahead import Ahead, Made
from exactframes.errors import StoppedError
from exactframes.helpers import Crew, Stop
from exactframes.tests.iterators import batch, our_threads, run, wait_for_threads
from fixtures.testing.corpus import damage, make_video


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(
        tmp_path_factory.mktemp("ahead") / "video.mp4", "-c:v", "libx264", "-g", "10", frames=300
    )


@pytest.fixture(scope="module")
def damaged(video: Path) -> Path:
    return damage(video, video.with_name("damaged.mp4"), packet=70, offset=1, mask=0xFF)


@pytest.fixture(autouse=True)
def nothing_is_left_of_other_tests() -> None:
    gc.collect()  # an iterator in a cycle of references
    wait_for_threads()


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
