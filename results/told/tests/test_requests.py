"""The table of requests, and Python that it recommends."""

import subprocess
import sys
from pathlib import Path

import pytest

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
            made_entry("kept-approximate", "clips-closed-1", [0.8, 0.8, 0.8]),
            made_entry("opencv", "clips-closed-1", [0.1], is_peer=True,
                       proof={"frames": 80, "digest": "d", "max_difference": 3, "differing_frames": 40}),
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
    assert next(line for line in lines if line.startswith("opencv")).endswith("±3 on 50%")


def test_what_is_recommended_is_exact_and_fastest() -> None:
    text = " ".join(" ".join(table(records())).split())
    assert "clips: exactframes answers most on clips-closed-1, 20 requests a second, 1.60 times kept-" in text
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
    differing = {"frames": 80, "digest": "d", "max_difference": 3, "differing_frames": 40}
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


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("way", WAYS)
def test_each_snippet_runs(way: str, setting: str, small_video: Path, tmp_path: Path) -> None:
    what = SETTINGS[setting]
    snippet = request_snippet(way, what)
    if way == "decode-frames" and what.by_time:
        assert snippet == []
        return
    (tmp_path / "video.mp4").symlink_to(small_video)
    asked = "[0.02, 0.9]" if what.by_time else "[1, 5]"
    video = 'open("video.mp4", "rb").read()' if what.is_bytes else '"video.mp4"'
    is_function = any(line.startswith("def answer") for line in snippet)
    script = (SERVING if is_function else TRAINING).format(
        snippet="\n".join(snippet), asked=asked, video=video
    )
    (tmp_path / "script.py").write_text(script)
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "script.py"], cwd=tmp_path, capture_output=True, text=True,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"}, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    height, width = what.size or (64, 96)
    assert done.stdout.split("\n")[:3] == [f"(2, 3, {height}, {width})"] * 3


def test_ways_that_keep_nothing_keep_nothing() -> None:
    for way in WAYS:
        text = "\n".join(request_snippet(way, SETTINGS["training"]))
        assert ("lru_cache" in text) == (way not in (*FRESH, "decode-frames"))


def test_a_way_without_python_has_none() -> None:
    assert request_snippet("opencv", Setting()) == []
