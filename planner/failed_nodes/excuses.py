"""Excuses: nodes that people work on may be silent. Silence counts from when the last window closed."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from dsmt_core.names import Host
from planner.failed_nodes.columns import Columns, Numbers


class Excuses:
    """Remembers until when which node was excused; one that was heard since is forgotten."""

    def __init__(self) -> None:
        self._until: dict[Host, float] = {}
        self._told: set[Host] = set()

    def take(self, maintained: AbstractSet[Host], columns: Columns, now: float) -> None:
        """The nodes in an open window now."""
        for host in [*self._until]:
            row = columns.rows.get(host)
            if row is None or (host not in maintained and columns.heard[row] > self._until[host]):
                del self._until[host]
                self._told.discard(host)
        self._until |= dict.fromkeys(maintained & columns.rows.keys(), now)

    def raised(self, since: Numbers, columns: Columns) -> Numbers:
        """From when silence counts for each row: ``since``, and not before an excuse has ended."""
        if not self._until:
            return since
        raised = since.copy()
        for host, until in self._until.items():
            row = columns.rows[host]
            raised[row] = max(raised[row], until)
        return raised

    def is_news(self, host: Host) -> bool:
        """Whether it is the first time in this window that an excused node would have been judged."""
        if host not in self._until or host in self._told:
            return False
        self._told.add(host)
        return True
