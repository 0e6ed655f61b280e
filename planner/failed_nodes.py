"""The failed-node tracker: from heartbeats to verdicts, with evidence, and with doubt in itself.

    unknown -> alive       a heartbeat
    alive   -> suspect     one period missed, or a hint; nothing is decided
    suspect -> failed      ``misses`` periods of silence: the verdict
    failed  -> probation   a heartbeat; broken nodes look idle, so it is not believed at once
    probation -> alive     several heartbeats in a row, more after each further failure, and nothing held
                           that was moved away

Lifeguard's lesson: an observer that has just started, was deaf or slow, or sees more than half of the nodes
expire at once, is sick itself as likely as they are; it listens for a full period before it judges.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from dsmt_core.names import Host
from planner.fleet.seen import NodeState

# A heartbeat is late after half a period more: jitter of the node and of the broker.
_LATE: Final = 1.5
# Below this number "more than half" would be two nodes, and two nodes do fail together.
_FEW: Final = 4
# Heartbeats are in a row when none is missing between them.
_GAP: Final = 1.8
# Beyond this many doublings every bound is reached; a shift has no need of more.
_DOUBLINGS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the tracker waits for what.

    Attributes:
        misses: periods of silence until the verdict.
        proofs: heartbeats in a row that end the first probation; doubled by each further failure.
        most_proofs: the bound of that growth.
        forgives_s: a node that stayed alive this long has no past.
        listen_s: the least silence that is judged, where it is longer than ``misses`` periods; silence
            counts from when the tracker began to listen.
        lag_s: a tick that comes this much after the last one was slept through: what arrived meanwhile
            may not have been read.
        evidence: how many notes are kept for each node.
    """

    misses: int = 3
    proofs: int = 3
    most_proofs: int = 60
    forgives_s: float = 3600.0
    listen_s: float = 0.0
    lag_s: float = 2.0
    evidence: int = 20


