"""Tables packed by columns, so a page holds a thousand runs: each text once, repeated values as counts."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

Packed = dict[str, Any]


def pack(rows: Iterable[Mapping[str, Any]], fields: Sequence[str]) -> Packed:
    """Pack rows as {"length": n, "columns": {field: column}}; page.js unpacks them.

    A column is a list of values; or {"of": distinct texts, "at": column of indices into it}; or {"runs":
    [value, count, value, count ..]}, if that is shorter.
    """
    listed = [[row[field] for field in fields] for row in rows]
    columns = zip(*listed, strict=True) if listed else [() for _ in fields]
    return {
        "length": len(listed),
        "columns": {field: _packed(list(column)) for field, column in zip(fields, columns, strict=True)},
    }


def _packed(values: list[Any]) -> Any:
    if any(isinstance(value, str) for value in values):
        places: dict[Any, int] = {}
        at = [places.setdefault(value, len(places)) for value in values]
        return {"of": list(places), "at": _counted(at)}
    return _counted(values)


def _counted(values: list[Any]) -> Any:
    groups = [[value, len(list(group))] for value, group in groupby(values)]
    return {"runs": [x for group in groups for x in group]} if 2 * len(groups) < len(values) else values
