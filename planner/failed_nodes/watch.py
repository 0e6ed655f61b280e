"""Who is watched, and what is heard of each: one row changes, and what is noticed is noted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dsmt_core.names import Host
from planner.failed_nodes.columns import NUMBER, STATES, Columns
from planner.failed_nodes.notes import BROKER, TRACKER, Note, Notes
from planner.failed_nodes.patience import Patience
from planner.failed_nodes.probing import Probing
from planner.failed_nodes.records import Past
from planner.failed_nodes.verdicts import Chance, Verdict
from planner.fleet.seen import NodeState
from planner.standing import Mark

# Heartbeats are in a row when none is missing between them.
_GAP: Final = 1.8
_NEVER_HEARD: Final = NUMBER[NodeState.UNKNOWN]
_ALIVE: Final = NUMBER[NodeState.ALIVE]
_FAILED: Final = NUMBER[NodeState.FAILED]
_PROBATION: Final = NUMBER[NodeState.PROBATION]


class Watch:
    """The nodes that are watched; all times are seconds of one clock that does not go back.

    Args:
        patience: how long is waited.
        chance: luck.
    """

    def __init__(self, patience: Patience, chance: Chance) -> None:
        self._patience = patience
        self._chance = chance
        self._columns = Columns()
        self._notes: dict[Host, Notes] = {}
        self._probing = Probing(patience, chance.nonce)
        self._changes: list[Verdict] = []
        self._changed: set[Host] = set()

    # -- who is watched -------------------------------------------------------------------------------

    def join(
        self, host: Host, *, now: float, period: float, failed: bool = False, past: Past | None = None
    ) -> None:
        """A node is to be watched.

        Args:
            host: the node.
            now: when.
            period: seconds between its heartbeats.
            failed: it was when the planner last ran.
            past: what is known of it from before.
        """
        columns = self._columns
        row = columns.rows.get(host)
        if row is None:
            row = columns.append(host)
            self._remember(host, row, past or Past())
            columns.heard[row] = now
            if failed:
                columns.state[row] = _FAILED
                columns.failures[row] = max(columns.failures[row], 1)
        columns.period[row] = period
        if columns.state[row] != _FAILED:
            columns.heard[row] = now

    def forget(self, host: Host) -> None:
        """A node is not watched any more."""
        self._columns.remove(host)
        self._notes.pop(host, None)
        self._probing.forget(host)
        self._changed.discard(host)

    def hosts(self) -> Iterable[Host]:
        """The nodes that are watched."""
        return self._columns.rows.keys()

    # -- what is heard --------------------------------------------------------------------------------

    def heard(self, host: Host, *, now: float, period: float = 0.0) -> None:
        """A heartbeat; a node that has not joined is ignored. ``period`` 0: as before."""
        columns = self._columns
        row = columns.rows.get(host)
        if row is None:
            return
        silence, columns.heard[row] = now - columns.heard[row], now
        columns.doubted[row] = columns.hinted[row] = False
        if period > 0:
            columns.period[row] = period
        state = columns.state[row]
        if state == _ALIVE:
            return
        if state == _FAILED:
            self._begin_probation(host, row, now)
        elif state == _PROBATION:
            self._count_proof(row, silence)
        else:
            self._become(host, NodeState.ALIVE, "its heartbeats come", now=now)

    def hint(self, host: Host, kind: str, *, now: float, by: str = BROKER) -> None:
        """Something speaks against a node (its connection was closed): suspect from the next tick on."""
        row = self._columns.rows.get(host)
        if row is not None:
            self._columns.hinted[row] = True
            self._note(host, kind, now, by)

    def trusted(self, host: Host, mark: Mark) -> None:
        """People trust a node: what it was is forgotten, and it is tried as soon as it is heard.

        It is not believed to be well for that: its probation ends as every other does.
        """
        row = self._columns.rows.get(host)
        if row is None:
            return
        self._columns.failures[row] = 0
        self._columns.out_until[row] = min(self._columns.out_until[row], mark.since)
        self._note(host, f"trusted{mark.reason and f': {mark.reason}'}", mark.since, mark.by)

    # -- what is known --------------------------------------------------------------------------------

    def state(self, host: Host) -> NodeState:
        """How a node is judged; unknown when it is not watched."""
        row = self._columns.rows.get(host)
        return NodeState.UNKNOWN if row is None else STATES[self._columns.state[row]]

    def evidence(self, host: Host) -> tuple[Note, ...]:
        """What was noticed of a node, oldest first; bounded."""
        return tuple(self._notes.get(host, ()))

    def take_past(self) -> dict[Host, Past]:
        """What has changed since the last call of what a planner is to know again after a start."""
        changed, self._changed = self._changed, set()
        return {host: self._past(host) for host in sorted(changed)}

    # -- inside ---------------------------------------------------------------------------------------

    def _begin_probation(self, host: Host, row: int, now: float) -> None:
        columns = self._columns
        out = self._patience.out(columns.failures[row], self._chance.draw())
        columns.in_a_row[row], columns.proven[row] = 1, False
        columns.out_until[row] = now + out
        after = f" after {columns.failures[row]} failures" if columns.failures[row] > 1 else ""
        self._become(host, NodeState.PROBATION, f"it is heard again{after}", now=now)

    def _count_proof(self, row: int, silence: float) -> None:
        """One heartbeat more; those that waited somewhere and come in a burst prove nothing."""
        columns = self._columns
        if silence > _GAP * columns.period[row]:
            columns.in_a_row[row] = 1
        elif silence > columns.period[row] / 2:
            columns.in_a_row[row] += 1

    def _become(self, host: Host, state: NodeState, reason: str, *, now: float) -> None:
        columns, row = self._columns, self._columns.rows[host]
        before = columns.state[row]
        if before == _NEVER_HEARD and state is NodeState.ALIVE and not columns.alive_since[row]:
            columns.alive_since[row] = now
        self._changes.append(Verdict(host, STATES[before], state, reason))
        columns.state[row], columns.judged_at[row] = NUMBER[state], now
        self._note(host, f"{state}: {reason}", now, TRACKER)

    def _note(self, host: Host, what: str, now: float, by: str) -> None:
        notes = self._notes.get(host)
        if notes is None:
            notes = self._notes[host] = Notes(self._patience.evidence)
        notes.add(what, now, by)
        self._changed.add(host)

    def _remember(self, host: Host, row: int, past: Past) -> None:
        columns = self._columns
        columns.failures[row], columns.alive_since[row] = past.failures, past.alive_since
        columns.judged_at[row] = past.judged_at
        if past.notes:
            self._notes[host] = Notes(self._patience.evidence, past.notes)

    def _past(self, host: Host) -> Past:
        row = self._columns.rows[host]
        return Past(
            failures=self._columns.failures[row],
            alive_since=self._columns.alive_since[row],
            judged_at=self._columns.judged_at[row],
            notes=self.evidence(host),
        )
