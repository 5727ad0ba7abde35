"""Every strategy on every kind of video: equal to `sequential`, or openly declined."""

import random
import shlex
import subprocess
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchcodec.decoders import VideoDecoder
from torchcodec.transforms import Resize

import exactframes
from benchmarks.strategies import STAGES, STRATEGIES
from benchmarks.strategies.one_decoder import sequential
from exactframes import (
    DeclinedError,
    FallbackWarning,
    VerificationError,
    decode_frames,
    iter_frames,
    survey,
)
from exactframes import packets as packets_module
from exactframes.rules.roles import Role
from exactframes.support import KEPT_WHOLE as WHOLE_GOPS
from exactframes.support import TRIED, codec_for
from exactframes.tests.asking import answer, is_same, prune_whenever_possible, requests
from fixtures.console import Console
from fixtures.errors import InputError
from fixtures.settings import SeekMode
from fixtures.testing.corpus import CORPUS, DERIVED, damage, in_matroska, make_corpus_video
from fixtures.workload import Workload, read_workload

KEPT_WHOLE = {
    *("vp9 alt-ref", "vp9 in MP4", "vp9 with alpha", "vp8", "vp8 alt-ref", "theora", "theora in Ogg"),
    *("mpeg4", "mpeg4 B-frames", "mpeg4 in AVI", "mpeg4 quarter-pel", "mpeg2 B-frames", "mpeg2 in MP4"),
    *("wmv2", "wmv2 in MKV", "flv1 in MKV", "flv1", "ffv1", "vp9 fragments"),
}
FALL_BACK = {
    *("h264 in MPEG-TS", "hevc open GOP in MPEG-TS", "h264 in MPEG-PS", "h264 close keyframes in FLV"),
    *("h264 with B-frames in AVI", "mpeg4 B-frames in AVI", "h264 intra refresh", "h263", "h263 in MKV"),
    *("h264 edit list", "h264 truncated", "h264 damaged header", "huffyuv", "h263 in AVI", "h264 from AVI"),
    *(
        "h264 close keyframes, fragments",
        "h264 close keyframes, no edit list",
        "hevc GOPs of 2, no edit list",
    ),
}
FALL_BACK_IN_APPROXIMATE = {
    *("h264 open GOP", "h264 open GOP in MKV", "h264 in AVI", "h264 variable frame rate"),
    *("h264 start offset", "hevc open GOP", "h264 in FLV", "flv1", "h264 no B-frames in FLV"),
    *("h264 fragment a keyframe", "h264 fragment a frame", "h264 fragments, start offset", "vp9 fragments"),
    *("hevc open GOP, fragments", "h264 all flagged, fragments", "h264 no B-frames in MPEG-TS"),
    *("h264 edit list hides the end", "theora in Ogg"),
    *("hevc open GOP in MKV", "hevc open GOP, layers", "hevc 10-bit", "hevc HDR10", "hevc RADL"),
    *("mpeg4 B-frames", "mpeg4 quarter-pel", "mpeg2 B-frames", "mpeg2 in MP4"),
}
ITERATED = "iter_frames"
Corpus = Callable[[str], Path]
Counts = Counter[str]


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


@pytest.fixture(scope="session")
def counts(console: Console) -> Iterator[Counts]:
    """How often what came out, told at the end."""
    counted: Counts = Counter()
    yield counted
    if counted:
        told = ", ".join(f"{count} {what}" for what, count in sorted(counted.items()))
        console.line(f"corpus, {len(CORPUS) + len(DERIVED)} kinds of video: {told}")


