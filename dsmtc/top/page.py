"""The page of the fleet: a table that is kept current, the last changes below it, a node on Enter.

Nothing that comes from nodes is markup: every text is harmless before it is shown (`dsmtc.rendering.text`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import ClassVar, Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Input, Static

from dsmtc.client import Node
from dsmtc.rendering.machines import node as node_view
from dsmtc.rendering.table import lines
from dsmtc.rendering.terminal import STYLES, coloured
from dsmtc.rendering.text import clean
from dsmtc.top.board import STATES, Board, Look, Snapshot, board, changes

Begin = Callable[[Callable[[Snapshot], None], Callable[[str], None]], Callable[[], None]]
"""Begins to tell snapshots and troubles; what it returns ends that."""
CHANGES: Final = 6
_BETWEEN: Final = "cyan"


class Detail(ModalScreen[None]):
    """One node: its facts, health and evidence."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "back")]
    CSS = """
    Detail { align: center middle }
    #node { width: 90%; height: 90%; border: round $accent; padding: 0 1 }
    """

    def __init__(self, found: Node) -> None:
        super().__init__()
        self._found = found

    def compose(self) -> ComposeResult:
        """The node as `dsmtc nodes show` shows it."""
        text = "\n".join(lines(node_view(self._found, time.time())))
        with VerticalScroll(id="node"):
            yield Static(Text(text))


