"""README.md and docs/: short, linked, true to the saved files; their Python runs."""

import json
import re
from pathlib import Path

import pytest

from fixtures.testing.suite_runner import ROOT
from results import documents
from results.gate.resampling import false_alarms, power, values_of

README = ROOT / "README.md"
PAGES = documents.pages(ROOT)
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
LINK = re.compile(r"\]\(([^)]+)\)")
WORDY = 110  # lines of the README: what fits three minutes


def test_the_readme_fits_three_minutes() -> None:
    assert len(README.read_text().splitlines()) <= WORDY


def test_each_page_is_linked_from_the_readme() -> None:
    linked = {ROOT / target for target in LINK.findall(README.read_text())}
    assert set(PAGES) - {README} <= linked


@EACH_PAGE
def test_links_lead_somewhere(page: Path) -> None:
    targets = [t for t in LINK.findall(page.read_text()) if not t.startswith("https://")]
    dead = [t for t in targets if not _leads_somewhere(page, *t.partition("#")[::2])]
    assert dead == []


def _leads_somewhere(page: Path, target: str, heading: str) -> bool:
    file = page.parent / target if target else page
    headings = re.findall(r"^#+ (.*)", file.read_text(), re.MULTILINE) if heading else []
    anchors = [re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in headings]
    return file.exists() and (not heading or heading in anchors)


@EACH_PAGE
def test_lines_are_no_longer_than_120(page: Path) -> None:
    assert [line for line in page.read_text().splitlines() if len(line) > 120 or line != line.rstrip()] == []


def test_tables_are_those_of_the_files_they_name() -> None:
    """To the digit; a table may leave out rows and columns."""
    assert sum(len(documents.TABLE.findall(page.read_text())) for page in PAGES) >= 6
    for page in PAGES:
        text = page.read_text()
        assert len(documents.TABLE.findall(text)) == text.count("\nFrom `results/"), page.name
        assert documents.written(text, ROOT) == text, f"{page.name}: `python -m results.documents` mends it"


@pytest.mark.long
@pytest.mark.parametrize("hour", ["quiet", "neighbour"])
def test_what_lockstep_finds_is_what_calibration_counts(hour: str) -> None:
    """Of measurements of two minutes: another rule, or other pairs, would change these rows, too."""
    page = (ROOT / "docs" / "lockstep.md").read_text()
    row = re.search(rf"^\| {hour} \| 2 \((\d+)\) \| (.*) \|$", page, re.MULTILINE)
    assert row is not None
    count = int(row[1])
    pairs = values_of(json.loads((ROOT / "results" / "gate" / "calibration" / f"{hour}.json").read_text()))
    found = [f"{100 * power(pairs, 'threads', percent, count):.1f}" for percent in (3, 5, 8, 15)]
    slower, judged, used = false_alarms(pairs, count)
    told = " | ".join([*found, f"{slower:,} of {judged:,}", f"{100 * used:.0f} %"])
    assert row[2].startswith(told)


@pytest.mark.long
@pytest.mark.parametrize("hour", ["quiet", "neighbour"])
def test_what_lockstep_finds_of_requests_is_what_calibration_counts(hour: str) -> None:
    page = (ROOT / "docs" / "lockstep.md").read_text()
    kept = ROOT / "results" / "gate" / "calibration" / f"requests-{hour}.json"
    pairs = values_of(json.loads(kept.read_text()))
    slower, judged, _ = false_alarms(pairs, 3)
    for what, name, alarms in (
        ("throughput", "kept on clips-closed-1", f"{slower} of {judged:,} "),
        ("p95", "kept on clips-closed-1, p95", ""),
    ):
        found = [f"{100 * power(pairs, name, percent, 3):.1f}" for percent in (3, 5, 10, 15)]
        assert f"| {hour} | 2 (3) | {what} | {' | '.join(found)} | {alarms}|" in page


def test_versions_tried_are_those_that_jobs_take() -> None:
    page = (ROOT / "docs" / "compatibility.md").read_text()
    for constraints in ROOT.glob("constraints*.txt"):
        pins = dict(re.findall(r"^(torch|torchcodec)==([\d.]+)$", constraints.read_text(), re.MULTILINE))
        row = rf"\| {pins['torch']} \| {pins['torchcodec']} \| `{re.escape(constraints.name)}` \|"
        assert re.search(row, page), f"{constraints.name} has {pins}"
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        for version in re.findall(r'python(?:-version)?: "(3[\d.]+)"', workflow.read_text()):
            assert f"| {version} |" in page, f"{workflow.name} takes Python {version}"


@pytest.mark.parametrize("page", [p for p in PAGES if "```python" in p.read_text()], ids=lambda p: p.name)
def test_python_runs_as_it_stands(
    page: Path, small_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "video.mp4").symlink_to(small_video)
    monkeypatch.chdir(tmp_path)
    for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        exec(compile(code, page.name, "exec"), {})  # noqa: S102  this repository's own
