"""What is known of each node as columns: a heartbeat touches cells, a tick compares whole columns."""

from __future__ import annotations

from array import array
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dsmt_core.names import Host
from planner.fleet.seen import NodeState

STATES: Final = tuple(NodeState)
NUMBER: Final = {state: number for number, state in enumerate(STATES)}

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int32]
Codes = npt.NDArray[np.int8]

_NUMBERS: Final = ("period", "heard", "alive_since", "judged_at", "out_until")
_COUNTS: Final = ("in_a_row", "failures")
_FLAGS: Final = ("state", "hinted", "doubted", "proven")


class Columns:
    """One cell a node in each column, no holes.

    Attributes:
        rows: where each node stands.
        hosts: who stands in each row.
        period: seconds between its heartbeats.
        heard: when the last one came.
        alive_since: since when it is, or was, alive.
        judged_at: when its state last changed.
        out_until: its probation does not end before.
        in_a_row: heartbeats without a gap.
        failures: how often it failed, less what is forgiven.
        state: its place among `STATES`.
        hinted: something speaks against it.
        doubted: its expiry was doubted once.
        proven: it has passed a probe.
    """

    def __init__(self) -> None:
        self.rows: dict[Host, int] = {}
        self.hosts: list[Host] = []
        self.period, self.heard, self.alive_since, self.judged_at, self.out_until = (
            array("d") for _ in _NUMBERS
        )
        self.in_a_row, self.failures = (array("i") for _ in _COUNTS)
        self.state, self.hinted, self.doubted, self.proven = (array("b") for _ in _FLAGS)

    def __len__(self) -> int:
        return len(self.hosts)

    def append(self, host: Host) -> int:
        """A new row of zeros."""
        self.rows[host] = len(self.hosts)
        self.hosts.append(host)
        for column in self._columns():
            column.append(0)
        return self.rows[host]

    def remove(self, host: Host) -> None:
        """Take a node out, if it is there; the last one gets its row."""
        row = self.rows.pop(host, None)
        if row is None:
            return
        last = self.hosts.pop()
        if row < len(self.hosts):
            self.hosts[row] = last
            self.rows[last] = row
        for column in self._columns():
            cell = column.pop()
            if row < len(column):
                column[row] = cell

    def numbers(self, name: str) -> Numbers:
        """A column to compute with; to be let go of before a node comes or goes."""
        return np.frombuffer(getattr(self, name), dtype=np.float64)

    def counts(self, name: str) -> Counts:
        """The same of a column of counts."""
        return np.frombuffer(getattr(self, name), dtype=np.int32)

    def codes(self, name: str) -> Codes:
        """The same of a column of states or flags."""
        return np.frombuffer(getattr(self, name), dtype=np.int8)

    def _columns(self) -> list[array[Any]]:
        return [getattr(self, name) for name in (*_NUMBERS, *_COUNTS, *_FLAGS)]
