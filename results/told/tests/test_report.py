import json
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.testing.suite_runner import ROOT
from results.saved.identity import differences, differing_sources
from results.saved.rates import add_rates, records_of
from results.saved.shipping import without_machine_names
from results.schema import Entry
from results.told import report
from results.told.snippets import with_python


def entry(strategy: str, median: float | None, **work: object) -> Entry:
    info = {"strategy": strategy, "workers": 2, "frames": 100, "proof": {"digest": "ab" * 16, "frames": 100}}
    stats = None if median is None else {"median": median, "stddev": median / 10, "data": [median]}
    identity = {
        "work": {"video_sha256": "aa", **work},
        "machine": {"cpu_model": "A"},
        "software": {"torch": "2"},
    }
    return {"extra_info": {**info, **identity}, "stats": stats}


def table(entries: list[Entry]) -> list[str]:
    return report.table(records_of(entries))


def markdown_table(entries: list[Entry]) -> list[str]:
    return report.table_in_markdown(records_of(entries))


def test_rates_follow_from_the_medians() -> None:
    entries = [entry("sequential", 8.0), entry("threads", 2.0), entry("broken", None)]
    add_rates(entries)
    add_rates(entries)  # pytest-benchmark fires its hook twice when it saves twice
    assert [e["extra_info"].get("speedup") for e in entries] == [1.0, 4.0, None]
    assert [e["extra_info"].get("frames_per_second") for e in entries] == [12.5, 50.0, None]


def test_there_is_no_speedup_without_the_baseline() -> None:
    entries = [entry("threads", 2.0)]
    assert table(entries)[1].split() == ["threads", "2.000", "±", "0.200", "50", *"----", "-", "exact"]
    assert records_of(entries)[0].speedup is None


def test_the_table_is_aligned_and_fits() -> None:
    broken = {"extra_info": {"strategy": "broken", "workers": 2, "frames": 100}, "stats": None}
    lines = table([entry("sequential", 1234.5), entry("limit-needed-frames", 100.5), broken])
    words = ("proof", "exact", "-", "FAILED")
    assert len({line.rindex(word) for line, word in zip(lines, words, strict=False)}) == 1
    assert max(map(len, lines)) <= 100
    assert lines[3].split() == ["broken", "not", "timed", *"------", "FAILED"]


def test_equal_workloads_do_not_differ() -> None:
    assert differences([entry("sequential", 1.0)], [entry("threads", 9.0)], "it") == []


def test_differing_fields_are_named_with_both_values() -> None:
    ours, theirs = [entry("a", 1.0, loops=50)], [entry("a", 1.0, loops=5, video_sha256="b" * 64)]
    theirs[0]["extra_info"]["software"]["ffmpeg"] = {"libavcodec": "59"}
    assert differences(ours, theirs, "run 1") == [
        "run 1 differs in software.ffmpeg.libavcodec: None here, 59 there",
        "run 1 differs in work.loops: 50 here, 5 there",
        "run 1 differs in work.video_sha256: aa here, bbbbbbbbbbbb... there",
    ]


def test_a_history_of_another_suite_is_told() -> None:
    (line,) = differences([entry("a", 1.0)], [{"extra_info": {}, "stats": {}}], "it")
    assert "does not say what its workload was" in line


def test_sources_are_told_apart() -> None:
    runs = [{**entry("a", 1.0, loops=n), "source": f"000{n}"} for n in (1, 1, 2)]
    assert differing_sources(runs) == ["run 0002 differs in work.loops: 1 here, 2 there"]
    assert differing_sources([]) == []


def test_machine_info_keeps_no_name_and_no_clock() -> None:
    info = {"node": "secret-host", "cpu": {"brand_raw": "A", "hz_actual": [1, 0], "python_version": "3"}}
    without_machine_names(info)
    assert info == {"node": "", "cpu": {"brand_raw": "A"}}


