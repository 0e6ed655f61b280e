"""Views on a terminal, drawn by rich. Imported only when there is one: rich takes 60 ms to load.

Everything is handed to rich as `Text` or with markup off: no name can smuggle markup in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from dsmtc.rendering.table import Part, Piece, Table, View
from dsmtc.rendering.text import clean

STYLES: Final = {
    "running": "green",
    "alive": "green",
    "failed": "bold red",
    "suspect": "yellow",
    "probation": "yellow",
    "terminated": "dim",
    "undefined": "dim",
    "unknown": "dim",
}
_IN_BETWEEN: Final = "cyan"
PAIR: Final = 2
NARROW: Final = 60
"""A terminal of fewer columns shows no tables that it would have to break."""
_KINDS: Final = {"faint": "dim", "warning": "yellow"}


def console() -> Console:
    """The terminal on stdout; `NO_COLOR` and `TERM` are honoured."""
    return Console(highlight=False, markup=False, emoji=False)


def drawn(view: View, *, wide: bool = False) -> Group:
    """A view as rich draws it."""
    width = console().width
    return Group(*[_drawn(part, width, wide=wide) for part in view])


def _drawn(part: Part, width: int, *, wide: bool) -> RenderableType:
    if isinstance(part, Table):
        return _table(part.at_width(wide=wide), width)
    return Text(clean(part)) if isinstance(part, str) else coloured(part)


def coloured(pieces: Sequence[Piece]) -> Text:
    """A line as rich draws it."""
    line = Text()
    for at, piece in enumerate(pieces):
        line.append(" " * bool(at))
        style = STYLES.get(piece.state, _IN_BETWEEN) if piece.state else _KINDS.get(piece.kind, "")
        line.append(clean(piece.text), style=style)
    return line


def _table(table: Table, width: int) -> RenderableType:
    rows = table.cleaned()
    if width < NARROW and _width(table, rows) > width:
        return _stacked(table, rows)
    drawn_table = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in table.columns:
        drawn_table.add_column(Text(clean(column)), overflow="fold")
    for row in rows:
        cells = zip(table.columns, row, strict=True)
        drawn_table.add_row(*[Text(cell, style=_style(table, column, cell)) for column, cell in cells])
    return drawn_table


def _width(table: Table, rows: Sequence[tuple[str, ...]]) -> int:
    widths = [max(cell_len(row[at]) for row in [table.columns, *rows]) for at in range(len(table.columns))]
    return sum(widths) + 2 * len(widths)


def _stacked(table: Table, rows: Sequence[tuple[str, ...]]) -> Text:
    """On a screen that is too narrow for columns: one below the other, the name of each row first."""
    text = Text()
    for row in rows:
        text.append(row[0], style="bold")
        if len(row) == PAIR:
            # A name and what is said of it.
            text.append("  " if row[0] else "    ").append(f"{row[1]}\n")
            continue
        text.append("\n")
        cells = [one for one in zip(table.columns, row, strict=True) if one[1] not in {"", "-"}]
        for at, (column, cell) in enumerate(cells[1:]):
            text.append(f"{'  ' if at == 0 else ', '}{clean(column).lower()} ", style="dim")
            text.append(cell, style=_style(table, column, cell))
        text.append("\n")
    text.rstrip()
    return text


def _style(table: Table, column: str, cell: str) -> str:
    if column not in table.states:
        return ""
    return STYLES.get(cell, _IN_BETWEEN)
