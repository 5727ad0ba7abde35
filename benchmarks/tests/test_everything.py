"""All tables in one go: parts that are kept, gone on with, refused; and documents that are made of them."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import everything
from benchmarks.everything import GridPart, Part, PartError
from fixtures.testing.suite_runner import ROOT
from results import documents

RUN = '{"benchmarks": [], "datetime": ""}'
SAVES = f"""
    storage=$(echo "$1" | sed 's/.*--benchmark-storage=\\([^ ]*\\).*/\\1/')
    mkdir -p "$storage/Linux"
    echo x >> "$storage/../count"
    echo '{RUN}' > "$storage/Linux/0001_run.json"
"""


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of two parts, of which the second fails at first; gives where they are kept."""
    kept = tmp_path / ".tables"
    two = (
        Part("one", ("sh", "-c", SAVES, "-")),
        Part("two", ("sh", "-c", f"test -e {tmp_path}/mended || exit 1; {SAVES}", "-")),
    )
    for name, value in {
        "KEPT": kept, "ROOT": tmp_path, "STORAGE": tmp_path / "results", "PARTS": two,
        "make_folder": lambda: None,
    }.items():  # fmt: skip
        monkeypatch.setattr(everything, name, value)
    (tmp_path / "results").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("No table.\n")
    return kept


def test_it_goes_on_after_a_part_that_failed(parts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert everything.main([]) == 2
    assert "error: two failed" in capfd.readouterr().err
    assert (parts / "one.json").exists()
    assert not list(parts.parent.glob("results/*/*")), "shipped before all is there"
    (parts.parent / "mended").touch()
    assert everything.main([]) == 0
    assert (parts / "count").read_text().split() == ["x", "x"], "the first part was measured again"
    shipped = sorted(path.name for path in parts.parent.glob("results/Linux/*"))
    assert shipped == ["0001_one.json", "0002_two.json"]


@pytest.mark.parametrize(("failing", "status"), [("test_peer", 0), ("test_decode", 2)])
def test_a_wrong_frame_of_another_library_stops_no_tables(
    parts: Path, monkeypatch: pytest.MonkeyPatch, failing: str, status: int
) -> None:
    (parts.parent / "test_made_up.py").write_text(
        "import pytest\n"
        "def test_sound(benchmark): benchmark(int)\n"
        f"@pytest.mark.parametrize('way', ['a'])\ndef {failing}(way): pytest.fail('a wrong frame')\n"
    )
    measure = f'eval "{sys.executable} -m pytest test_made_up.py ${{1#ARGS=}}"'
    monkeypatch.setattr(everything, "PARTS", (Part("peers", ("sh", "-c", measure, "-")),))
    assert everything.main([]) == status
    assert len(list(parts.parent.glob("results/*/0001_peers.json"))) == (status == 0)


def test_a_grid_goes_on_with_its_own_file(parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = 'file="${1#SAVE=}"; test -e "$file" && ended=true; echo {} > "$file"; test "$ended"'
    monkeypatch.setattr(
        everything, "PARTS", (everything.PARTS[0], GridPart("grid", ("sh", "-c", script, "-")))
    )
    monkeypatch.setattr(everything, "GRIDS", parts.parent / "results" / "grids")
    assert everything.main([]) == 2
    assert not (parts / "grid.json").exists(), "half a grid is taken for a whole one"
    assert everything.main([]) == 0
    assert (parts.parent / "results" / "grids" / "grid.json").exists()


@pytest.mark.long
def test_an_interrupt_ends_the_part_first(tmp_path: Path) -> None:
    """SIGTERM, which does not reach the processes of the part by itself."""
    started, ended = tmp_path / "started", tmp_path / "ended"
    script = f"trap 'touch {ended}; exit 130' INT; touch {started}; while true; do sleep 0.05; done"
    code = (
        "import sys; from pathlib import Path; from benchmarks import everything as e;"
        f"e.KEPT = e.ROOT = Path({str(tmp_path)!r}); e.make_folder = lambda: None;"
        f"e.PARTS = (e.Part('long', ('sh', '-c', {script!r}, '-')),); sys.exit(e.main([]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while not started.exists():
        time.sleep(0.02)
    process.terminate()
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted: the finished parts are kept" in told
    assert ended.exists()


def test_another_machine_is_refused(parts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert everything.main([]) == 2
    begun = json.loads((parts / "begun").read_text())
    begun["machine"]["usable_cpus"] += 1
    (parts / "begun").write_text(json.dumps(begun))
    (parts.parent / "mended").touch()
    assert everything.main([]) == 2
    assert "are of another machine" in capfd.readouterr().err
    assert not (parts / "two.json").exists()


def test_a_part_that_needs_root_is_left_out_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part("linked", ("false",), needs_root=True)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert not part.is_possible
    with pytest.raises(PartError, match="linked failed"):
        part.run()


def test_tables_that_look_alike_are_filled_from_their_own_files(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    page = ""
    for name in ("one", "two"):
        (tmp_path / "results" / f"{name}.md").write_text(
            f"| strategy | of |\n| --- | --- |\n| threads | {name} |\n"
        )
        page += f"From `results/{name}.md`:\n\n| strategy | of |\n| --- | --- |\n| threads | - |\n\n"
    filled = documents.written(page, tmp_path)
    assert [line for line in filled.splitlines() if "threads" in line] == [
        "| threads | one |",
        "| threads | two |",
    ]


def test_a_row_that_is_gone_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "verdict.md").write_text(
        "| strategy | change |\n| --- | --- |\n| threads | +1 % |\n"
    )
    page = "From `results/verdict.md`:\n\n| strategy | change |\n| --- | --- |\n| {} | old |\n"
    assert "| threads | +1 % |" in documents.written(page.format("threads"), tmp_path)
    with pytest.raises(documents.DocumentError, match="no row pruned"):
        documents.written(page.format("pruned"), tmp_path)
    with pytest.raises(documents.DocumentError, match="no column who"):
        documents.written(page.format("threads").replace("change", "who"), tmp_path)


def test_the_picture_is_described_by_the_first_table(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    heading = "| strategy | median ± std s |\n| --- | ---: |\n"
    (tmp_path / "results" / "run.md").write_text(
        f"{heading}| threads | 1.234 ± 0.1 |\n| pruned | 0.98 ± 0 |\n"
    )
    picture = "![Bars, rounds as dots: {} 9.9 s, threads 9.9 s](docs/run.svg)\n\n"
    page = f"{picture}From `results/run.md`:\n\n{heading}| threads | - |\n"
    assert "dots: pruned 1.0 s, threads 1.2 s](docs" in documents.written(page.format("pruned"), tmp_path)
    with pytest.raises(documents.DocumentError, match="no row stages"):
        documents.written(page.format("stages"), tmp_path)
