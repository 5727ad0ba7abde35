"""The parts of a view on the page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import altair as alt

from results.page.look import Rows

Chart = Callable[[Rows], alt.LayerChart]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A picture and its caption."""

    name: str
    caption: str
    chart: Chart
    ignores: str = ""  # a chooser of the view that does not change this picture


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a view's rows: titles by field."""

    caption: str
    columns: Mapping[str, str]
    where: str = ""  # "what=run": only these rows, "what!run": all others
    is_open: bool = False


@dataclass(frozen=True, kw_only=True)
class View:
    """A part of the page: choosers, pictures and tables of the same rows."""

    name: str
    title: str
    intro: str
    rows: str  # name of the packed table
    choosers: Mapping[str, str]  # label by field
    optional: tuple[str, ...] = ()  # choosers that begin with "all"
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    empty: str  # what to do if there is nothing to show