def run_report(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "results.report", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_program_prints_a_history(tmp_path: Path) -> None:
    file = tmp_path / "0001_run.json"
    entries = [entry("sequential", 8.0), entry("threads", 2.0)]
    file.write_text(json.dumps({"benchmarks": entries}))
    assert run_report(str(file)).stdout.splitlines() == table(entries)
    assert run_report(str(file), "--markdown").stdout.splitlines() == markdown_table(entries)


@pytest.mark.parametrize("text", [None, "", "[]", '{"benchmarks": [{"stats": {}}]}'])
def test_the_program_refuses_what_is_no_history(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    if text is not None:
        file.write_text(text)
    done = run_report(str(file))
    assert done.returncode == 2
    assert "is not a history of this suite" in done.stderr
    assert "Traceback" not in done.stderr


def test_several_workloads_make_a_matrix() -> None:
    entries = []
    for workload, factor in (("h264", 1.0), ("hevc", 2.0)):
        for strategy, median in (("sequential", 8.0), ("threads", 4.0), ("limit-needed-frames", 2.0)):
            made = entry(strategy, factor * median)
            made["extra_info"]["workload"] = workload
            entries.append(made)
    entries[4]["stats"] = None
    entries[4]["extra_info"]["proof"] = None
    lines = table(entries)
    assert lines[0].split() == ["workload", "sequential", "thr.", "limit"]
    assert lines[1].split() == ["h264", "8.00", "s", "2.00x", "4.00x"]
    assert lines[2].split() == ["hevc", "16.00", "s", "FAILED", "4.00x"]
    assert lines[-1] == "Fastest exact way, of 2 workloads: threads on 1, sequential on 1."


def scaling_entry(strategy: str, workers: int, threads: int, median: float) -> Entry:
    made = entry(strategy, median)
    made["extra_info"].update(workers=workers, ffmpeg_threads=threads)
    return made


def test_scaling_shows_efficiency_and_ends_in_a_recommendation() -> None:
    entries = [
        scaling_entry("sequential", 1, 1, 8.0),
        scaling_entry("threads", 1, 1, 8.0),
        scaling_entry("threads", 2, 1, 5.0),
        scaling_entry("threads", 2, 2, 4.0),
    ]
    lines = table(entries)
    assert [line.split()[6:8] for line in lines[1:5]] == [
        ["0.800", "1.00x"], ["0.800", "1.00x"], ["0.500", "1.60x"], ["0.400", "2.00x"],
    ]  # fmt: skip
    assert [line.split()[8] for line in lines[1:5]] == ["100%", "100%", "80%", "50%"]
    assert "Fastest exact way here: threads with 2 workers of 2 FFmpeg threads, 2.00 times" in "\n".join(
        lines
    )
    assert any(line.endswith(", num_ffmpeg_threads=2)") for line in lines)
    assert not any("predicted" in line for line in lines)  # nothing tells their CPU time


def test_scaling_shows_what_more_workers_would_take_and_marks_it() -> None:
    entries = [scaling_entry("sequential", 1, 1, 80.0), scaling_entry("pruned-processes", 1, 1, 80.0)]
    entries += [scaling_entry("pruned-processes", workers, 1, 60.0) for workers in (2, 3)]
    entries += [scaling_entry("threads", 1, 1, 80.0), scaling_entry("pruned-processes", 2, 2, 50.0)]
    for made in entries:
        made["extra_info"]["cost"] = {"cpu_seconds": 180.0, "peak_bytes": 10**10}
    before = json.dumps(entries)
    add_rates(entries)
    rated = json.dumps(entries)
    lines = table(entries)
    assert before != rated == json.dumps(entries)
    rows = [line.split() for line in lines]
    assert [row[1] for row in rows[5:10]] == ["4", "8", "16", "32", "64"]
    assert rows[5] == ["pruned-processes", "4", "x", "1", "predicted", "50.00", "1.60x", "40%", "-", "-", "-"]
    assert [row[:4] for row in rows[4:12:6]] == [
        ["pruned-processes", "3", "x", "1"],
        ["threads", "1", "x", "1"],
    ]
    assert rows[11][:4] == ["pruned-processes", "2", "x", "2"]
    assert sum("predicted" in row for row in rows) == 5
    assert any(line.startswith("predicted: not measured") for line in lines)
    assert max(map(len, lines[: lines.index("")])) <= 100
    assert any(
        line.startswith("Fastest exact way here: pruned-processes with 2 workers of 2") for line in lines
    )
    assert len(markdown_table(entries)) == 2 + 6 + 5


def test_the_recommended_python_names_the_file_and_the_seek_mode() -> None:
    entries = [entry("sequential", 8.0), entry("pruned-threads", 4.0)]
    assert table(entries)[-1] == (
        '    frames = decode_frames("video.mp4", indices, workers=2, seek_mode="approximate")'
    )
    entries[1]["extra_info"]["work"].update(video='a "b".mp4', seek_mode="exact")
    assert table(entries)[-1] == """    frames = decode_frames('a "b".mp4', indices, workers=2)"""
    assert table(entries)[-5].endswith("2.00 times as fast as sequential. In Python:")
    entries[1]["extra_info"]["strategy"] = "of-ones-own"
    assert table(entries)[-1] == (
        "Fastest exact way here: of-ones-own with 2 workers, 2.00 times as fast as sequential."
    )


@pytest.mark.parametrize("length", range(80, 100))
def test_the_words_before_the_python_stay_together(length: int) -> None:
    said = with_python("x" * length + ".", ["import torch"], 100)
    assert max(map(len, said)) <= 100
    assert said[-2].endswith("In Python:")
    assert said[-1] == "    import torch"


def test_what_is_not_exact_is_not_recommended() -> None:
    near, fell = entry("opencv", 1.0), entry("pruned", 2.0)
    near["extra_info"]["proof"].update(differing_frames=50, max_difference=3)
    fell["extra_info"]["fallback"] = "no plan"
    lines = table([entry("sequential", 8.0), entry("threads", 4.0), near, fell])
    assert lines[3].endswith("±3 on 50%")
    assert lines[4].endswith("fell back")
    assert any(line.startswith("Fastest exact way here: threads with 2 workers") for line in lines)
    assert not any("Fastest" in line for line in table([entry("sequential", 8.0)]))


def test_a_strategy_that_fell_back_is_marked_in_the_matrix() -> None:
    entries = [entry("sequential", 8.0), entry("pruned", 4.0), entry("sequential", 8.0)]
    entries[1]["extra_info"]["fallback"] = "a reason"
    entries[2]["extra_info"]["workload"] = "other"
    lines = table(entries)
    assert lines[1].split() == ["default", "8.00", "s", "2.00x*", "-"]
    assert "pruned fell back on default, not pruned: a reason" in lines
