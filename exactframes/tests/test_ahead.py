"""Batches made ahead, and the threads that make them: what they give."""

import gc
import threading
import warnings
import weakref
from collections.abc import Generator
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from torchcodec.decoders import VideoDecoder

from exactframes import FallbackWarning, decode_frames, iter_frames
from exactframes.ahead import Ahead, Made
from exactframes.helpers import Stop
from exactframes.tests.iterators import ahead, batch, our_threads, run, wait_for_threads
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
