"""Histories: what is connected, what breaks, which software changed, where it moved."""

from pathlib import Path
from typing import Any

import pytest

from results.page.marks import Mark
from results.page.reading import read_baselines, read_saved
from results.page.series import history_marks
from results.page.tests import made_storage as made
from results.tests.made_runs import write_run


def marks_of(storage: Path, name: str = "threads", basis: str = "seconds") -> list[Mark]:
    runs, _ = read_saved([], storage)
    baselines, _ = read_baselines(storage)
    return [mark for mark in history_marks(runs, baselines) if (mark.name, mark.basis) == (name, basis)]


def write(storage: Path, runs: list[dict[str, Any]]) -> None:
    for number, fields in enumerate(runs):
        write_run(storage / f"x/{number:04}_made.json", made.history_run(number, **fields))


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("machine__cpu_model", "B", "machine.cpu_model: A -> B"),
        ("work__seek_mode", "exact", "work.seek_mode: approximate -> exact"),
    ],
)
def test_only_comparable_runs_are_connected(field: str, value: str, told: str, tmp_path: Path) -> None:
    write(tmp_path, [{}, {field: value}, {}, {field: value}])
    marks = marks_of(tmp_path)
    groups = [mark.group for mark in marks if mark.what == "run"]
    assert groups[0] == groups[2] != groups[1] == groups[3]
    assert [(mark.run, mark.text) for mark in marks if mark.what == "break"] == [(1, told)]


def test_a_change_of_software_is_marked_with_both_versions(tmp_path: Path) -> None:
    write(tmp_path, [{}, {}, {"software__torchcodec": "2"}, {"software__torchcodec": "2"}])
    marks = marks_of(tmp_path)
    assert [(m.run, m.text) for m in marks if m.what == "software"] == [(2, "torchcodec: 1 -> 2")]
    assert len({m.group for m in marks if m.what == "run"}) == 1


def test_the_planted_step_is_marked(tmp_path: Path) -> None:
    made.write_history(tmp_path)
    for basis in ("seconds", "relative"):
        steps = [mark for mark in marks_of(tmp_path, basis=basis) if mark.what == "step"]
        assert [abs((step.run or 0) - 40) <= 2 for step in steps] == [True]
        assert steps[0].text.startswith("+")
    assert not [mark for mark in marks_of(tmp_path, "sequential") if mark.what == "step"]


def test_a_run_has_its_median_and_the_range_of_its_rounds(tmp_path: Path) -> None:
    write(tmp_path, [{"noise": 0}])
    (absolute,), (relative,) = (marks_of(tmp_path, basis=basis) for basis in ("seconds", "relative"))
    assert (absolute.low, absolute.value, absolute.high) == pytest.approx((3.92, 4, 4.12))
    assert relative.value == pytest.approx(4 / 1.5, rel=1e-3)
    assert not marks_of(tmp_path, "limit-all-frames", "relative")


def test_a_baseline_is_a_band_where_it_is_comparable(tmp_path: Path) -> None:
    write(tmp_path, [{}])
    made.add_baseline(tmp_path)
    (band,) = [mark for mark in marks_of(tmp_path) if mark.what == "baseline"]
    assert band.low is not None
    assert band.high is not None
    assert 3.5 < band.low < band.high < 4.5
    assert band.text.startswith("baseline good: ")
    write(tmp_path, [{"machine__cpu_model": "B"}])
    assert not [mark for mark in marks_of(tmp_path) if mark.what == "baseline"]
