"""The page as a file: what is on it, what is left out, and that no data is ever taken for HTML or script."""

import json
import math
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from fixtures.testing.suite_runner import ROOT
from results.page.__main__ import main
from results.page.tests import made_storage as made
from results.page.tests.made_storage import FOLDER
from results.saved.history import find_files
from results.tests.made_runs import made_run, write_run


class Tags(HTMLParser):
    """What a browser sees of a page: its tags, and the text of its data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data: dict[str, Any] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attributes = self.tags[-1] if self.tags else ("", {})
        if tag == "script" and attributes.get("id") == "data" and not self.data:
            self.data = json.loads(data)


def make(storage: Path, *arguments: str) -> str:
    """The page of a storage."""
    output = storage / "page.html"
    assert main(["--storage", str(storage), "--output", str(output), *arguments]) == 0
    return output.read_text(encoding="utf-8")


def run_with(**fields: Any) -> dict[str, Any]:
    run = made_run({"sequential": 2.0, "threads": 1.0, "limit-all-frames": 0.5})
    return {**run, **fields}


def test_the_shipped_results_make_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, names = tmp_path / "page.html", ["0001", "0002"]
    saved = [json.loads(file.read_text())["benchmarks"] for name in names for file in find_files([name])]
    assert main([*names, "--output", str(output)]) == 0
    assert capsys.readouterr().out.startswith("The page: ")
    page = Tags(output.read_text(encoding="utf-8"))
    assert page.data["tables"]["runs"]["length"] == 2
    assert page.data["tables"]["rows"]["length"] == sum(map(len, saved)) > 50
    assert [tag for tag, _ in page.tags].count("script") == 5
    assert output.stat().st_mode & 0o044 == 0o044


def test_without_names_all_of_the_storage_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made.write_history(tmp_path, runs=3)
    made.add_baseline(tmp_path)
    (tmp_path / "calibration").mkdir()
    (tmp_path / "calibration" / "quiet.json").write_text('{"pairs": []}')
    tables = Tags(make(tmp_path)).data["tables"]
    assert capsys.readouterr().err == ""  # nothing is said to be damaged
    assert tables["runs"]["length"] == 3
    assert "baseline" in tables["history"]["columns"]["what"]["of"]


def test_the_workloads_begin_with_the_run_that_has_the_most(tmp_path: Path) -> None:
    made.write_history(tmp_path, runs=1)
    made.add_workloads(tmp_path, "9000_workloads")
    made.add_workloads(tmp_path, "9001_workloads")
    write_run(tmp_path / FOLDER / "9002_made.json", made.history_run(3100))
    page = Tags(make(tmp_path))
    (first,) = [a["data-first"] for tag, a in page.tags if "data-first" in a]
    assert page.data["tables"]["runs"]["length"] == 4
    assert first == "2"


def test_it_asks_the_network_for_nothing(tmp_path: Path) -> None:
    made.write_history(tmp_path, runs=1)
    page = Tags(make(tmp_path))
    asked = [
        (tag, a)
        for tag, a in page.tags
        if {"src", "srcset", "action"} & a.keys() or tag in ("iframe", "form")
    ]
    assert not asked
    links = [a["href"] for _, a in page.tags if "href" in a]
    assert all(link and (link.startswith("#") or link == "data:,") for link in links)


@pytest.mark.parametrize("where", ["names in the data", "the name of a file"])
def test_data_is_never_markup(where: str, tmp_path: Path) -> None:
    made.write_history(tmp_path, runs=1)
    clean = [tag for tag, _ in Tags(make(tmp_path)).tags]
    if where == "names in the data":
        made.add_attacks(tmp_path)
    else:
        folder = tmp_path / FOLDER
        (folder / "0002_<script>window.attacked=1<b>.json").write_text("[")
        (folder / ("0003_" + "é" * 90 + "\udcff.json")).write_text("[")
    page = Tags(make(tmp_path))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("script") == clean.count("script")
    assert not {"img", "b"} & set(tags)
    assert page.data["tables"]["runs"]["length"] == (2 if where == "names in the data" else 1)


DAMAGED: dict[str, Any] = {
    "cut": '{"benchmarks": [',
    "empty": "",
    "list": "[]",
    "other": '{"a": 1}',
    "deep": "[" * 100_000,
    "nan": json.dumps(made_run({"sequential": math.nan})),
    "infinite": json.dumps(made_run({"sequential": math.inf})),
    "negative": json.dumps(made_run({"sequential": -1.0})),
    "zero": json.dumps(made_run({"sequential": 0.0})),
    "text": json.dumps(made_run({"sequential": "soon"})),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_named_and_left_out(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made.write_history(tmp_path, runs=1)
    (tmp_path / FOLDER / f"0002_{kind}.json").write_text(DAMAGED[kind])
    text = make(tmp_path)
    assert Tags(text).data["tables"]["runs"]["length"] == 1
    told = f"0002_{kind}.json is left out: it is damaged, or no history of this suite"
    assert told in text
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"datetime": "2020-01-01T00:00:00"},
            "0002_odd.json was saved after 0001_made.json, but its clock says before",
        ),
        ({"datetime": "yesterday"}, "0002_odd.json does not say when it was taken"),
        ({"datetime": None}, "0002_odd.json does not say when it was taken"),
    ],
)
def test_odd_clocks_are_told(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    made.write_history(tmp_path, runs=1)
    write_run(tmp_path / FOLDER / "0002_odd.json", run_with(**changes))
    text = make(tmp_path)
    assert told in text
    assert Tags(text).data["tables"]["runs"]["columns"]["source"]["of"][0] == "0002_odd.json"


@pytest.mark.parametrize("benchmarks", [[], [{**e, "stats": None} for e in run_with()["benchmarks"]]])
def test_a_run_that_failed_as_a_whole_is_a_run(benchmarks: list[Any], tmp_path: Path) -> None:
    write_run(tmp_path / FOLDER / "0001_failed.json", run_with(benchmarks=benchmarks))
    text = make(tmp_path)
    assert Tags(text).data["tables"]["runs"]["length"] == 1
    assert "No strategy was timed in any run: make bench times them." in text


def test_costs_that_are_not_finite_are_not_told(tmp_path: Path) -> None:
    run = run_with()
    run["benchmarks"][0]["extra_info"]["cost"] = {"cpu_seconds": math.nan, "peak_bytes": math.inf}
    write_run(tmp_path / FOLDER / "0001_odd.json", run)
    columns = Tags(make(tmp_path)).data["tables"]["rows"]["columns"]
    assert columns["cpu"][0] is None
    assert columns["peak"][0] is None


def test_an_output_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made.write_history(tmp_path, runs=1)
    output = tmp_path / "no" / "such" / "page.html"
    assert main(["--storage", str(tmp_path), "--output", str(output)]) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(
        r"error: \S+ cannot be written \(No such file .*\): give another file with --output\n", told
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing-here"], "error: nothing-here: no such history"),
        (["--storage", "{empty}"], "error: there is no saved run to show: make bench saves one"),
        (["--pairs", "{empty}"], "holds no finished pair: give a folder that make ab has left in .ab/"),
    ],
)
def test_nothing_to_show_is_one_sentence(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([a.format(empty=tmp_path) for a in arguments]) == 2
    assert told in capsys.readouterr().err


def test_a_comparison_is_shown_with_its_verdict(tmp_path: Path) -> None:
    made.write_history(tmp_path, runs=1)
    folder = made.write_pairs(tmp_path / ".ab" / "pairs-x-1-2")
    data = Tags(make(tmp_path, "--pairs", str(folder))).data
    name = f"{made.ATTACK} against torchcodec==0.13.0, pairs-x-1-2"
    assert data["told"][name][0].startswith(f"{name}: Verdict: REGRESSION: threads")
    assert data["tables"]["verdicts"]["columns"]["folder"]["of"] == [name]
    assert data["tables"]["pairs"]["length"] == 16


def test_without_the_libraries_one_sentence_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['altair'] = None; from results.page.__main__ import main; sys.exit(main([]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: the page needs altair, jinja2 and vl-convert-python: pip install")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        ("results.page.writing, results.picture", {"torch", "torchcodec"}),
        ("results.verdict, results.baseline", {"altair", "jinja2", "torch", "numpy"}),
    ],
)
def test_what_is_imported(modules: str, unwanted: set[str]) -> None:
    script = f"import sys, {modules}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not unwanted & set(done.stdout.split())
