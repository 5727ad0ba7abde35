"""Every snippet is run where nothing of this checkout can be imported, and gives the right frames."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from benchmarks.harness.across import ACROSS
from benchmarks.peers import PEERS
from benchmarks.strategies import STRATEGIES
from fixtures.testing.corpus import make_video
from fixtures.testing.suite_runner import run_elsewhere
from results.told.snippets import SNIPPETS, quoted, snippet

ODD_NAME = """it's "1" $video {x} %s \\ é 🎞.mp4"""
PATTERNS = {
    "every 12th": list(range(0, 75, 12)),
    "one": [37],  # fewer than workers
    "late, unsorted, repeated": [60, 51, 51, 74, 60, 55],
}
WITH_SNIPPET = [name for name in STRATEGIES if name in SNIPPETS]  # a strategy may do without
PEERS_WITH_SNIPPET = [name for name in PEERS if name in SNIPPETS]
PRUNING = [name for name in WITH_SNIPPET if STRATEGIES[name].prunes]
OTHERS = [name for name in WITH_SNIPPET if name not in PRUNING]
MODES = ("approximate", "exact")
SIZE = (40, 50)  # height and width
OTHER_COLOURS = 32  # video-reader's conversion; another frame differs by more than 100
OTHER_SCALER = 20  # of a peer, on average; another frame differs by more than 22

RUN_ALL = """
import faulthandler, importlib.util, json, sys, traceback

faulthandler.dump_traceback_later(240, exit=True)  # a hang tells where
for name in ("benchmarks", "fixtures", "results"):
    assert importlib.util.find_spec(name) is None, f"{name} can be imported"
video, patterns, cases, size, has_library = json.load(open("cases.json"))
if not has_library:
    sys.modules["exactframes"] = None  # it may be installed

import numpy, torch
from torchcodec.decoders import VideoDecoder
from torchcodec.transforms import Resize


def outcome(code, seek_mode, indices, resize):
    namespace = {"__name__": "__main__", "indices": indices}
    try:
        exec(compile(code, "snippet", "exec"), namespace)
    except Exception:
        return traceback.format_exc()
    frames = torch.as_tensor(namespace["frames"])
    expected = VideoDecoder(video, seek_mode=seek_mode, transforms=resize).get_frames_at(indices).data
    if frames.dtype != torch.uint8 or frames.shape != expected.shape:
        return f"{frames.dtype} {list(frames.shape)}"
    difference = (frames.short() - expected.short()).abs()
    return int(difference.max()) if not resize else round(float(difference.float().mean()), 2)


outcomes = {
    case: {name: outcome(code, seek_mode, indices, []) for name, indices in patterns.items()}
    for case, (code, seek_mode) in cases.items()
    if "resized" not in case
}
name, indices = next(iter(patterns.items()))
for case, (code, seek_mode) in cases.items():
    if "resized" in case:
        outcomes[case] = {name: outcome(code, seek_mode, indices, [Resize(size)])}
print(json.dumps(outcomes))
"""

Outcomes = dict[
    str, dict[str, float | str]
]  # of a case: the largest difference (resized: the mean) for each pattern, or what went wrong


def code_of(
    name: str,
    video: Path | str,
    seek_mode: str = "exact",
    workers: int = 3,
    threads: int = 1,
    size: tuple[int, int] | None = None,
) -> str:
    mode = seek_mode
    lines = snippet(
        name, video=str(video), seek_mode=mode, workers=workers, ffmpeg_threads=threads, size=size
    )
    return "\n".join(lines) + "\n"


def resized(names: Iterable[str], video: Path) -> dict[str, tuple[str, str]]:
    return {f"{name} resized": (code_of(name, video, size=SIZE), "exact") for name in names}


def run_all(
    folder: Path, video: Path, cases: Mapping[str, tuple[str, str]], *, with_library: bool
) -> Outcomes:
    (folder / "cases.json").write_text(json.dumps([str(video), PATTERNS, cases, SIZE, with_library]))
    done = run_elsewhere(RUN_ALL, folder, with_library=with_library)
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes: Outcomes = json.loads(done.stdout.splitlines()[-1])
    return outcomes


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    odd = tmp_path_factory.mktemp("odd") / ODD_NAME
    return make_video(odd, "-c:v", "libx264", "-g", "20", size="90x64")  # decord2 3.4 fails at 96


def with_both_modes(names: list[str], video: Path) -> dict[str, tuple[str, str]]:
    return {f"{name} {mode}": (code_of(name, video, mode), mode) for name in names for mode in MODES}