class Top(App[None]):
    """The fleet.

    Args:
        begin: tells snapshots, from another thread.
        title: whose fleet it is.
    """

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter"),
        Binding("s", "sort", "sort"),
        Binding("r", "reverse", "reverse"),
        Binding("p", "pause", "pause"),
        Binding("escape", "whole", "all", show=False),
        Binding("q", "quit", "quit"),
        Binding("ctrl+c", "quit", show=False, priority=True),
    ]
    CSS = """
    #summary, #place { height: 1; padding: 0 1 }
    #place { color: $text-muted }
    DataTable { height: 1fr; background: $background }
    DataTable > .datatable--cursor { background: $surface-lighten-2 }
    #changes { height: auto; max-height: 8; padding: 0 1; border-top: solid $surface-lighten-2 }
    #filter { display: none; height: 3 }
    #filter.open { display: block }
    """

    def __init__(self, begin: Begin, title: str) -> None:
        super().__init__()
        self._begin = begin
        self._end: Callable[[], None] = lambda: None
        self._title = clean(title)
        self._look = Look()
        self._snapshot: Snapshot | None = None
        self._shown: Board | None = None
        self._paused = False
        self._trouble = ""
        self._changes: deque[str] = deque(maxlen=CHANGES)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Static(id="summary")
        yield Static(id="place")
        yield Input(placeholder="words that each row has to have", id="filter")
        yield DataTable(cursor_type="row", cursor_foreground_priority="renderable", id="fleet")
        yield Static(id="changes")
        yield Footer()

    def on_mount(self) -> None:
        """Begin."""
        self.query_one(DataTable).focus()
        self._tell_place()
        self._end = self._begin(
            lambda snapshot: self.call_from_thread(self.show, snapshot),
            lambda reason: self.call_from_thread(self.tell, reason),
        )

    def on_unmount(self) -> None:
        """End."""
        self._end()

    # -- what is told --------------------------------------------------------------------------------

    def show(self, snapshot: Snapshot) -> None:
        """A new snapshot is there."""
        self._trouble = ""
        if self._paused:
            return
        at = time.strftime("%H:%M:%S", time.localtime(snapshot.at))
        self._changes.extend(f"{at} {line}" for line in changes(self._snapshot, snapshot)[-CHANGES:])
        self._snapshot = snapshot
        self._draw()

    def tell(self, reason: str) -> None:
        """There is none, and why; what was there last stays."""
        self._trouble = clean(reason)
        self._tell_place()

    # -- what is drawn -------------------------------------------------------------------------------

    def _draw(self) -> None:
        if self._snapshot is None:
            return
        found = board(self._snapshot, self._look)
        self.query_one("#summary", Static).update(coloured(found.summary))
        self.query_one("#changes", Static).update(Text("\n".join(self._changes) or "no changes yet"))
        self._fill(found)
        self._shown = found
        self._tell_place()

    def _fill(self, found: Board) -> None:
        before = self._shown
        if before is not None and _same_places(before, found):
            self._update(before, found)
            return
        table = self.query_one(DataTable)
        host, top = self._chosen(), table.scroll_y
        table.clear(columns=before is None or before.columns != found.columns)
        if not table.columns:
            for column in found.columns:
                table.add_column(column, key=column)
        for row in found.rows:
            table.add_row(*map(_cell, found.columns, row.cells), key=row.host)
        places = {row.host: at for at, row in enumerate(found.rows)}
        if host in places:
            table.move_cursor(row=places[host], scroll=False)
        table.scroll_to(y=top, animate=False)

    def _update(self, before: Board, found: Board) -> None:
        """Only the cells that are different: the rows stay where they are."""
        table = self.query_one(DataTable)
        for was, row in zip(before.rows, found.rows, strict=True):
            for column, old, new in zip(found.columns, was.cells, row.cells, strict=True):
                if old != new:
                    table.update_cell(row.host, column, _cell(column, new), update_width=True)

    def _tell_place(self) -> None:
        look, shown = self._look, self._shown
        order = shown.columns[look.column].lower() if shown and look.column >= 0 else "problems first"
        parts = [self._title, f"by {order}{' reversed' if look.reverse else ''}"]
        parts += [f"filter {clean(look.filter)!r}"] if look.filter else []
        parts += [f"{shown.hidden} more, filter them"] if shown and shown.hidden else []
        parts += ["PAUSED"] if self._paused else []
        text = Text()
        if self._trouble:
            # First, since what does not fit is cut off.
            text.append(f"{self._trouble}; trying again  ", style="bold red")
        text.append("  ".join(parts))
        if not self._trouble and shown is None:
            text.append("  asking the planner …")
        self.query_one("#place", Static).update(text)

    def _chosen(self) -> str:
        table = self.query_one(DataTable)
        rows = self._shown.rows if self._shown else []
        return rows[table.cursor_row].host if 0 <= table.cursor_row < len(rows) else ""

    # -- what is typed -------------------------------------------------------------------------------

    def on_data_table_row_selected(self, _event: DataTable.RowSelected) -> None:
        """Enter on a row: the node."""
        host = self._chosen()
        nodes = self._snapshot.nodes if self._snapshot else ()
        if found := next((one for one in nodes if one["host"] == host), None):
            self.push_screen(Detail(found))

    def on_input_changed(self, event: Input.Changed) -> None:
        """The filter, as it is typed."""
        self._look = Look(event.value[:200], self._look.column, self._look.reverse)
        self._draw()

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """The filter stands."""
        self.query_one("#filter").remove_class("open")
        self.query_one(DataTable).focus()

    def action_filter(self) -> None:
        """Ask for a filter."""
        self.query_one("#filter").add_class("open")
        self.query_one("#filter").focus()

    def action_whole(self) -> None:
        """No filter."""
        self.query_one("#filter", Input).value = ""
        self.on_input_submitted(Input.Submitted(self.query_one("#filter", Input), ""))

    def action_sort(self) -> None:
        """By the next column; after the last the problem comes first again."""
        columns = len(self._shown.columns) if self._shown else 0
        column = self._look.column + 1
        self._look = Look(self._look.filter, column if column < columns else -1, self._look.reverse)
        self._draw()

    def action_reverse(self) -> None:
        """The other way round."""
        self._look = Look(self._look.filter, self._look.column, not self._look.reverse)
        self._draw()

    def action_pause(self) -> None:
        """Hold the picture, or let it go on."""
        self._paused = not self._paused
        self._tell_place()


def _same_places(before: Board, after: Board) -> bool:
    same = before.columns == after.columns and len(before.rows) == len(after.rows)
    return same and all(one.host == other.host for one, other in zip(before.rows, after.rows, strict=True))


def _cell(column: str, cell: str) -> Text:
    if column not in STATES or not cell:
        return Text(cell)
    # An application's cell has its name first.
    return Text(cell, style=STYLES.get(cell.rpartition(" ")[2], _BETWEEN))
