"""Pictures without a browser: what is drawn, in both forms, and what cannot be."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from fixtures.testing.suite_runner import ROOT
from results.page.tests import made_storage as made
from results.picture import main


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    storage = tmp_path_factory.mktemp("storage")
    made.write_history(storage, runs=20, step_at=99)
    made.add_scaling(storage)
    return storage


@pytest.mark.parametrize("what", ["run", "scaling", "history"])
def test_a_picture_is_drawn(what: str, storage: Path, tmp_path: Path) -> None:
    output = tmp_path / "picture.svg"
    assert main([what, "--storage", str(storage), "--output", str(output)]) == 0
    svg = output.read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "prefers-color-scheme:dark" in svg
    assert {"run": "sequential", "scaling": "pruned-threads", "history": "run, in order of time"}[what] in svg
    assert "href" not in svg.replace("xmlns:xlink", "")


def test_after_a_run_of_requests_the_strategies_are_drawn_and_its_fastest_way(tmp_path: Path) -> None:
    made.write_history(tmp_path, runs=2)
    made.add_requests(tmp_path)
    for what, told in {"run": "pruned-threads", "history": "seconds"}.items():
        output = tmp_path / f"{what}.svg"
        assert main([what, "--storage", str(tmp_path), "--output", str(output)]) == 0
        assert told in output.read_text(encoding="utf-8")
        assert "p95" not in output.read_text(encoding="utf-8")
    assert "median: 1;" in (tmp_path / "history.svg").read_text(encoding="utf-8")


def test_the_readmes_picture_is_that_of_its_run(tmp_path: Path) -> None:
    """Else: python -m results.documents"""
    assert main(["run", "0001", "--output", str(tmp_path / "run.svg")]) == 0
    drawn, shipped = (tmp_path / "run.svg").read_text(), (ROOT / "docs" / "run.svg").read_text()
    assert _told(shipped) == _told(drawn)
    assert {"pyav-chunks", "spdl"} & set(_told(drawn)) == {"pyav-chunks"}  # of peers the fastest alone
    if f"vl-convert-python=={version('vl-convert-python')}\n" in (ROOT / "constraints.txt").read_text():
        assert shipped == drawn  # other versions may lay it out otherwise


def _told(svg: str) -> list[str]:
    return re.findall(r'(?:aria-label="|<text[^>]*>)([^"<]+)', svg)


def test_a_png_is_one(storage: Path, tmp_path: Path) -> None:
    output = tmp_path / "picture.png"
    assert main(["run", "--storage", str(storage), "--output", str(output)]) == 0
    assert output.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["history", "--benchmark", "none"], "error: no run has a benchmark none of the workload default"),
        (["run", "--workload", "none"], "error: no run has anything to draw for run"),
        (["run", "nothing-here"], "error: nothing-here: no such history"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(
    arguments: list[str], told: str, storage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--storage", str(storage), "--output", str(tmp_path / "a.svg")]) == 2
    assert capsys.readouterr().err.startswith(told)


@pytest.mark.parametrize("name", ["a.svg", "a.png"])
def test_an_output_that_cannot_be_written(
    name: str, storage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--storage", str(storage), "--output", str(tmp_path / "no" / name)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_another_form_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--output", "a.jpg"])
    assert "a.jpg: give a name that ends in .svg or .png" in capsys.readouterr().err
