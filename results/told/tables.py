"""Rows as text and as Markdown; the first row is the heading."""

from collections.abc import Collection, Sequence

Row = tuple[str, ...]


def text_table(rows: Sequence[Row], *, left: Collection[int] = (0,), gap: str = "  ") -> list[str]:
    """Aligned lines; columns in `left` are aligned left, all others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        gap.join(
            cell.ljust(width) if n in left else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def markdown_table(rows: Sequence[Row], *, left: Collection[int] = (0,)) -> list[str]:
    """The same in Markdown."""
    ruler = tuple("---" if n in left else "---:" for n in range(len(rows[0])))
    return ["| " + " | ".join(row) + " |" for row in (rows[0], ruler, *rows[1:])]
