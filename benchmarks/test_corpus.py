"""Every strategy on every kind of video: equal to `sequential`, or openly declined."""

import random
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from benchmarks.pruning import excerpt, plan
from benchmarks.pruning.packets import PlanDeclinedError, read_packets
from benchmarks.pruning.plan import make_plan
from benchmarks.strategies import STRATEGIES, excerpt_workers
from benchmarks.strategies.excerpt_workers import FallbackWarning
from benchmarks.strategies.one_decoder import sequential
from fixtures.corpus import CORPUS, DERIVED, make_corpus_video
from fixtures.errors import InputError
from fixtures.settings import SeekMode
from fixtures.workload import Workload, read_workload

KEPT_WHOLE = {"hevc temporal layers", "vp9 alt-ref", "mpeg4 B-frames", "mpeg2 B-frames"}
FALL_BACK = {"h264 in MPEG-TS", "hevc open GOP in MPEG-TS", "av1", *DERIVED}
FALL_BACK_IN_APPROXIMATE = {
    *("h264 open GOP", "h264 in AVI", "h264 variable frame rate", "h264 start offset"),
    *("hevc open GOP", "hevc open GOP in MKV", "hevc 10-bit", "mpeg4 B-frames", "mpeg2 B-frames"),
}
Corpus = Callable[[str], Path]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Gives a video of the corpus by name, made once; skips the test if FFmpeg lacks its encoder."""
    folder = tmp_path_factory.mktemp("corpus")
    made: dict[str, Path] = {}

    def get(name: str) -> Path:
        if name not in made:
            try:
                made[name] = make_corpus_video(name, folder)
            except InputError as error:
                pytest.skip(str(error))
        return made[name]

    return get


def patterns(frames: int) -> dict[str, tuple[int, ...]]:
    chance = random.Random(frames)
    return {
        "none": (),
        "one": (frames // 2,),
        "first": (0,),
        "last": (frames - 1,),
        "every 12th": tuple(range(0, frames, 12)),
        "all": tuple(range(frames)),
        "random": tuple(chance.randrange(frames) for _ in range(9)),
        "unsorted, repeated": (frames - 2, 3, 3, frames // 3, 0, frames - 2, 20),
    }


def decode(strategy: str, workload: Workload) -> tuple[Tensor | None, bool]:
    """What a strategy returns on two workers (None: TorchCodec refuses), and whether it fell back."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", FallbackWarning)
        try:
            frames = STRATEGIES[strategy].decode(workload, 2)
        except RuntimeError:
            return None, bool(told)
    return frames, bool(told)


def has_plan(workload: Workload) -> bool:
    """Without one, TorchCodec's answer depends on where a decoder begins: splitting the work is not exact."""
    try:
        make_plan(workload, 4)
    except PlanDeclinedError:
        return False
    return True


@pytest.mark.parametrize("seek_mode", ["approximate", "exact"])
@pytest.mark.parametrize("name", [*CORPUS, *DERIVED])
def test_every_strategy_is_exact_or_declines(name: str, seek_mode: SeekMode, corpus: Corpus) -> None:
    video = read_workload(corpus(name), (), seek_mode)
    for pattern, indices in patterns(video.video.frames).items():
        workload = replace(video, indices=indices)
        expected, _ = decode("sequential", workload)
        for strategy, prunes in ((name, entry.prunes) for name, entry in STRATEGIES.items()):
            if "processes" in strategy and (pattern != "unsorted, repeated" or not has_plan(workload)):
                continue  # the same code as on threads, and each failure restarts the workers
            frames, fell_back = decode(strategy, workload)
            if not prunes and not has_plan(workload):
                continue  # TorchCodec's own strategies split the work all the same: the proof judges them
            told = f"{strategy} on {name}, {seek_mode}, {pattern}, fell back: {fell_back}"
            assert (frames is None) == (expected is None), told
            if frames is not None and expected is not None:
                torch.testing.assert_close(frames, expected, atol=0, rtol=0, msg=told)


@pytest.mark.parametrize("seek_mode", ["approximate", "exact"])
@pytest.mark.parametrize("name", [*CORPUS, *DERIVED])
def test_what_is_pruned_kept_whole_or_declined(name: str, seek_mode: SeekMode, corpus: Corpus) -> None:
    """The README's list: that nothing falls back unnoticed."""
    video = read_workload(corpus(name), (), seek_mode)
    _, fell_back = decode("pruned", replace(video, indices=tuple(range(video.video.frames))))
    falls_back = name in FALL_BACK or (seek_mode == "approximate" and name in FALL_BACK_IN_APPROXIMATE)
    assert fell_back == falls_back
    if not falls_back:
        made = make_plan(replace(video, indices=tuple(range(0, video.video.frames, 5))), 4)
        assert (made.kept < len(made.packets)) == (name not in KEPT_WHOLE)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@pytest.mark.parametrize("name", ["h264 short GOPs", "h264 b-pyramid normal", "hevc open GOP", "mjpeg"])
@given(indices=st.lists(st.integers(0, 74), max_size=20).map(tuple), pieces=st.integers(1, 40))
def test_plans_cover_any_request(name: str, indices: tuple[int, ...], pieces: int, corpus: Corpus) -> None:
    workload = read_workload(corpus(name), indices, "exact")
    made = make_plan(workload, pieces)
    assert sorted(row for run in made.runs for _, row in run.requests) == list(range(len(indices)))
    for run in made.runs:
        assert list(run.positions) == sorted(set(run.positions))
        assert {position for position, _ in run.requests} <= set(run.positions)
    output = torch.zeros((len(indices), 3, 64, 96), dtype=torch.uint8)
    for piece in excerpt.cut(workload, made):
        for rows, frames in excerpt.decode_excerpt(piece):
            output[list(rows)] = frames
    torch.testing.assert_close(output, sequential(workload, 1), atol=0, rtol=0)


@pytest.mark.parametrize("name", ["h264 short GOPs", "hevc open GOP"])
def test_the_net_catches_a_dropped_reference(
    name: str, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planner that drops what others refer to gives wrong frames, and the comparison sees it."""
    workload = read_workload(corpus(name), tuple(range(0, 75, 5)), "exact")
    read = read_packets(workload.video)
    careless = [packet if packet.starts else packet._replace(needed=False) for packet in read.packets]
    monkeypatch.setattr(plan, "read_packets", lambda _: read._replace(packets=careless))
    frames, fell_back = decode("pruned", workload)
    assert frames is not None
    assert fell_back or not torch.equal(frames, sequential(workload, 1))


def test_a_frame_at_another_time_falls_back(small_video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An excerpt that gives other frames than planned is not used: the strategy says so and stays exact."""
    workload = read_workload(small_video, (5, 40), "exact")

    def cut_askew(workload: Workload, made: plan.Plan) -> Iterator[excerpt.Excerpt]:
        for piece in excerpt.cut(workload, made):
            yield replace(piece, frames=tuple(frame - 1 for frame in piece.frames))

    monkeypatch.setattr(excerpt_workers, "cut", cut_askew)
    with pytest.warns(FallbackWarning, match="not shown at its planned time"):
        frames = excerpt_workers.pruned(workload, 1)
    torch.testing.assert_close(frames, sequential(workload, 1), atol=0, rtol=0)
