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


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the tracker waits for what.

    Attributes:
        misses: periods of silence until the verdict.
        proofs: heartbeats in a row that end the first probation; doubled by each further failure.
        most_proofs: the bound of that growth.
        forgives_s: a node that stayed alive this long has no past.
        lag_s: a tick that comes this much after the last one was slept through: what arrived meanwhile
            may not have been read.
        evidence: how many notes are kept for each node.
    """

    misses: int = 3
    proofs: int = 3
    most_proofs: int = 60
    forgives_s: float = 3600.0
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
    since: float = 0.0
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
        self._doubted = False
        self._verdicts: deque[float] = deque()
        self._changes: list[Verdict] = []

    def join(self, host: Host, *, now: float, period: float, failed: bool = False) -> None:
        """A node is to be watched; ``failed``: it was when the planner last ran."""

    def forget(self, host: Host) -> None:
        """A node is not watched any more."""

    def heard(self, host: Host, *, now: float, period: float = 0.0) -> None:
        """A heartbeat; a node that has not joined is ignored. ``period`` 0: as before."""

    def hint(self, host: Host, kind: str, *, now: float, by: str = "broker") -> None:
        """Something speaks against a node (its connection was closed): it becomes suspect at the next tick."""

    def deafened(self, now: float) -> None:
        """Heartbeats could not be heard (the connection to the broker was lost): silence counts from now.

        To be called as long as it lasts, at each tick.
        """

    def tick(self, now: float, *, unproven: AbstractSet[Host] = frozenset()) -> list[Verdict]:
        """Judge; to be called several times a period.

        Args:
            now: the time.
            unproven: nodes that may not end their probation yet (`planner.placement.unproven`).

        Returns:
            Every change since the last call, in the order in which it happened.
        """
        return []

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
