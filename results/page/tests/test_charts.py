"""The charts as Vega-Lite, and the tables that travel in the page."""

import json
import re
from typing import Any

import pytest
import vl_convert

from results.page.digits import with_noise
from results.page.packing import pack
from results.page.pair_dots import pair_dots
from results.page.picture import fixed
from results.page.scaling import FIELDS, curves
from results.page.view import Figure
from results.page.views import VIEWS
from results.page.writing import spec

FIGURES = [figure for view in VIEWS for figure in view.figures]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_a_chart_tells_what_it_shows_and_holds_no_data(figure: Figure) -> None:
    made = spec(figure.chart)
    assert made["description"]
    assert made["data"] == {"name": "rows"}
    assert not any("data" in layer for layer in made["layer"])
    assert "tooltip" in json.dumps(made)


def test_few_pairs_repeat_no_number() -> None:
    rows = [{"folder": "x", "name": "threads", "pair": number, "change": 1.0} for number in (1, 2)]
    svg = vl_convert.vegalite_to_svg(fixed(pair_dots(rows).to_dict()))
    assert re.findall(r">(\d+)</text>", svg) == ["1", "2"]


def test_the_axis_of_workers_names_doublings() -> None:
    row = dict.fromkeys(FIELDS) | {"strategy": "threads", "threads": 1, "is_measured": True}
    rows = [row | {"workers": number, "gain": 1.0} for number in (1, 3, 64)]
    svg = vl_convert.vegalite_to_svg(fixed(curves(rows).to_dict()) | {"width": 1300})
    across = re.findall(r"<text[^>]*>(\d+)</text>", svg.split("speed-up over one worker, times</text>")[0])
    assert across[:7] == ["1", "2", "4", "8", "16", "32", "64"]


def unpacked(column: Any) -> list[Any]:
    """As page.js does it."""
    if isinstance(column, list):
        return column
    if "of" in column:
        return [column["of"][place] for place in unpacked(column["at"])]
    pairs = zip(column["runs"][::2], column["runs"][1::2], strict=True)
    return [value for value, count in pairs for _ in range(count)]


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.5],
        ["a", "b", "a"],
        ["a"] * 9,
        [1] * 9,
        [None, "a", None],
        [None] * 5,
        [(1.0, 2.0), ()],
        [True, False],
    ],
)
def test_packing_loses_nothing(values: list[Any]) -> None:
    packed = pack([{"x": value} for value in values], ["x"])
    assert packed["length"] == len(values)
    assert unpacked(packed["columns"]["x"]) == values


@pytest.mark.parametrize(
    ("seconds", "rounds", "told"),
    [
        (8.2714, (8.18, 8.27, 8.36), "8.27 ± 0.09 s"),
        (8.2714, (8.26, 8.27, 8.28), "8.271 ± 0.010 s"),
        (8.2714, (6.0, 8.2714, 12.0), "8 ± 3 s"),
        (8.2714, (8.2714,), "8.27 s"),
        (8.2714, (8.2714, 8.2714, 8.271400000000001), "8.27 s"),
        (0.01234, (0.0123, 0.01234, 0.0124), "0.01234 ± 0.00005 s"),
    ],
)
def test_times_have_the_digits_that_the_noise_allows(
    seconds: float, rounds: tuple[float, ...], told: str
) -> None:
    assert with_noise(seconds, rounds) == told
