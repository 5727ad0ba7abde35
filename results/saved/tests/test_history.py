"""Where runs are found, and what is no run."""

from pathlib import Path

import pytest

from results.saved.history import STORAGE, HistoryError, find_files, read_run
from results.tests.made_runs import made_run, write_run


def test_what_calibration_keeps_is_no_run() -> None:
    assert list((STORAGE / "gate" / "calibration").glob("quiet.json"))
    with pytest.raises(HistoryError, match="quiet: no such history"):
        find_files(["quiet"])


def test_a_number_finds_runs_and_no_copies_in_baselines(tmp_path: Path) -> None:
    for folder in ("Linux", "baselines", "calibration"):
        write_run(tmp_path / folder / "0001_run.json", made_run({"threads": 1.0}))
    assert [path.parent.name for path in find_files(["0001"], tmp_path)] == ["Linux"]
    assert [path.parent.name for path in find_files(["0001_run"], tmp_path)] == ["baselines"]  # its name


def test_benchmarks_of_another_suite_are_left_out() -> None:
    run = made_run({"threads": 1.0})
    run["benchmarks"].append({"extra_info": {}, "stats": {"median": 1.0}})
    assert list(read_run(run, "it").benchmarks) == ["threads"]
    run["benchmarks"] = run["benchmarks"][1:]
    with pytest.raises(ValueError, match="no benchmark of this suite is in it"):
        read_run(run, "it")


def test_a_run_must_say_what_was_measured() -> None:
    run = made_run({"threads": 1.0})
    del run["benchmarks"][0]["extra_info"]["work"]
    with pytest.raises(ValueError, match="it does not say what was measured"):
        read_run(run, "it")


def test_what_failed_is_named_apart() -> None:
    run = made_run({"threads": 1.0, "pruned": 1.0})
    run["benchmarks"][1]["stats"] = None
    read = read_run(run, "it")
    assert (list(read.benchmarks), list(read.untimed)) == (["threads"], ["pruned"])
