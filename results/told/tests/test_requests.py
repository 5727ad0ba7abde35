"""The table of requests, and Python that it recommends."""

import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from fixtures.testing.suite_runner import ROOT
from results.saved.history import read_run
from results.saved.rates import records_of
from results.schema import Record, read
from results.tests.made_requests import made_entry
from results.told.report import table, table_in_markdown
from results.told.request_snippets import FRESH, OPENING, Setting, request_snippet
from results.told.requests import stream_recommendation

WAYS = [*OPENING, "decode-frames"]


def records() -> list[Record]:
    return records_of(
        [
            made_entry("kept", "clips-closed-1", [1.0, 1.1, 0.9]),
            made_entry("exactframes", "clips-closed-1", [0.5, 0.6, 0.5], p95=12.3456, largest=123.456),
            made_entry("fresh-approximate", "clips-closed-1", [0.8, 0.8, 0.8], first_seconds=12.345),
            made_entry("opencv", "clips-closed-1", [0.1], is_peer=True,
                       proof={"frames": 80, "digest": "d", "max_difference": 123, "differing_frames": 80}),
            made_entry("kept", "vlm-open-80", [2.0], arrivals=5.0, p95=0.5),
            made_entry("exactframes", "vlm-open-80", [2.0], arrivals=5.0, p95=0.25),
            made_entry("fresh", "vlm-closed-2", [2.0], work={"is_bytes": True, "output_size": "796x448"}),
            made_entry("decode-frames", "vlm-closed-2", [1.0],
                       work={"is_bytes": True, "output_size": "796x448"}),
        ]
    )  # fmt: skip


def test_the_table_fits_110_columns_and_has_a_row_for_each_way() -> None:
    lines = table(records())
    assert max(map(len, lines)) <= 110
    assert [line for line in lines if line.endswith(":")][:3] == [
        "clips-closed-1:", "vlm-open-80:", "vlm-closed-2:",
    ]  # fmt: skip
    row = next(line for line in lines if line.startswith("exactframes"))
    assert row.split()[:4] == ["exactframes", "20", "160", "-"]
    assert row.endswith("exact")
    assert row.split()[10:] == ["0.15", "1234", "90.0", "2", "exact"]
    assert next(line for line in lines if line.startswith("opencv")).endswith("±123 on 100%")


def test_what_is_recommended_is_exact_and_fastest() -> None:
    text = " ".join(" ".join(table(records())).split())
    assert "clips: exactframes answers most on clips-closed-1, 20 requests a second, 1.60 times fresh" in text
    assert "vlm: decode-frames answers most on vlm-closed-2, 10 requests a second, 2.00 times fresh." in text
    assert "Of vlm-open-80 the shortest p95 is that of exactframes, 250 ms." in text
    assert "opencv answers most" not in text


def test_a_name_is_not_broken_at_its_hyphens() -> None:
    name = "-".join(["part"] * 21)
    entries = [made_entry(name, "clips-closed-1", [0.5]), made_entry("kept", "clips-closed-1", [1.0])]
    assert any(name in line for line in stream_recommendation(records_of(entries), "clips"))


def test_a_way_that_failed_is_in_the_table() -> None:
    failed = made_entry("kept", "clips-closed-1", [1.0], proof=None)
    failed["stats"] = None
    lines = table([read(failed), *records()])
    assert next(line for line in lines if line.startswith("kept ")).endswith("FAILED")


def test_the_markdown_table_has_all_rows() -> None:
    lines = table_in_markdown(records())
    assert len(lines) == 2 + len(records())
    assert len({line.count("|") for line in lines}) == 1


def test_throughput_and_p95_are_judged_apart() -> None:
    entries = [made_entry("kept", "clips-closed-1", [1.0, 1.1, 0.9]),
               made_entry("kept", "vlm-open-80", [2.0], arrivals=5.0)]  # fmt: skip
    run = read_run({"benchmarks": entries}, "made up")
    names = {name: record.seconds for name, record in run.benchmarks.items()}
    assert names == {
        "kept on clips-closed-1": 1.0,
        "kept on clips-closed-1, p95": 0.09,
        "kept on vlm-open-80, p95": 0.09,
    }


