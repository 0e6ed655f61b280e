"""The live columns: what every heartbeat touches, as arrays by row; a cell costs a microsecond at most."""

from __future__ import annotations

from array import array
from collections.abc import MutableSequence
from typing import TypeVar

from planner.fleet.seen import NodeState

Cell = TypeVar("Cell")

_STATES = tuple(NodeState)
_NUMBER = {state: number for number, state in enumerate(_STATES)}


class Columns:
    """One cell a node in each column.

    Attributes:
        heard: when its last heartbeat came.
        period: seconds between its heartbeats.
        digest: of what it holds, as its last heartbeat says.
        boot_id: which life of its container manager.
    """

    def __init__(self) -> None:
        self.heard = array("d")
        self.period = array("d")
        self.digest: list[str] = []
        self.boot_id: list[str] = []
        self._state = array("b")

    def __len__(self) -> int:
        return len(self._state)

    def append(self, *, heard: float, period: float) -> int:
        """A new row, of a node that nothing is known of."""
        self.heard.append(heard)
        self.period.append(period)
        self.digest.append("")
        self.boot_id.append("")
        self._state.append(_NUMBER[NodeState.UNKNOWN])
        return len(self._state) - 1

    def state(self, row: int) -> NodeState:
        """How the tracker judges the node of this row."""
        return _STATES[self._state[row]]

    def judge(self, row: int, state: NodeState) -> None:
        """Store what the tracker says."""
        self._state[row] = _NUMBER[state]

    def pop_into(self, row: int) -> None:
        """Remove the last row, after its cells have replaced those of ``row``: no holes."""
        _move_last(self._state, row)
        for numbers in (self.heard, self.period):
            _move_last(numbers, row)
        for texts in (self.digest, self.boot_id):
            _move_last(texts, row)


def _move_last(column: MutableSequence[Cell], row: int) -> None:
    last = column.pop()
    if row < len(column):
        column[row] = last