def patterns(frames: int) -> dict[str, tuple[int, ...]]:
    chance = random.Random(frames)
    return {
        "none": (),
        "one": (frames // 2,),
        "first": (0,),
        "last": (frames - 1,),
        "every 12th": tuple(range(0, frames, 12)),
        "all": tuple(range(frames)),
        "stretch": tuple(range(frames // 3, frames // 2)),
        "before keyframes": (18, 19, 38, 39, 59),
        "late": tuple(range(frames * 4 // 5, frames, 3)),
        "random": tuple(chance.randrange(frames) for _ in range(9)),
        "unsorted, repeated": (frames - 2, 3, 3, frames // 3, 0, frames - 2, 20),
    }


def iterated(workload: Workload, workers: int) -> Tensor:
    """All batches of iter_frames, in one tensor."""
    mode, shape = workload.seek_mode, (0, 3, workload.video.height, workload.video.width)
    batches = iter_frames(
        workload.video.path, workload.indices, batch_frames=7, workers=workers, seek_mode=mode
    )
    return torch.cat([torch.empty(shape, dtype=torch.uint8), *(frames for _, frames in batches)])


def decode(strategy: str, workload: Workload) -> tuple[Tensor | None, bool]:
    """What a strategy returns on two workers (None: TorchCodec refuses), and whether it fell back."""
    way = iterated if strategy == ITERATED else STRATEGIES[strategy].decode
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", FallbackWarning)
        try:
            frames = way(workload, 2)
        except (RuntimeError, IndexError):
            return None, bool(told)
    return frames, bool(told)


def has_plan(workload: Workload) -> bool:
    """Without one, TorchCodec's answer depends on where a decoder begins: splitting the work is not exact."""
    try:
        survey(workload.video.path, workload.indices, workload.seek_mode)
    except DeclinedError:
        return False
    return True


def most_long(names: Sequence[str], one_in: int) -> list[Any]:
    """One in so many kinds of video is tried by `make test`, the others by `make test-long`."""
    return [pytest.param(name, marks=[pytest.mark.long] * (n % one_in > 0)) for n, name in enumerate(names)]


@pytest.mark.parametrize("seek_mode", ["approximate", "exact"])
@pytest.mark.parametrize("name", most_long([*CORPUS, *DERIVED], one_in=16))
def test_every_strategy_is_exact_or_declines(
    name: str, seek_mode: SeekMode, corpus: Corpus, counts: Counts, tmp_path: Path
) -> None:
    video = read_workload(corpus(name), (), seek_mode)
    pruning = [strategy for strategy, entry in STRATEGIES.items() if entry.prunes]
    low_level = [strategy for strategy in STAGES if strategy in STRATEGIES]
    for pattern, indices in patterns(video.video.frames).items():
        workload = replace(video, indices=indices)
        expected, _ = decode("sequential", workload)
        # TorchCodec's own ways split the work even where there is no plan: the proof judges them. Processes
        # run the same code as threads, and each failure restarts them.
        with_all = pattern == "unsorted, repeated" and has_plan(workload)
        ways = (*STRATEGIES, ITERATED) if with_all else ("pruned", "pruned-threads", *low_level, ITERATED)
        for strategy in ways:
            frames, fell_back = decode(strategy, workload)
            if strategy == ITERATED and fell_back:
                counts["declined with a reason"] += 1
                continue  # TorchCodec batch by batch: its answer may depend on where a batch begins
            told = f"{strategy} on {name}, {seek_mode}, {pattern}, fell back: {fell_back}"
            if expected is None and frames is not None and fell_back and seek_mode == "exact":
                copy = in_matroska(workload.video.path, tmp_path / "copy.mkv")
                truth = VideoDecoder(copy).get_frames_at(list(indices)).data
                torch.testing.assert_close(frames, truth, atol=0, rtol=0, msg=told)
                counts["given where TorchCodec raises"] += 1
                continue
            assert (frames is None) == (expected is None), told
            if frames is not None and expected is not None:
                torch.testing.assert_close(frames, expected, atol=0, rtol=0, msg=told)
            if strategy in (*pruning, ITERATED):
                refused = "refused as TorchCodec does" if frames is None else "exact"
                counts["declined with a reason" if fell_back and frames is not None else refused] += 1


@pytest.mark.parametrize("seek_mode", ["approximate", "exact"])
@pytest.mark.parametrize("name", most_long([*CORPUS, *DERIVED], one_in=4))
def test_what_is_pruned_kept_whole_or_declined(name: str, seek_mode: SeekMode, corpus: Corpus) -> None:
    """The documented list: that nothing falls back unnoticed."""
    video = read_workload(corpus(name), (), seek_mode)
    _, fell_back = decode("pruned", replace(video, indices=tuple(range(video.video.frames))))
    falls_back = name in FALL_BACK or (seek_mode == "approximate" and name in FALL_BACK_IN_APPROXIMATE)
    assert fell_back == falls_back
    if not falls_back:
        planned = survey(video.video.path, range(0, video.video.frames, 5), seek_mode)
        assert (planned.how != WHOLE_GOPS) == (name not in KEPT_WHOLE)


@pytest.mark.long
@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("name", [*CORPUS, *DERIVED])
def test_the_kept_decoder_gives_what_torchcodec_gives(
    name: str, in_place: bool, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call as on a fresh decoder; where no packets are left out, or as on one that is kept as long."""
    prune_whenever_possible(monkeypatch, in_place=in_place)
    video = corpus(name)
    try:
        kept = VideoDecoder(video)
        asked = requests(VideoDecoder(video))
    except (RuntimeError, ValueError, IndexError):
        pytest.skip("TorchCodec refuses it, or the frames that are asked for times")
    ours: Any = exactframes.VideoDecoder(video)
    is_pruned = exactframes.VideoDecoder(video).index is not None
    wrong = []
    for number, ask in enumerate(asked):
        given, of_kept = answer(ours, ask), answer(kept, ask)
        is_right = is_same(given, answer(VideoDecoder(video), ask))
        if not (is_right or (is_same(given, of_kept) and not is_pruned)):
            wrong.append(number)
    assert wrong == []


RESIZED = [
    *(
        "h264 open GOP",
        "h264 in AVI",
        "hevc 10-bit",
        "hevc open GOP",
        "vp9 with alpha",
        "av1 by SVT",
        "mjpeg",
    ),
    *("huffyuv", "h264 rotated", "h264 interlaced"),  # the first of these falls back
]


@pytest.mark.parametrize("name", RESIZED)
def test_resized_frames_are_torchcodec_s(name: str, corpus: Corpus) -> None:
    path, indices = corpus(name), [3, 18, 19, 40, 60]
    theirs = VideoDecoder(path, transforms=[Resize((30, 70))]).get_frames_at(indices).data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)
        ours = decode_frames(path, indices, size=(30, 70), workers=2, verify=2)
        batches = [frames for _, frames in iter_frames(path, indices, size=(30, 70), batch_frames=5)]
    torch.testing.assert_close(ours, theirs, atol=0, rtol=0)
    torch.testing.assert_close(torch.cat(batches), theirs, atol=0, rtol=0)


@pytest.mark.long
def test_what_counts_as_tried_has_been_tried(corpus: Corpus) -> None:
    """The table of the library, walked: each codec in each container is in the corpus; others fall back."""
    seen: dict[tuple[str, str], str] = {}
    for name in CORPUS:
        with av.open(str(corpus(name))) as container:
            stream = container.streams.best("video")
            assert isinstance(stream, av.VideoStream)
            codec = stream.codec_context.codec.canonical_name
            seen.setdefault((codec, container.format.name.partition(",")[0]), name)
    tried = {(name, container) for name, codec in TRIED.items() for container in codec.containers}
    assert tried <= set(seen)
    assert {seen[pair] for pair in set(seen) - tried} <= FALL_BACK


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("h264 in MPEG-TS", r"remux it losslessly, `ffmpeg .* -i h264_in_MPEG-TS.ts .* h264_in_MPEG-TS.mkv`"),
        ("mpeg4 B-frames in AVI", "AVI keeps no presentation times of B-frames; remux it losslessly"),
        ("h264 variable frame rate", "use seek mode exact: then this file can be pruned"),
        ("huffyuv", "pruning has not been tried with the codec huffyuv"),
    ],
)
def test_a_reason_says_what_to_do(name: str, reason: str, corpus: Corpus) -> None:
    with pytest.warns(FallbackWarning, match=reason):
        decode_frames(corpus(name), [20, 30], seek_mode="approximate" if "rate" in name else "exact")


def test_the_remedy_for_a_transport_stream_helps(corpus: Corpus, tmp_path: Path) -> None:
    video = corpus("h264 in MPEG-TS")
    with pytest.warns(FallbackWarning) as told:
        decode_frames(video, [20])
    command = str(told[0].message).split("`")[1]
    subprocess.run(
        [*shlex.split(command)[:-1], "-v", "error", tmp_path / "it.mkv"], cwd=video.parent, check=True
    )
    workload = read_workload(tmp_path / "it.mkv", range(0, 75, 7), "exact")
    frames, fell_back = decode("pruned", workload)
    assert not fell_back
    assert frames is not None
    assert torch.equal(frames, sequential(workload, 1))


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@pytest.mark.parametrize(
    "name", most_long(["h264 open GOP", "av1 by SVT", "hevc open GOP, layers", "h264 short GOPs"], one_in=2)
)
@given(indices=st.lists(st.integers(0, 74), max_size=20), workers=st.integers(1, 4))
def test_any_request(name: str, indices: list[int], workers: int, corpus: Corpus) -> None:
    workload = read_workload(corpus(name), indices, "exact")
    with warnings.catch_warnings():
        warnings.simplefilter("error", FallbackWarning)
        frames = decode_frames(workload.video.path, indices, workers=workers)
    torch.testing.assert_close(frames, sequential(workload, 1), atol=0, rtol=0)


@pytest.mark.parametrize("name", ["h264 short GOPs", "hevc open GOP"])
def test_the_net_catches_a_dropped_reference(
    name: str, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that drops what others refer to gives wrong frames, and the comparison sees it."""
    workload = read_workload(corpus(name), tuple(range(0, 75, 5)), "exact")
    sound = codec_for

    def careless(*names: str, is_exact: bool) -> object:
        codec = sound(*names, is_exact=is_exact)

        def make_rule(extradata: bytes) -> Callable[..., Role]:
            judge = codec.make_rule(extradata)
            return lambda data, key: (role := judge(data, key))._replace(needed=role.starts)

        return replace(codec, make_rule=make_rule)

    monkeypatch.setattr(packets_module, "codec_for", careless)
    frames, fell_back = decode("pruned", workload)
    assert frames is not None
    assert fell_back or not torch.equal(frames, sequential(workload, 1))


def test_flipped_bits_are_declined_or_found_by_verifying(
    corpus: Corpus, counts: Counts, tmp_path: Path
) -> None:
    """Damage within a picture shows in no header; FFmpeg conceals it by frames that pruning may leave out."""
    chance, indices = random.Random(1), list(range(0, 75, 5))
    for number in range(40):
        packet, offset, bit = chance.randrange(75), chance.randrange(10**6), chance.randrange(8)
        path = damage(corpus("h264 short GOPs"), tmp_path / f"{number}.mp4", packet, offset, 1 << bit)
        workload = read_workload(path, indices, "exact")
        expected, _ = decode("sequential", workload)
        frames, fell_back = decode("pruned", workload)
        assert (frames is None) == (expected is None)
        if frames is None or expected is None or torch.equal(frames, expected):
            counts["bit flips, declined" if fell_back else "bit flips, exact"] += 1
            continue
        counts["bit flips that differ, found by verify"] += 1
        first = next(row for row, frame in enumerate(frames) if not torch.equal(frame, expected[row]))
        with pytest.raises(VerificationError, match=f"row {first}, frame {indices[first]} of the video"):
            decode_frames(path, indices, verify=len(indices))
