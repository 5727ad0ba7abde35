"""The suite as its users run it: whole runs in processes of their own, with real strategies and workers."""

import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from re import MULTILINE
from typing import Any

import pytest

from benchmarks.limits import LIMITS
from benchmarks.strategies import STAGES, STRATEGIES
from fixtures.testing.corpus import make_video
from fixtures.testing.suite_runner import ROOT, run_elsewhere, run_suite, saved

SPEED = "benchmarks/test_speed.py"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("private") / "holiday.mp4", "-c:v", "libx264")


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def output(video: Path, storage: Path) -> str:
    """What a person sees of a first run, which is saved."""
    done = run_suite(
        SPEED, "--video", video, "--rounds", "2", "--warmup-rounds", "2", "--workers", "2",
        "--benchmark-autosave", f"--benchmark-storage={storage}", f"--benchmark-json={storage / 'out.json'}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_json_holds_what_was_measured(output: str, storage: Path, video: Path) -> None:  # noqa: ARG001
    (history,) = saved(storage)
    benchmarks = history["benchmarks"]
    assert [b["extra_info"]["strategy"] for b in benchmarks] == [*STRATEGIES, *LIMITS]
    baseline = benchmarks[0]
    proofs = {json.dumps(b["extra_info"].get("proof")) for b in benchmarks[: len(STRATEGIES)]}
    assert len(proofs) == 1
    assert json.loads(proofs.pop())["frames"] == 7
    for benchmark in benchmarks:
        info, stats = benchmark["extra_info"], benchmark["stats"]
        assert len(stats["data"]) == 2
        assert info["frames"] == 7
        assert info["cost"]["cpu_seconds"] >= 0
        assert info["cost"]["peak_bytes"] > 50e6
        assert info["workers"] == 2
        assert info["frames_per_second"] == pytest.approx(7 / stats["median"])
        assert info["speedup"] == pytest.approx(baseline["stats"]["median"] / stats["median"])
        assert set(info["work"]) >= {"video_sha256", "indices_digest", "asked", "loops", "seek_mode"}
        assert set(info["machine"]) == {"usable_cpus", "cpu_model"}
        assert set(info["software"]) == {"torch", "torchcodec", "ffmpeg", "joblib", "python"}
    assert [b["stats"]["data"] for b in json.loads((storage / "out.json").read_text())["benchmarks"]] == [
        b["stats"]["data"] for b in benchmarks
    ]


def test_json_tells_nothing_of_the_machine(output: str, storage: Path, video: Path) -> None:  # noqa: ARG001
    text = json.dumps(saved(storage))
    for private in (str(video.parent), str(ROOT), sys.prefix, str(Path.home()) + "/"):
        assert private not in text
    assert f'"{socket.gethostname()}"' not in text
    assert not re.search(r'"/\w', text)


def test_what_a_person_sees(output: str) -> None:
    assert re.search(r"^clip: +holiday.mp4, 0m03s, 96x64, 25 fps, h264$", output, MULTILINE)
    assert re.search(r"^long video: 0m03s, 75 frames \(1 x the clip\)$", output, MULTILINE)
    assert re.search(
        r"^sampled: +7 frames, 1 in 12 \(2.08 a second\), seek mode approximate$", output, MULTILINE
    )
    assert re.search(
        r"^seek modes: approximate and exact give the same 7 frames; opening takes \d+ ms and \d+ ms$",
        output,
        MULTILINE,
    )
    assert re.search(
        r"^versions: +torch 2.*, torchcodec 0.*, FFmpeg \d.*, joblib 1.*, Python 3", output, MULTILINE
    )
    left_out = r"^left out: +stages, stages-threads, pruned-stages, .* comes with torchcodec 0.17$"
    assert len(re.findall(left_out, output, MULTILINE)) == (not set(STRATEGIES) >= set(STAGES))
    for strategy in STRATEGIES:
        rounds = re.findall(rf"^{strategy} +((?:proof|warm-up|round).*)$", output, MULTILINE)
        names = ["proof pass", "warm-up 2 of 2", "round 1 of 2", "round 2 of 2"]
        assert [line.partition(" (last")[0] for line in rounds] == names
        assert all(re.search(r"\(last \d+\.\d\d s\)$", line) for line in rounds[1:])
    table = output[output.index("= decoding =") :].splitlines()[1 : len(STRATEGIES) + len(LIMITS) + 2]
    assert table[0].split("  ")[0] == "strategy"
    assert [row.split()[0] for row in table[1:]] == [*STRATEGIES, *LIMITS]
    assert all(
        len(row) <= 100 and re.search(r"\d\.\d{3} ± \d\.\d{3} .* (exact|-)$", row) for row in table[1:]
    )


def test_the_recommended_python_works(output: str, video: Path, tmp_path: Path) -> None:
    fastest = re.search(r"^Fastest exact way here: ([\w-]+)", output, MULTILINE)
    assert fastest is not None
    if fastest[1] in STAGES:
        pytest.skip(f"{fastest[1]} was the fastest on this little video, and has no lines of Python")
    _, _, rest = output.partition("In Python:\n")
    code = "\n".join(itertools.takewhile(lambda line: not line or line.startswith("    "), rest.splitlines()))
    assert '"holiday.mp4", seek_mode="approximate"' in code or '"holiday.mp4", indices, ' in code
    program = "\n".join(
        ["indices = (0, 12, 24)", textwrap.dedent(code), "print(tuple(frames.shape), frames.dtype)"]
    )
    done = run_elsewhere(program.replace('"holiday.mp4"', repr(str(video))), tmp_path, with_library=True)
    assert done.stdout == "(3, 3, 64, 96) torch.uint8\n", done.stderr


@pytest.mark.long
def test_seek_modes_that_differ_are_told(tmp_path: Path) -> None:
    varying = ("-vf", "select='mod(n\\,5)+not(mod(n\\,3))'", "-fps_mode", "vfr", "-c:v", "libx264")
    done = run_suite(
        SPEED, "-k", "[sequential]", "--rounds=1", "--sample-fps=5", f"--benchmark-storage={tmp_path}",
        "--video", make_video(tmp_path / "phone.mp4", *varying),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = r"^seek modes: DIFFER on [1-9]\d* of \d+ frames: approximate, the suite's default, is unsafe"
    assert re.search(told, done.stdout, MULTILINE)


@pytest.mark.long
def test_named_workloads_side_by_side(tmp_path: Path) -> None:
    done = run_suite(
        SPEED, "--workload=h264", "--workload=random-32", "--loops=1", "--rounds=1", "--interleave",
        "-k", "sequential or threads", "--benchmark-autosave", f"--benchmark-storage={tmp_path}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (history,) = saved(tmp_path)
    assert {b["group"] for b in history["benchmarks"]} == {"h264", "random-32"}
    table = done.stdout[done.stdout.index("= decoding =") :].splitlines()
    assert [line.split()[0] for line in table[1:4]] == ["workload", "h264", "random-32"]


@pytest.mark.parametrize("order", [[], ["--interleave"]], ids=["one by one", "in turns"])
@pytest.mark.long
def test_in_parts_and_resized(order: list[str], video: Path, tmp_path: Path) -> None:
    done = run_suite(
        SPEED, *order, "--video", video, "--part-gb=0.000021", "--size=48", "--rounds=1", "--workers=2",
        "-k", "sequential or pruned-threads or limit", "--benchmark-autosave",
        f"--benchmark-storage={tmp_path}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^memory: .* GB of frames, 4 parts of 2.1e-05 GB$", done.stdout, MULTILINE)
    assert re.search(r"^size: +resized to 72x48 by each decoder$", done.stdout, MULTILINE)
    assert "Resize((48, 72))" in done.stdout or "size=(48, 72)" in done.stdout
    (history,) = saved(tmp_path)
    infos = {b["extra_info"]["strategy"]: b["extra_info"] for b in history["benchmarks"]}
    assert list(infos) == ["sequential", "pruned-threads", *LIMITS]
    assert infos["pruned-threads"]["proof"] == infos["sequential"]["proof"]
    assert infos["sequential"]["proof"]["frames"] == 7
    assert {info["work"]["part_bytes"] for info in infos.values()} == {21_000}
    assert {info["work"]["output_size"] for info in infos.values()} == {"72x48"}
    assert all(info["cost"]["cpu_seconds"] > 0 for info in infos.values())
    untimed = re.findall(r"^(\S+) +(?:in turns, untimed round|proof pass|warm-up)", done.stdout, re.MULTILINE)
    assert untimed == list(infos)  # each once


FFMPEG_WITHOUT_AV1 = """#!/bin/sh
case "$*" in *-encoders*) {ffmpeg} "$@" | grep -v svtav1; exit ;; esac
exec {ffmpeg} "$@"
"""


@pytest.mark.long
def test_a_missing_encoder_leaves_the_other_workloads(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ffmpeg").write_text(FFMPEG_WITHOUT_AV1.format(ffmpeg=shutil.which("ffmpeg")))
    (tmp_path / "bin" / "ffmpeg").chmod(0o755)
    done = run_suite(
        SPEED, "--workload=av1", "--workload=h264", "--loops=1", "--rounds=1",
        "-k", "[h264-sequential] or [av1-sequential]",
        "-o", f"cache_dir={tmp_path / 'cache'}", f"--benchmark-storage={tmp_path}",
        PATH=f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "av1 was not measured: this FFmpeg has no encoder libsvtav1" in done.stdout
    assert re.search(r"^sequential .* exact$", done.stdout, MULTILINE)


@pytest.mark.long
def test_scaling(video: Path, tmp_path: Path) -> None:
    done = run_suite(
        SPEED, "-m", "scaling", "-k", "threads and not pruned", "--video", video, "--workers=2", "--rounds=1",
        f"--benchmark-storage={tmp_path}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = re.findall(r"^(\S+) +(\d x \d) .* exact$", done.stdout, MULTILINE)
    names = [name for name in STRATEGIES if "threads" in name and "pruned" not in name]
    takers = [name for name in names if STRATEGIES[name].takes_ffmpeg_threads]
    assert rows == [
        *((name, f"{n} x 1") for name in names for n in (1, 2, 3)),
        *((name, setting) for name in takers for setting in ("1 x 2", "1 x 3", "2 x 2")),
    ]
    predicted = re.findall(r"^(\S+) +(\d+) x 1 +predicted \d+\.\d\d .* -$", done.stdout, MULTILINE)
    assert predicted == [(name, n) for name in names for n in ("4", "8", "16", "32", "64")]
    assert "Fastest exact way here: " in done.stdout


def a_million_times_as_fast(run: Path) -> dict[str, Any]:
    """A made-up history: no machine is so fast, so that any run is slower."""
    history: dict[str, Any] = json.loads(run.read_text())
    for benchmark in history["benchmarks"]:
        stats = benchmark["stats"]
        stats.update({name: stats[name] / 1e6 for name in ("min", "max", "mean", "median")})
    return history


def run_of_two(video: Path, storage: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of two strategies that can be compared with the first one."""
    two = ("-k", "[sequential] or [threads]", "--video", video, "--rounds=1", "--workers=2")
    return run_suite(SPEED, *two, f"--benchmark-storage={storage}", *arguments)


def test_comparing(output: str, storage: Path, video: Path, tmp_path: Path) -> None:  # noqa: ARG001
    same = run_of_two(
        video, storage, "--benchmark-compare", "--benchmark-compare-fail=median:10000%",
        f"--benchmark-histogram={tmp_path / 'plot'}",
    )  # fmt: skip
    assert same.returncode == 0, same.stdout + same.stderr
    assert "(NOW)" in same.stdout
    assert "differs in" not in same.stdout
    assert list(tmp_path.glob("plot*.svg"))


@pytest.mark.long
def test_comparing_other_work_and_with_a_faster_run(
    output: str,  # noqa: ARG001
    storage: Path,
    video: Path,
) -> None:
    other = run_of_two(video, storage, "--benchmark-compare", "--sample-fps=5", "--benchmark-save=other")
    assert other.returncode == 0, other.stdout + other.stderr
    assert re.search(
        r"^the run of 20\S+ differs in work.asked: 1 in 5 .*here, 1 in 12 .*there$", other.stdout, MULTILINE
    )
    assert "differs in work.indices_digest" in other.stdout
    (first,) = storage.glob("*/0001_*.json")
    (first.parent / "0009_made_up.json").write_text(json.dumps(a_million_times_as_fast(first)))
    slower = run_of_two(video, storage, "--benchmark-compare=0009", "--benchmark-compare-fail=median:25%")
    assert slower.returncode != 0
    assert "Performance has regressed" in slower.stderr
    assert "= decoding =" in slower.stdout


def test_the_compare_command(output: str, storage: Path) -> None:  # noqa: ARG001
    command = [str(Path(sys.executable).with_name("pytest-benchmark")), f"--storage={storage}", "compare"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "test_decode[threads]" in done.stdout
    told = "differs in work.asked: 1 in 12" in done.stderr
    assert told == (len(saved(storage)) > 1)  # the second run is there when the test above has run


def most_long(cases: list[tuple[list[str], str]]) -> list[Any]:
    """Each fourth is tried by `make test`, all the others by `make test-long`."""
    return [
        pytest.param(*case, marks=[pytest.mark.long] * (number % 4 > 0)) for number, case in enumerate(cases)
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    most_long([
        (["--loops=0"], "ERROR: --loops 0: give a whole number of 1 or more"),
        (["--workers=0"], "ERROR: --workers 0: give a whole number of 1 or more"),
        (["--rounds=0"], "ERROR: --rounds 0: give a whole number of 1 or more"),
        (["--warmup-rounds=-1"], "ERROR: --warmup-rounds -1: give a whole number of 0 or more"),
        (["--sample-fps=0"], "ERROR: --sample-fps 0: give a number of frames per second above 0"),
        (["--sample-fps=-1"], "ERROR: --sample-fps -1: give a number of frames per second above 0"),
        (["--size=224:224"], "ERROR: --size 224:224: give width x height, as 448x252, or the shorter side"),
        (["--size=0"], "ERROR: --size 0: give width x height"),
        (["--part-gb=0"], "ERROR: --part-gb 0: give a number of gigabytes above 0"),
        (["--sample-fps=nan"], "ERROR: --sample-fps nan: give a number of frames per second above 0"),
        (["--loops=many"], "argument --loops: invalid int value: 'many'"),
        (["--video=missing.mp4"], "--video missing.mp4: no such file; give the path of a video"),
        (["--seek-mode=fast"], "argument --seek-mode: invalid choice: 'fast'"),
    ]),
)  # fmt: skip
def test_bad_command_lines(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    done = run_suite("benchmarks", *arguments, "--benchmark-autosave", f"--benchmark-storage={tmp_path}")
    assert done.returncode == 4
    assert sentence in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not saved(tmp_path)


def test_torchcodec_that_cannot_load(tmp_path: Path) -> None:
    (tmp_path / "torchcodec").mkdir()
    (tmp_path / "torchcodec" / "__init__.py").write_text('raise RuntimeError("Could not load libtorchcodec")')
    done = run_suite("benchmarks", PYTHONPATH=str(tmp_path))
    assert done.returncode == 4
    assert (
        "ERROR: TorchCodec does not load with the installed torch and FFmpeg: install a pair" in done.stderr
    )
    (tmp_path / "torchcodec" / "__init__.py").write_text('raise ModuleNotFoundError(name="torchcodec")')
    done = run_suite("benchmarks", PYTHONPATH=str(tmp_path))
    assert done.returncode == 4
    assert "ERROR: the package torchcodec is missing: run `make setup`" in done.stderr
