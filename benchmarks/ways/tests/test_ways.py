"""Every way answers, by numbers, by times, of bytes, resized: as a sequential decode does, or alike."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.harness.answering import Answering, Asking
from benchmarks.harness.contenders import NotMeasuredError
from benchmarks.harness.reference import take_reference
from benchmarks.loads.callers import Callers
from benchmarks.ways import WAYS
from fixtures.clip import Clip
from fixtures.long_video import read_video
from fixtures.requests import Request, RequestStream

ASKED = ((10, 14, 18, 22), (0,), (74,), (60, 3, 31, 31, 5), (40, 41), (3, 60), (22, 26))


@pytest.fixture(scope="module")
def streams(small_video: Path) -> dict[str, RequestStream]:
    video = read_video(Clip(path=small_video, name="small.mp4"), "exact")
    stream = RequestStream(
        name="small", videos=(video,), requests=tuple(Request(video=0, indices=asked) for asked in ASKED)
    )
    by_time = tuple(
        Request(video=0, seconds=tuple((number + 0.25) / video.fps for number in asked)) for asked in ASKED
    )
    return {
        "files": stream,
        "times": replace(stream, requests=by_time),
        "bytes": replace(stream, is_bytes=True),
        "resized": replace(stream, size=(32, 48)),
    }


@pytest.mark.parametrize("kind", ["files", "times", "bytes", "resized"])
@pytest.mark.parametrize("name", WAYS)
def test_a_way_answers(name: str, kind: str, streams: dict[str, RequestStream]) -> None:
    way, stream = WAYS[name], streams[kind]
    if reason := way.declines(stream):
        pytest.skip(reason)
    load = Callers.of(way, stream, 2)
    subject = Answering(name, way, take_reference(stream), Asking(load=load, callers=2))
    try:
        subject.warm_up()
    except NotMeasuredError as reason:
        pytest.skip(str(reason))
    proof = subject.prove()
    subject.close()
    assert proof.frames == sum(map(len, ASKED))
    assert way.is_peer or not proof.differing_frames


def test_sigterm_stays_the_suite_s(streams: dict[str, RequestStream]) -> None:
    """SPDL takes it over when it is first used."""
    way, stream, handler = WAYS["spdl"], streams["files"], signal.getsignal(signal.SIGTERM)
    if reason := way.declines(stream):
        pytest.skip(reason)
    subject = Answering(
        "spdl", way, take_reference(stream), Asking(load=Callers.of(way, stream, 2), callers=2)
    )
    subject.warm_up()
    subject.prove()
    subject.close()
    assert signal.getsignal(signal.SIGTERM) is handler


def test_a_way_of_torchcodec_s_and_ours_is_skipped_only_where_it_must_be(
    streams: dict[str, RequestStream],
) -> None:
    """So that the test above cannot pass by skipping."""
    skipped = {
        (name, kind)
        for name, way in WAYS.items()
        for kind, stream in streams.items()
        if not way.is_peer and way.missing is None and way.declines(stream)
    }
    kept = ("kept", "kept-approximate", "kept-mappings")
    assert skipped == {*((name, "bytes") for name in kept), ("decode-frames", "times")}
