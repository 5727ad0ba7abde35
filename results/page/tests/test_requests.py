"""Requests on the page: their figures, where they are shown, and where they are not."""

import json
from pathlib import Path
from typing import Any

import pytest
import vl_convert

from results.page.content import Content, gather
from results.page.marks import Mark
from results.page.picture import fixed
from results.page.reading import read_saved
from results.page.request_rows import request_rows
from results.page.requests import latencies, throughput
from results.page.series import history_marks
from results.page.tests import made_storage as made
from results.page.tests.test_charts import unpacked
from results.saved.history import read_run
from results.schema import Entry
from results.tests.made_requests import made_entry
from results.tests.made_runs import write_run


def rows_of(*entries: Entry) -> list[dict[str, Any]]:
    return request_rows(read_run({"benchmarks": list(entries)}, "made up"))


def column(content: Content, table: str, field: str) -> list[Any]:
    return unpacked(content.tables[table]["columns"][field])


def test_a_way_has_its_throughput_with_the_range_of_its_rounds() -> None:
    (row,) = rows_of(made_entry("kept", "clips-closed-2", [2.0, 1.0, 4.0]))
    assert (row["stream"], row["name"], row["callers"], row["asked_by"]) == ("clips", "kept", 2, "2 callers")
    assert (row["slowest"], row["rate"], row["fastest"]) == (2.5, 5.0, 10.0)
    assert (row["p50"], row["p95"], row["largest"], row["cpu"]) == (50.0, 90.0, 300.0, 60.0)
    assert (row["read"], row["first"], row["decoders"], row["proof"]) == (0.15, 90.0, 2, "exact")


def test_the_line_of_latencies_is_the_distribution() -> None:
    """A bucket begins where the one before it ended, or where the line has been flat."""
    distribution = [[2, 10], [0, 5], [1, 5]]
    (row,) = rows_of(made_entry("kept", "clips-closed-2", [1.0], distribution=distribution))
    assert row["latency"] == pytest.approx([1000, 1050, 1102.5, 1157.6])
    assert row["share"] == [0, 0.25, 0.5, 1]
    (row,) = rows_of(made_entry("kept", "clips-closed-2", [1.0], distribution=[[0, 1], [2, 3]]))
    assert row["latency"] == pytest.approx([1000, 1050, 1102.5, 1157.6])
    assert row["share"] == [0, 0.25, 0.25, 1]


def test_where_requests_arrive_by_themselves_the_time_is_no_throughput() -> None:
    (row,) = rows_of(made_entry("kept", "vlm-open-80", [2.0], arrivals=5.0))
    assert (row["rate"], row["slowest"], row["of_limit"], row["arrivals"]) == (None, None, None, 5.0)
    assert row["asked_by"] == "80 % of what TorchCodec can take"


def test_a_run_of_requests_alone_is_drawn_in_its_own_view_and_in_no_other(tmp_path: Path) -> None:
    made.add_requests(tmp_path)
    content = gather([], [], tmp_path)
    lengths = {name: table["length"] for name, table in content.tables.items()}
    assert lengths["requests"] == 3 * len(made.WAYS) + 3
    assert lengths["history"] > 0
    assert (lengths["rows"], lengths["matrix"], lengths["scaling"]) == (0, 0, 0)
    assert column(content, "requests", "of_limit")[0] == pytest.approx(0.4)
    assert content.odd == []


def test_requests_change_nothing_in_the_views_of_strategies(tmp_path: Path) -> None:
    made.write_history(tmp_path, runs=2)
    made.add_workloads(tmp_path)
    before = gather([], [], tmp_path)
    made.add_requests(tmp_path)
    after = gather([], [], tmp_path)
    assert before.first_run == after.first_run  # the run of requests has more workloads
    for name in ("rows", "matrix", "scaling", "verdicts", "pairs"):
        assert before.tables[name] == after.tables[name]


def test_each_load_of_a_stream_tells_what_to_use(tmp_path: Path) -> None:
    made.add_requests(tmp_path)
    content = gather([], [], tmp_path)
    fields = (column(content, "tasks", field) for field in ("workload", "sentence", "code"))
    told = {workload: (sentence, code) for workload, sentence, code in zip(*fields, strict=True)}
    assert told["clips-closed-1"] == told["clips-closed-8"]
    sentence, code = told["clips-closed-1"]
    assert sentence.startswith("clips: fresh answers most on clips-closed-1, 10 requests a second, 1.10")
    assert "VideoDecoder" in code


def marks(storage: Path, name: str) -> list[Mark]:
    return [mark for mark in history_marks(read_saved([], storage)[0], {}) if mark.name == name]


def test_throughput_and_p95_have_a_history_each(tmp_path: Path) -> None:
    for number in range(3):
        made.add_requests(tmp_path, f"000{number}_requests")
    time = [m for m in marks(tmp_path, "kept") if m.workload == "clips-closed-1"]
    p95 = [m for m in marks(tmp_path, "kept, p95") if m.workload == "clips-closed-1"]
    assert [m.value for m in time if m.basis == "seconds"] == [1.2] * 3
    assert [m.value for m in time if m.basis == "relative"] == pytest.approx([3.0] * 3)
    assert [m.value for m in p95] == [0.09] * 3  # of the limit there are no percentiles
    assert {m.basis for m in p95} == {"seconds"}
    assert not [m for m in marks(tmp_path, "pyav") if m.workload == "vlm-open-80"]


DAMAGED: dict[str, dict[str, Any]] = {
    "text": {"distribution": "soon"},
    "no pairs": {"distribution": [[1, 2, 3]]},
    "less than none": {"distribution": [[1, -2], [2, 3]]},
    "none at all": {"distribution": [[1, 0]]},
    "too large": {"distribution": [[10**6, 1]]},
    "no p95": {"p95_rounds": []},
    "a p95 of nothing": {"p95_rounds": [0.0]},
    "a p95 that is none": {"p95_rounds": [float("nan")] * 3},
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_named_and_left_out(kind: str, tmp_path: Path) -> None:
    made.write_history(tmp_path, runs=1)
    entry = made_entry("kept", "clips-closed-2", [1.0], **DAMAGED[kind])
    write_run(tmp_path / made.FOLDER / "0002_damaged.json", {"datetime": "", "benchmarks": [entry]})
    content = gather([], [], tmp_path)
    assert content.tables["runs"]["length"] == 1
    assert [line.partition(":")[0] for line in content.odd] == ["0002_damaged.json is left out"]


def test_the_pictures_have_a_line_for_each_way(tmp_path: Path) -> None:
    made.add_requests(tmp_path)
    (saved,), _ = read_saved([], tmp_path)
    rows = [row for row in saved.requests if row["stream"] == "clips"]
    for chart, shown in ((throughput, rows), (latencies, [r for r in rows if r["callers"] == 2])):
        spec = chart(shown).to_dict()
        lines = [layer["mark"]["type"] for layer in spec["layer"]]
        assert lines.count("line") == 1
        assert "name" in json.dumps(spec["layer"])
        svg = vl_convert.vegalite_to_svg(fixed(spec))
        assert all(f">{way}</text>" in svg for way in made.WAYS)
