"""The page in Chromium, offline: what is drawn, what the keyboard does, how it fits; no name runs."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from results.page.__main__ import main
from results.page.tests import made_storage as made
from results.tests.made_runs import write_run

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: pip install playwright")
IS_REQUIRED = os.environ.get("BROWSER_TESTS") == "required"
CHARTS = (
    "run-times", "run-cpu", "run-memory", "run-decoded", "workloads-matrix", "scaling-curves", "scaling-map",
    "requests-throughput", "requests-latencies", "history-timeline", "verdicts-changes", "pairs-dots",
)  # fmt: skip
MARKS = "[role='graphics-symbol']"
ENTRIES = ".role-legend-entry .role-scope > g"
LEGEND = """entries => [...document.querySelectorAll(entries)].map((entry) => {
    const symbol = entry.querySelector('.role-legend-symbol path'), name = entry.querySelector('text');
    return [name.textContent, [symbol.getAttribute('stroke'), symbol.getAttribute('stroke-dasharray')]];
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        (pytest.fail if IS_REQUIRED else pytest.skip)("there is no Chromium: apt install chromium")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, chromium_sandbox=False)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with something in every view, and with names that attack it."""
    storage = tmp_path_factory.mktemp("storage")
    made.write_history(storage)
    made.add_baseline(storage)
    made.add_workloads(storage)
    made.add_scaling(storage)
    made.add_requests(storage)
    made.add_attacks(storage)
    pairs = made.write_pairs(storage / ".ab" / "pairs-x")
    output = storage / "page.html"
    assert main(["--storage", str(storage), "--output", str(output), "--pairs", str(pairs)]) == 0
    return output


class Opened:
    """The page in a window, and what it has said and asked for."""

    def __init__(self, browser: Any, file: Path, *, scheme: str = "light", width: int = 1440) -> None:
        size = {"width": width, "height": 900}
        permissions = ["clipboard-read", "clipboard-write"]
        context = browser.new_context(
            offline=True, color_scheme=scheme, viewport=size, permissions=permissions
        )
        self.page = context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())
        self.page.wait_for_selector("body[data-ready=yes]", timeout=20_000)

    def count(self, chart: str) -> int:
        return int(self.page.locator(f"[data-chart={chart}] {MARKS}").count())

    def choose(self, view: str, field: str, label: str) -> None:
        """Choose by the keyboard: what is typed in a focused list selects."""
        select = self.page.locator(f"#{view} select[data-field={field}]")
        select.focus()
        self.page.keyboard.type(label)
        self.page.wait_for_timeout(400)


@pytest.fixture(scope="module")
def opened(browser: Any, file: Path) -> Iterator[Opened]:
    opened = Opened(browser, file)
    yield opened
    opened.page.context.close()


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (360, "light"),
        (1440, "dark"),
        pytest.param(360, "dark", marks=pytest.mark.long),
        pytest.param(1440, "light", marks=pytest.mark.long),
        pytest.param(2560, "light", marks=pytest.mark.long),
        pytest.param(2560, "dark", marks=pytest.mark.long),
    ],
)
def test_every_view_draws_and_fits(scheme: str, width: int, browser: Any, file: Path) -> None:
    opened = Opened(browser, file, scheme=scheme, width=width)
    assert {chart: opened.count(chart) > 0 for chart in CHARTS} == dict.fromkeys(CHARTS, True)
    assert opened.said == []
    assert opened.asked == [file.as_uri()]
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.page.evaluate("window.attacked") is None
    ink = opened.page.evaluate("getComputedStyle(document.body).color.match(/[0-9]+/)[0]")
    assert (int(ink) < 128) == (scheme == "light")
    opened.page.context.close()


def test_a_name_that_attacks_is_shown_as_it_is(opened: Opened) -> None:
    opened.page.locator("#run select[data-field=run]").select_option(
        label=_option(opened, "run", "9003_attacks")
    )
    opened.page.wait_for_timeout(300)
    opened.page.locator("#run summary").last.click()
    opened.page.wait_for_selector("#run table td")
    assert made.ATTACK in opened.page.locator("#run table").inner_text()
    assert opened.page.evaluate("window.attacked") is None
    assert opened.said == []


def test_a_picture_of_nothing_is_left_out(opened: Opened) -> None:
    """A run that tells no packets."""
    opened.page.locator("#run select[data-field=run]").select_option(
        label=_option(opened, "run", "9002_scaling")
    )
    opened.page.wait_for_selector("[data-chart=run-decoded]", state="hidden")
    assert opened.page.locator("[data-chart=run-memory]").is_visible()


def test_where_requests_arrive_by_themselves_no_throughput_is_drawn(opened: Opened) -> None:
    _choose_stream(opened, "vlm")
    assert opened.page.locator("[data-chart=requests-throughput]").is_hidden()
    assert opened.count("requests-latencies") > 0
    _choose_stream(opened, "clips")
    assert opened.page.locator("[data-chart=requests-throughput]").is_visible()
    assert "exactframes" in str(opened.page.locator("[data-chart=requests-latencies] svg").text_content())


def test_a_way_looks_the_same_in_both_pictures_and_as_no_other_way(opened: Opened) -> None:
    """Ten ways, of which two are left on another stream; a line is told by its colour and its dash."""
    looks = {chart: _looks(opened, chart) for chart in ("requests-throughput", "requests-latencies")}
    assert looks["requests-throughput"] == looks["requests-latencies"]
    assert len(set(looks["requests-latencies"].values())) == len(made.WAYS)
    _choose_stream(opened, "vlm")
    fewer = _looks(opened, "requests-latencies")
    assert fewer.items() < looks["requests-latencies"].items()
    assert len(fewer) == 2
    _choose_stream(opened, "clips")


def _choose_stream(opened: Opened, stream: str) -> None:
    opened.page.locator("#requests select[data-field=stream]").select_option(label=stream)
    opened.page.wait_for_timeout(300)


def _looks(opened: Opened, chart: str) -> dict[str, tuple[str, str]]:
    """Colour and dash by name, as the legend tells them."""
    found = opened.page.evaluate(LEGEND, f"[data-chart={chart}] {ENTRIES}")
    return {name: (colour, dash) for name, (colour, dash) in found}


def test_latencies_are_those_of_the_chosen_number_of_callers(opened: Opened) -> None:
    select = opened.page.locator("#requests select[data-field=asked_by]")
    assert select.locator("option").all_inner_texts() == ["1 caller", "2 callers", "8 callers"]
    before = opened.page.locator("[data-chart=requests-latencies] svg").inner_html()
    throughput = opened.page.locator("[data-chart=requests-throughput] svg").inner_html()
    select.select_option(label="2 callers")
    opened.page.wait_for_timeout(300)
    assert opened.page.locator("[data-chart=requests-latencies] svg").inner_html() != before
    assert _without_ids(opened.page.locator("[data-chart=requests-throughput] svg").inner_html()) == (
        _without_ids(throughput)
    )


def _without_ids(svg: str) -> str:
    """Each picture that is drawn has clips with numbers of their own."""
    return re.sub(r"clip\d+", "clip", svg)


def _option(opened: Opened, view: str, part: str) -> str:
    labels = opened.page.locator(f"#{view} select[data-field=run] option").all_inner_texts()
    return str(next(label for label in labels if part in label))


def test_filters_work_by_keyboard(opened: Opened) -> None:
    before = opened.page.locator("#history svg").inner_html()
    opened.choose("history", "name", "threads")
    assert opened.page.locator("#history svg").inner_html() != before
    assert "step" in opened.page.locator("#history table").first.inner_text()
    opened.choose("history", "basis", "times")
    assert "times the limit" in str(opened.page.locator("#history svg").text_content())


def test_tooltips_work_by_keyboard(opened: Opened) -> None:
    opened.page.locator("[data-chart=pairs-dots] .chart").focus()
    opened.page.keyboard.press("ArrowRight")
    opened.page.keyboard.press("ArrowRight")
    told = opened.page.locator("#vg-tooltip-element").inner_text()
    assert "pair" in told
    assert opened.page.locator("#said").inner_text()


def test_copying_works_by_keyboard(opened: Opened) -> None:
    opened.page.locator("#run select[data-field=run]").select_option(
        label=_option(opened, "run", "0080_made")
    )
    button = opened.page.locator("#run button")
    button.focus()
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_selector("text=Copied")
    assert "decode" in opened.page.evaluate("navigator.clipboard.readText()")


def test_focus_is_visible(opened: Opened) -> None:
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.many_runs
def test_a_thousand_runs_are_drawn_in_time(
    browser: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made in 10 s and 8 MB; the first picture within 3 s, another filter within 300 ms."""
    for number in range(1000):
        write_run(tmp_path / "x" / f"{number:04}_made.json", made.many_benchmarks(number))
    output = tmp_path / "page.html"
    began = time.monotonic()
    assert main(["--storage", str(tmp_path), "--output", str(output), "0"]) == 0
    seconds, size = time.monotonic() - began, output.stat().st_size
    began = time.monotonic()
    opened = Opened(browser, output)
    first = time.monotonic() - began
    opened.choose("history", "name", "threads-2")
    filtered = float(opened.page.locator("#history").get_attribute("data-drawn") or "inf")
    with capsys.disabled():
        print(f"\nmade in {seconds:.1f} s, {size / 1e6:.1f} MB; all drawn in {first:.1f} s", end="")  # noqa: T201
        print(f", another filter in {filtered:.0f} ms")  # noqa: T201
    assert seconds <= 10
    assert size <= 8e6
    assert first <= 3
    assert filtered <= 300
