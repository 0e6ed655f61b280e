"""A table as a value, and its plain form: columns aligned with spaces, no lines, no colours. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dsmtc.rendering.text import clean, columns, cut


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings.

    Attributes:
        states: the headings of columns whose words are coloured on a terminal.
        wide: the headings of columns that are shown only when all are asked for.
        named: what the table is about, to be read by programs; None: its first column.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    states: frozenset[str] = field(default_factory=frozenset)
    wide: frozenset[str] = field(default_factory=frozenset)
    named: Sequence[str] | None = None

    def at_width(self, *, wide: bool) -> Table:
        """The same with the columns that are shown."""
        kept = [at for at, column in enumerate(self.columns) if wide or column not in self.wide]
        if len(kept) == len(self.columns):
            return self
        rows = [tuple(row[at] for at in kept) for row in self.rows]
        return Table(tuple(self.columns[at] for at in kept), rows, self.states)

    def cleaned(self) -> list[tuple[str, ...]]:
        """The rows, harmless and bounded; a tab or newline in a cell stays in its cell."""
        return [tuple(clean(cut(cell)) for cell in row) for row in self.rows]


class Piece(NamedTuple):
    """A part of a line.

    Attributes:
        kind: how a terminal shows it: as nothing special, ``faint``, ``warning`` or by its ``state``.
    """

    text: str
    kind: str = ""
    state: str = ""


Part = str | tuple[Piece, ...] | Table
View = Iterable[Part]


def plain(table: Table) -> list[str]:
    """The table as lines; trailing spaces are cut."""
    rows = [tuple(map(clean, table.columns)), *table.cleaned()]
    widths = [max(columns(row[at]) for row in rows) for at in range(len(table.columns))]
    return [_row(row, widths) for row in rows]


def lines(view: View, *, wide: bool = False) -> list[str]:
    """A whole view as plain lines."""
    written: list[str] = []
    for part in view:
        if isinstance(part, Table):
            written += plain(part.at_width(wide=wide))
        else:
            written.append(clean(part if isinstance(part, str) else " ".join(one.text for one in part)))
    return written


def names(view: View) -> list[str]:
    """What the first table of a view is about, each once, harmless; nothing where nothing is listed."""
    table = next((part for part in view if isinstance(part, Table)), None)
    if table is None:
        return []
    named = [row[0] for row in table.rows] if table.named is None else table.named
    return [clean(name) for name in dict.fromkeys(named)]


def _row(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = [cell + " " * (width - columns(cell)) for cell, width in zip(cells, widths, strict=True)]
    return "  ".join(padded).rstrip()