@pytest.fixture(scope="module")
def outcomes(video: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Without the library: the strategies that do without, and the peers."""
    cases = with_both_modes(OTHERS, video) | {
        name: (code_of(name, video), "exact") for name in PEERS_WITH_SNIPPET
    }
    cases |= resized([*OTHERS, *PEERS_WITH_SNIPPET], video)
    cases["threads 2x2"] = (code_of("threads", video, threads=2, workers=2), "exact")
    return run_all(tmp_path_factory.mktemp("elsewhere"), video, cases, with_library=False)


@pytest.fixture(scope="module")
def library_outcomes(video: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """With the library: the strategies that prune."""
    cases = with_both_modes(PRUNING, video)
    cases |= resized(PRUNING, video)
    cases["pruned-threads 2x2"] = (code_of("pruned-threads", video, threads=2, workers=2), "exact")
    return run_all(tmp_path_factory.mktemp("elsewhere"), video, cases, with_library=True)


def test_each_snippet_is_of_a_strategy_or_peer_and_none_is_needed() -> None:
    assert set(SNIPPETS) <= {*STRATEGIES, *PEERS, *ACROSS}
    assert snippet("of-ones-own", video="a.mp4", seek_mode="exact", workers=2) == []


@pytest.mark.parametrize("size", [None, (1080, 1920)])
@pytest.mark.parametrize("name", [*WITH_SNIPPET, *PEERS_WITH_SNIPPET])
def test_a_snippet_fits_and_names_nothing_of_the_suite(name: str, size: tuple[int, int] | None) -> None:
    first, *lines = snippet(name, video="video.mp4", seek_mode="approximate", workers=8, size=size)
    assert first.startswith("# pip install ")
    assert max(map(len, lines)) <= 96  # of 100: they are printed indented
    code = "\n".join(lines)
    assert "$" not in code
    assert not [word for word in ("benchmarks", "fixtures", "results") if word in code]
    assert ("exactframes" in code) == (name in PRUNING)


@pytest.mark.parametrize("name", WITH_SNIPPET)
def test_what_differs_from_a_default_is_told(name: str) -> None:
    assert 'seek_mode="approximate"' in code_of(name, "video.mp4", "approximate")
    assert "seek_mode" not in code_of(name, "video.mp4", "exact")
    assert "ffmpeg_threads=" not in code_of(name, "video.mp4", threads=1) or name == "ffmpeg-threads"
    if STRATEGIES[name].takes_ffmpeg_threads:
        assert "ffmpeg_threads=4)" in code_of(name, "video.mp4", threads=4)


@pytest.mark.parametrize("case", [*(f"{name} {mode}" for name in OTHERS for mode in MODES), "threads 2x2"])
@pytest.mark.long
def test_a_strategy_needs_torchcodec_and_joblib_only(case: str, outcomes: Outcomes) -> None:
    assert outcomes[case] == dict.fromkeys(PATTERNS, 0)


@pytest.mark.parametrize("name", WITH_SNIPPET)
@pytest.mark.long
def test_a_resizing_strategy_gives_torchcodec_s_frames(
    name: str, outcomes: Outcomes, library_outcomes: Outcomes
) -> None:
    found = library_outcomes if name in PRUNING else outcomes
    assert found[f"{name} resized"] == {"every 12th": 0}


@pytest.mark.parametrize(
    "case", [*(f"{name} {mode}" for name in PRUNING for mode in MODES), "pruned-threads 2x2"]
)
@pytest.mark.long
def test_a_pruned_strategy_needs_the_library_only(case: str, library_outcomes: Outcomes) -> None:
    assert library_outcomes[case] == dict.fromkeys(PATTERNS, 0)


@pytest.mark.parametrize("name", PEERS_WITH_SNIPPET)
@pytest.mark.long
def test_a_peer_needs_itself_only(name: str, outcomes: Outcomes) -> None:
    if not PEERS[name].is_installed:
        pytest.skip(f"{PEERS[name].module} is not installed")
    for pattern, difference in outcomes[name].items():
        assert isinstance(difference, int), f"{pattern}: {difference}"
        assert difference <= OTHER_COLOURS * name.startswith("video-reader"), pattern
    difference = outcomes[f"{name} resized"]["every 12th"]
    assert isinstance(difference, float), difference
    assert difference <= OTHER_SCALER


@pytest.mark.parametrize("size", [None, SIZE])
@pytest.mark.parametrize("name", [name for name in ACROSS if name in SNIPPETS])
@pytest.mark.long
def test_all_videos_are_decoded(name: str, size: tuple[int, int] | None, video: Path, tmp_path: Path) -> None:
    begin = f"indices = {{{str(video)!r}: [0, 12, 24]}}\n"
    end = "print([tuple(given.shape) for given in frames.values()])\n"
    done = run_elsewhere(begin + code_of(name, video, size=size) + end, tmp_path, with_library=True)
    assert done.stdout == f"[(3, 3, {', '.join(map(str, size or (64, 90)))})]\n", done.stderr


@pytest.mark.long
def test_worker_processes_start_from_a_script(video: Path, tmp_path: Path) -> None:
    """As a user has it: the lines in a file, no guard around them."""
    names = [name for name in WITH_SNIPPET if "processes" in name]
    parts = [f"indices = range(0, 75, 12)\n{code_of(name, video)}kept.append(frames)\n" for name in names]
    check = (
        "import torch\nassert all(torch.equal(kept[0], other) for other in kept)\nprint(kept[0].shape[0])\n"
    )
    done = run_elsewhere("".join(["kept = []\n", *parts, check]), tmp_path, with_library=True)
    assert (done.stdout, done.stderr) == ("7\n", "")


@pytest.mark.parametrize(
    "name", ["video.mp4", "it's.mp4", 'a "b".mp4', "\\", "\n", "é🎞", "\udcff", "'\"", ODD_NAME]
)
def test_a_name_is_quoted_as_python_reads_it(name: str) -> None:
    assert eval(quoted(name)) == name  # noqa: S307
    quoted(name).encode()
