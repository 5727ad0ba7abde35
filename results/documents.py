"""The tables of README.md and docs/, made of the saved files that they name.

    python -m results.documents

Words stay as they are. Where a paragraph that begins "From `results/...json`" stands before a table, the rows
and columns of that table are filled anew; where a line that names a command `python -m results.REPORT FILE`
ends in a colon, the block below is what the command prints; and docs/run.svg is drawn of the README's first
run, whose seconds its description tells. A row that the file does not have any more is an error: what is said
of it must be written anew.

Exit status: 0, or 2 if a table cannot be made.
"""

import argparse
import contextlib
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from results import cluster_model, picture, report
from results.saved.history import STORAGE, UNREADABLE
from results.saved.rates import records_of
from results.saved.saving import write_atomically
from results.told.grid import grid_rows
from results.told.report import table_in_markdown
from results.told.tables import markdown_table

TABLE = re.compile(r"^From `(results/[^`]+)`[^|]*?\n\n((?:\|.*\n)+)", re.MULTILINE)
BLOCK = re.compile(
    r"^`python -m results\.(\w+) (results/[^`]+)`.*:\n\n```text\n((?:.*\n)*?)```", re.MULTILINE
)
DESCRIPTION = re.compile(r"(?<=rounds as dots: )([^\]]+)(?=\]\(docs/run\.svg\))")
COMMANDS: dict[str, Callable[[list[str]], int]] = {"cluster_model": cluster_model.main, "report": report.main}
PICTURE = Path("docs") / "run.svg"


class DocumentError(Exception):
    """A document shows what its file does not have; the message says where."""


def pages(root: Path) -> list[Path]:
    """The README and what stands in docs/."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def written(text: str, root: Path) -> str:
    """A page with its tables filled anew.

    Raises:
        DocumentError: if a row or a column is not in the file, or it cannot be read.
    """

    def table(found: re.Match[str]) -> str:
        return found[0].replace(found[2], _filled(found[2].splitlines(), root / found[1]))

    def block(found: re.Match[str]) -> str:
        return found[0].replace(found[3], _printed(COMMANDS[found[1]], root / found[2]))

    def description(found: re.Match[str]) -> str:
        first = TABLE.search(text)
        return _described(found[0], root / first[1]) if first is not None else found[0]

    return DESCRIPTION.sub(description, BLOCK.sub(block, TABLE.sub(table, text)))


def _described(shown: str, file: Path) -> str:
    """The same strategies with their seconds, as in "threads 5.1 s, pruned-threads 3.2 s"."""
    saved = _rows(_read(file))
    names = re.findall(r"([\w-]+) [\d.]+ s", shown)
    seconds = [float(_row_of(saved, name, file)["median ± std s"].split()[0]) for name in names]
    return ", ".join(f"{name} {each:.1f} s" for name, each in zip(names, seconds, strict=True))


def _filled(shown: list[str], file: Path) -> str:
    """The table with the same rows and columns, out of the file."""
    lines = _read(file)
    saved, heading = _rows(lines), _cells(shown[0])
    rows = [_row_of(saved, name, file) for name in _rows(shown)]
    missing = set(heading) - set(_cells(lines[0]))
    if missing:
        raise DocumentError(f"{file.name} has no column {', '.join(sorted(missing))}: change the table")
    body = [" | ".join(row[column] for column in heading) for row in rows]
    return "".join(f"{line}\n" for line in [*shown[:2], *(f"| {row} |" for row in body)])


def _row_of(saved: dict[str, dict[str, str]], name: str, file: Path) -> dict[str, str]:
    if name not in saved:
        raise DocumentError(f"{file.name} has no row {name}: change the table and what is said of it")
    return saved[name]


def _read(file: Path) -> list[str]:
    try:
        return _lines_of(file)
    except UNREADABLE as error:
        raise DocumentError(
            f"{file.name} cannot be read ({error!r:.100}): measure it again, `make tables`"
        ) from error


def _lines_of(file: Path) -> list[str]:
    """All of a saved file as a Markdown table: of a run, of a grid of requests, or of a verdict."""
    if file.suffix == ".md":
        return [line for line in file.read_text().splitlines() if line.startswith("|")]
    saved: dict[str, Any] = json.loads(file.read_text())
    if "cells" in saved:
        return markdown_table(grid_rows(saved["cells"]))
    return table_in_markdown(records_of(saved["benchmarks"]))


def _rows(lines: list[str]) -> dict[str, dict[str, str]]:
    """Of each row, by its name (two cells, of requests and of numbers of workers): the cells by column."""
    heading = _cells(lines[0])
    named = 2 if heading[0] == "load" or heading[1] == "workers" else 1
    split = [_cells(line) for line in lines[2:]]
    return {" ".join(row[:named]): dict(zip(heading, row, strict=True)) for row in split}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _printed(command: Callable[[list[str]], int], file: Path) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as told:
        command([str(file)])
    return told.getvalue()


def write_documents(root: Path) -> list[Path]:
    """Write what has changed, and the picture; returns the pages.

    Raises:
        DocumentError: as `written` does, and then nothing is written; or if the picture cannot be drawn.
    """
    texts = {page: page.read_text() for page in pages(root)}
    new = {page: written(text, root) for page, text in texts.items()}
    first = TABLE.search(new[root / "README.md"])
    changed = [page for page, text in new.items() if text != texts[page]]
    for page in changed:
        write_atomically(page, new[page])
    if first is not None and picture.main(["run", str(root / first[1]), "--output", str(root / PICTURE)]):
        raise DocumentError(f"{PICTURE} is not drawn, for the reason above")
    return changed


def main(argv: list[str] | None = None) -> int:
    """Make the tables; returns the exit status."""
    argparse.ArgumentParser(
        prog="python -m results.documents", description=__doc__.splitlines()[0]
    ).parse_args(argv)
    try:
        changed = write_documents(STORAGE.parent)
    except DocumentError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    for page in changed:
        print(page.relative_to(STORAGE.parent))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