def test_a_record_of_requests_is_read_as_it_was_written() -> None:
    entry = made_entry("kept", "clips-closed-1", [1.0])
    assert read({"extra_info": read(entry).to_dict()}).requests == read(entry).requests


def test_a_peer_s_likeness_is_a_proof_and_a_way_s_is_none() -> None:
    differing = {"frames": 80, "digest": "d", "max_difference": 123, "differing_frames": 80}
    peer = read(made_entry("opencv", "clips-closed-1", [1.0], is_peer=True, proof=differing))
    way = read(made_entry("kept", "clips-closed-1", [1.0], proof=differing))
    assert (peer.is_proven, peer.is_exact, way.is_proven) == (True, False, False)


TRAINING = """
requests = [("video.mp4", {asked})] * 3
WORKERS = 1
{snippet}
import warnings
warnings.simplefilter("ignore")
for frames in loader:
    print(tuple(frames.shape))
"""
SERVING = """
{snippet}
video = {video}
for _ in range(3):
    print(tuple(answer(video, {asked}).shape))
"""
SETTINGS = {
    "training": Setting(workers=2, room=16),
    "robot": Setting(workers=2, by_time=True),
    "serving": Setting(serves=True, workers=2, size=(32, 48)),
    "bytes": Setting(serves=True, is_bytes=True, size=(32, 48)),
}
RUN_ALL = """
import os, runpy, sys
import exactframes, torchcodec.decoders  # once for all: that takes longer than any of the scripts

for name in sys.argv[1:]:
    if not os.fork():
        os.dup2(os.open(name + ".out", os.O_WRONLY | os.O_CREAT), 1)
        os.dup2(os.open(name + ".err", os.O_WRONLY | os.O_CREAT), 2)
        runpy.run_path(name, run_name="__main__")
        sys.exit()
    status = os.waitstatus_to_exitcode(os.wait()[1])
    with open(name + ".status", "w") as file:
        file.write(str(status))
"""


def script_of(way: str, setting: str) -> str:
    """A program of a snippet, which asks three times; empty where there is no snippet."""
    what = SETTINGS[setting]
    snippet = request_snippet(way, what)
    asked = "[0.02, 0.9]" if what.by_time else "[1, 5]"
    video = 'open("video.mp4", "rb").read()' if what.is_bytes else '"video.mp4"'
    is_function = any(line.startswith("def answer") for line in snippet)
    program = SERVING if is_function else TRAINING
    return program.format(snippet="\n".join(snippet), asked=asked, video=video) if snippet else ""


@pytest.fixture(scope="module")
def ran(small_video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which each snippet has run, in a process of its own; its output is in files."""
    folder = tmp_path_factory.mktemp("snippets")
    (folder / "video.mp4").symlink_to(small_video)
    scripts = {f"{way}-{setting}.py": script_of(way, setting) for way, setting in product(WAYS, SETTINGS)}
    for name, script in scripts.items():
        (folder / name).write_text(script)
    written = [name for name in scripts if scripts[name]]
    halves = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", RUN_ALL, *half],
            cwd=folder, stderr=subprocess.PIPE, text=True,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        )
        for half in (written[::2], written[1::2])
    ]  # fmt: skip
    for half in halves:
        _, told = half.communicate(timeout=300)
        assert half.returncode == 0, told
    return folder


@pytest.mark.long
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("way", WAYS)
def test_each_snippet_runs(way: str, setting: str, ran: Path) -> None:
    what = SETTINGS[setting]
    if way == "decode-frames" and what.by_time:
        assert request_snippet(way, what) == []
        return
    status, out, err = ((ran / f"{way}-{setting}.py.{kind}").read_text() for kind in ("status", "out", "err"))
    assert status == "0", err
    height, width = what.size or (64, 96)
    assert out.split("\n")[:3] == [f"(2, 3, {height}, {width})"] * 3


def test_ways_that_keep_nothing_keep_nothing() -> None:
    for way in WAYS:
        text = "\n".join(request_snippet(way, SETTINGS["training"]))
        assert ("lru_cache" in text) == (way not in (*FRESH, "decode-frames"))


def test_a_way_without_python_has_none() -> None:
    assert request_snippet("opencv", Setting()) == []
