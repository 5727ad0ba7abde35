"""The HTML of the page: the template, the data, and one bundle of Vega and its companions."""

from functools import cache
from pathlib import Path
from typing import Any

import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from results.page.content import Content
from results.page.look import CONFIG
from results.page.view import Chart
from results.page.views import VIEWS

EXPORTED = "window.vegaEmbed = vegaEmbed;"  # page.js needs this of the bundle
ASSETS = Path(__file__).parent / "assets"


def html(content: Content) -> str:
    """The page as one text. Jinja2 escapes all data, also the JSON within it."""
    environment = Environment(
        autoescape=True, loader=FileSystemLoader(ASSETS), undefined=StrictUndefined, trim_blocks=True
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    text = environment.get_template("page.html").render(
        content=content,
        data={"tables": content.tables, "specs": _specs(), "config": CONFIG, "told": content.told},
        style=_asset("page.css"),
        scripts=[_bundle(), _asset("data.js"), _asset("charts.js"), _asset("page.js")],
    )
    return text.encode("utf-8", "replace").decode()  # a file's name may hold what UTF-8 cannot


@cache
def _specs() -> dict[str, Any]:
    return {figure.name: spec(figure.chart) for view in VIEWS for figure in view.figures}


def spec(chart: Chart) -> dict[str, Any]:
    """A chart in Vega-Lite; page.js fills in its rows."""
    made: dict[str, Any] = chart([]).to_dict()
    for layer in made["layer"]:
        layer.pop("data", None)  # Altair leaves it in some layers
    return {**made, "data": {"name": "rows"}}


def _asset(name: str) -> Markup:
    return Markup((ASSETS / name).read_text(encoding="utf-8"))  # noqa: S704  it is this repository's own


@cache
def _bundle() -> Markup:
    """Vega, Vega-Lite and Vega-Embed: a second or two of work."""
    return Markup(vl_convert.javascript_bundle(EXPORTED).replace("</script", r"<\/script"))  # noqa: S704