@dataclass(frozen=True, slots=True)
class Note:
    """One piece of evidence: what was noticed, when (seconds), and by whom."""

    what: str
    when: float
    by: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A node is judged anew.

    Attributes:
        reason: a plain sentence, such as ``not heard for 3.2 s``.
    """

    host: Host
    before: NodeState
    state: NodeState
    reason: str


@dataclass(slots=True)
class _Tracked:
    period: float
    heard: float
    state: NodeState = NodeState.UNKNOWN
    hinted: bool = False
    in_a_row: int = 0
    failures: int = 0
    alive_since: float = 0.0
    notes: deque[Note] = field(default_factory=deque)


class FailedNodes:
    """Judges nodes; one task owns it. All times are seconds of one clock that does not go back.

    Args:
        patience: how long it waits.
        now: it begins to listen now.
    """

    def __init__(self, patience: Patience | None = None, *, now: float) -> None:
        self._patience = patience or Patience()
        self._nodes: dict[Host, _Tracked] = {}
        self._listening_since = now
        self._ticked = now
        self._doubted: set[Host] = set()
        self._verdicts: deque[float] = deque()
        self._changes: list[Verdict] = []

    def join(self, host: Host, *, now: float, period: float, failed: bool = False) -> None:
        """A node is to be watched; ``failed``: it was when the planner last ran."""
        tracked = self._nodes.get(host)
        if tracked is None:
            tracked = _Tracked(period, now, notes=deque(maxlen=self._patience.evidence))
            self._nodes[host] = tracked
            if failed:
                tracked.state, tracked.failures = NodeState.FAILED, 1
        tracked.period = period
        if tracked.state is not NodeState.FAILED:
            tracked.heard = now

    def forget(self, host: Host) -> None:
        """A node is not watched any more."""
        self._nodes.pop(host, None)
        self._doubted.discard(host)

    def heard(self, host: Host, *, now: float, period: float = 0.0) -> None:
        """A heartbeat; a node that has not joined is ignored. ``period`` 0: as before."""
        tracked = self._nodes.get(host)
        if tracked is None:
            return
        silence, tracked.heard = now - tracked.heard, now
        self._doubted.discard(host)
        if period > 0:
            tracked.period = period
        if tracked.state is NodeState.ALIVE:
            tracked.hinted = False
        elif tracked.state is NodeState.FAILED:
            tracked.in_a_row = 1
            self._become(host, NodeState.PROBATION, "it is heard again", now=now)
        elif tracked.state is NodeState.PROBATION:
            _count_proof(tracked, silence)
        else:
            tracked.hinted = False
            self._become(host, NodeState.ALIVE, "its heartbeats come", now=now)

    def hint(self, host: Host, kind: str, *, now: float, by: str = "broker") -> None:
        """Something speaks against a node (its connection was closed): suspect from the next tick on."""
        tracked = self._nodes.get(host)
        if tracked is not None:
            tracked.hinted = True
            tracked.notes.append(Note(kind, now, by))

    def deafened(self, now: float) -> None:
        """Heartbeats could not be heard (the connection to the broker was lost): silence counts from now.

        To be called as long as it lasts, at each tick.
        """
        self._listening_since = now
        self._doubted.clear()

    def tick(self, now: float, *, unproven: AbstractSet[Host] = frozenset()) -> list[Verdict]:
        """Judge; to be called several times a period.

        Args:
            now: the time.
            unproven: nodes that may not end their probation yet (`planner.placement.unproven`).

        Returns:
            Every change since the last call, in the order in which it happened.
        """
        if now - self._ticked > self._patience.lag_s:
            self.deafened(now)
        self._ticked = now
        expired: list[Host] = []
        for host, tracked in self._nodes.items():
            silence = now - max(tracked.heard, self._listening_since)
            if silence > self._limit(tracked):
                if tracked.state is not NodeState.FAILED:
                    expired.append(host)
            elif tracked.state is NodeState.PROBATION:
                self._try_to_end_probation(host, tracked, now, unproven=host in unproven)
            elif tracked.state is NodeState.ALIVE and (tracked.hinted or silence > _LATE * tracked.period):
                self._become(host, NodeState.SUSPECT, f"not heard for {silence:.1f} s", now=now)
        self._judge(expired, now)
        changes, self._changes = self._changes, []
        return changes

    def state(self, host: Host) -> NodeState:
        """How a node is judged; unknown when it is not watched."""
        tracked = self._nodes.get(host)
        return NodeState.UNKNOWN if tracked is None else tracked.state

    def evidence(self, host: Host) -> tuple[Note, ...]:
        """What was noticed of a node, oldest first; bounded."""
        tracked = self._nodes.get(host)
        return () if tracked is None else tuple(tracked.notes)

    def hosts(self) -> Iterable[Host]:
        """The nodes that are watched."""
        return self._nodes.keys()

    def _limit(self, tracked: _Tracked) -> float:
        """How long a node may be silent, seconds."""
        return max(self._patience.misses * tracked.period, self._patience.listen_s)

    def _judge(self, expired: list[Host], now: float) -> None:
        """Give the verdicts, unless so many expire at once that the tracker is the likelier patient.

        A node is doubted once: if it is silent for a full limit more, nothing speaks for it any longer.
        """
        for host in expired:
            if host in self._doubted:
                self._fail(host, now)
        fresh = [host for host in expired if self._nodes[host].state is not NodeState.FAILED]
        if not fresh:
            return
        if self._too_many(fresh, now):
            self._doubt(fresh, now)
            return
        for host in fresh:
            self._fail(host, now)

    def _doubt(self, expired: list[Host], now: float) -> None:
        self._listening_since = now
        self._doubted.update(expired)
        for host in expired:
            self._nodes[host].notes.append(Note("expired with most others; listening on", now, "tracker"))

    def _fail(self, host: Host, now: float) -> None:
        tracked = self._nodes[host]
        if tracked.state is not NodeState.PROBATION and self._forgiven(tracked, now):
            tracked.failures = 0
        tracked.failures += 1
        self._verdicts.append(now)
        self._doubted.discard(host)
        self._become(host, NodeState.FAILED, f"not heard for {now - tracked.heard:.1f} s", now=now)

    def _forgiven(self, tracked: _Tracked, now: float) -> bool:
        return now - tracked.alive_since > self._patience.forgives_s

    def _too_many(self, expired: list[Host], now: float) -> bool:
        window = max(self._limit(self._nodes[host]) for host in expired)
        while self._verdicts and self._verdicts[0] < now - window:
            self._verdicts.popleft()
        recent = len(self._verdicts)
        failed = sum(tracked.state is NodeState.FAILED for tracked in self._nodes.values())
        living = len(self._nodes) - failed + recent
        return living >= _FEW and 2 * (len(expired) + recent) > living

    def _try_to_end_probation(self, host: Host, tracked: _Tracked, now: float, *, unproven: bool) -> None:
        doublings = min(tracked.failures - 1, _DOUBLINGS)
        needed = min(self._patience.proofs << max(doublings, 0), self._patience.most_proofs)
        if tracked.in_a_row >= needed and not unproven:
            tracked.alive_since = now
            self._become(host, NodeState.ALIVE, f"{tracked.in_a_row} heartbeats in a row", now=now)

    def _become(self, host: Host, state: NodeState, reason: str, *, now: float) -> None:
        tracked = self._nodes[host]
        if tracked.state is NodeState.UNKNOWN and state is NodeState.ALIVE:
            tracked.alive_since = now
        self._changes.append(Verdict(host, tracked.state, state, reason))
        tracked.state = state
        tracked.notes.append(Note(f"{state}: {reason}", now, "tracker"))


def _count_proof(tracked: _Tracked, silence: float) -> None:
    """One heartbeat more; those that waited somewhere and come in a burst prove nothing."""
    if silence > _GAP * tracked.period:
        tracked.in_a_row = 1
    elif silence > tracked.period / 2:
        tracked.in_a_row += 1
