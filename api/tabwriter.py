"""Columns aligned as `docker ps` aligns them: Go's text/tabwriter with docker/cli's settings.

A tab ends a cell. Cells that stand at the same place of neighbouring lines are a column, as wide as its
widest cell plus a gap; a line without that cell ends the column, and what follows the last tab of a line
belongs to none (Go text/tabwriter/tabwriter.go; docker/cli cli/command/formatter/formatter.go, postFormat).
Widths are those on a screen, as docker/cli's own copy counts them, not Go's number of runes.
"""

from __future__ import annotations

import re

from rich.cells import cell_len

MIN_WIDTH = 10
GAP = 3

_CELL_END = re.compile("[\t\v]")


def aligned(text: str) -> str:
    """`text` with its tabs replaced by spaces. A form feed ends a line and all columns."""
    return "".join(_block(block) for block in re.split("(?<=\f)", text))


def _block(text: str) -> str:
    closed = text.endswith("\f")
    lines = [_CELL_END.split(line) for line in text.removesuffix("\f").split("\n")]
    if not closed and len(lines[-1]) > 1 and not lines[-1][-1]:
        del lines[-1][-1]  # nothing follows that line's last tab, not even its end: nothing to align
    return "\n".join(_padded(line, widths) for line, widths in zip(lines, _widths(lines), strict=True)) + (
        "\n" if closed else ""
    )


def _padded(line: list[str], widths: list[list[int]]) -> str:
    cells = [cell + " " * (width[0] - cell_len(cell)) for cell, width in zip(line, widths, strict=False)]
    return "".join([*cells, line[-1]])


def _widths(lines: list[list[str]]) -> list[list[list[int]]]:
    """For each line the widths of its columns. A width is a list of one number, which all lines of a column
    share and which grows while they are read."""
    found: list[list[list[int]]] = []
    columns: list[list[int]] = []
    for line in lines:
        cells = line[:-1]
        columns = columns[: len(cells)] + [[MIN_WIDTH] for _ in cells[len(columns) :]]
        for column, cell in zip(columns, cells, strict=True):
            column[0] = max(column[0], cell_len(cell) + GAP)
        found.append(columns)
    return found
