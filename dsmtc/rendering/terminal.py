"""Views on a terminal, drawn by rich. Imported only when there is one: rich takes 60 ms to load.

Everything is handed to rich as `Text` or with markup off: no name can smuggle markup in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
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
BREAKS: Final = 18
"""The widest column of a table may be broken down to this; no other is ever."""
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
    """A table of which only the widest column is broken; where that is not enough, no columns at all."""
    rows = table.cleaned()
    if (found := _fitting(table, rows, width)) is not None:
        return found
    # Where all are alive or running, one line says so as well as a column.
    same = [
        at
        for at, column in enumerate(table.columns)
        if at and len(rows) > 1 and column in table.states and len({row[at] for row in rows}) == 1
    ]
    said = Text(", ".join(f"{table.columns[at].lower()} {rows[0][at]}" for at in same), style="dim")
    table, rows = _without(table, rows, same)
    drawn_table = _fitting(table, rows, width) or _stacked(table, rows)
    return Group(drawn_table, Text("each: ", style="dim") + said) if same else drawn_table


def _fitting(table: Table, rows: Sequence[tuple[str, ...]], width: int) -> RichTable | None:
    """The table in columns, states in several lines if that helps; None where it does not fit."""
    for tight in (False, True):
        widths = _widths(table, rows, tight=tight)
        widest = max(widths, default=0)
        if sum(widths) - widest + 2 * (len(widths) - 1) + min(widest, BREAKS) <= width:
            return _columns(table, rows, widths)
    return None


def _widths(table: Table, rows: Sequence[tuple[str, ...]], *, tight: bool) -> list[int]:
    """How wide each column is; ``tight``: those of states as wide as their longest word."""

    def needed(text: str, column: str) -> int:
        if tight and column in table.states:
            return max(map(cell_len, text.split()), default=0)
        return cell_len(text)

    return [
        max(needed(clean(row[at]), column) for row in [table.columns, *rows])
        for at, column in enumerate(table.columns)
    ]


def _columns(table: Table, rows: Sequence[tuple[str, ...]], widths: list[int]) -> RichTable:
    breaks = widths.index(max(widths, default=0)) if widths else 0
    drawn_table = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for at, column in enumerate(table.columns):
        # Rich counts the room behind a column as its own; the last has none.
        kept = None if at == breaks else widths[at]
        drawn_table.add_column(Text(clean(column)), overflow="fold", min_width=kept, max_width=kept)
    for row in rows:
        cells = zip(table.columns, row, strict=True)
        drawn_table.add_row(*[Text(cell, style=_style(table, column, cell)) for column, cell in cells])
    return drawn_table


def _without(
    table: Table, rows: Sequence[tuple[str, ...]], gone: Sequence[int]
) -> tuple[Table, list[tuple[str, ...]]]:
    stay = [at for at in range(len(table.columns)) if at not in gone]
    kept = [tuple(row[at] for at in stay) for row in rows]
    return Table(tuple(table.columns[at] for at in stay), kept, table.states), kept


def _stacked(table: Table, rows: Sequence[tuple[str, ...]]) -> RenderableType:
    """On a screen that is too narrow for columns: one below the other, the name of each row first."""
    parts: list[RenderableType] = []
    for row in rows:
        text = Text()
        cells = [one for one in zip(table.columns, row, strict=True) if one[1] not in {"", "-"}]
        for at, (column, cell) in enumerate(cells[1:]):
            text.append(f"{', ' if at else ''}{clean(column).lower()} ", style="dim")
            text.append(cell, style=_style(table, column, cell))
        parts.append(Text(row[0], style="bold"))
        if text:
            parts.append(Padding(text, (0, 0, 0, 2)))
    return Group(*parts)


def _style(table: Table, column: str, cell: str) -> str:
    if column not in table.states:
        return ""
    return STYLES.get(cell, _IN_BETWEEN)
