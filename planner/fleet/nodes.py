"""The nodes: which are known, how they are judged, and what their heartbeats tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from dsmt_core.names import Host, Slice
from planner.fleet.changed import Changed
from planner.fleet.columns import Columns
from planner.fleet.dirty import Dirty
from planner.fleet.grounds import Grounds
from planner.fleet.seen import NodeSeen, NodeState
from planner.plans.ground import Ground

# The place of a slice's name in a key where the node itself is meant.
NODE: Final = Slice("")
PERIOD_S: Final = 1.0

BACK: Final = frozenset({NodeState.FAILED, NodeState.PROBATION})
_NOT_CERTAIN: Final = frozenset({NodeState.UNKNOWN, NodeState.SUSPECT})


class Nodes:
    """Every node from `join` on, as rows of `Columns` and, for what changes seldom, as `NodeSeen`.

    Attributes:
        changed: which rows have changed.
    """

    def __init__(self) -> None:
        self.columns = Columns()
        self._rows: dict[Host, int] = {}
        self._nodes: dict[Host, NodeSeen] = {}
        self._unclear: set[Host] = set()
        self._failed: set[Host] = set()
        self._doubtful: set[Host] = set()
        self._forgotten: set[Host] = set()
        self._dirty = Dirty()
        # The clock of what is seen.
        self.heard_last = 0.0
        self.changed = Changed()
        self._grounds = Grounds(self._nodes)

    def join(self, host: Host, *, now: float, period: float = PERIOD_S) -> None:
        """A node has joined, or joined again: it is known, with this period between heartbeats."""
        row = self._rows.get(host)
        if row is None:
            self._rows[host] = self.columns.append(heard=now, period=period)
            self._nodes[host] = NodeSeen()
            self._unclear.add(host)
            self._doubtful.add(host)
            self._forgotten.discard(host)
            self._grounds.drop()
            self._dirty.node(host)
        else:
            self.columns.period[row] = period
        self.changed.add((host, NODE))

    def lacks(self, hosts: Iterable[Host]) -> None:
        """At the start, when all have joined: a host that has not was forgotten before, by a person."""
        self._forgotten |= {*hosts} - self._rows.keys()

    def judge(self, host: Host, state: NodeState) -> None:
        """Store what the failed-node tracker says of a node."""
        row = self._rows.get(host)
        if row is not None and self.columns.state(row) is not state:
            self._judge(host, row, state)
            self._dirty.node(host)
            self.changed.add((host, NODE))

    def heard(self, host: Host, digest: str, *, now: float, boot_id: str = "", period: float = 0.0) -> str:
        """A heartbeat.

        Args:
            host: of the node.
            digest: of the slivers that it holds (`dsmt_core.nodes.digest`).
            now: when it was heard.
            boot_id: which life of its container manager; empty when not told.
            period: seconds between its heartbeats; 0 when not told.

        Returns:
            Why it was ignored; empty when it was not.
        """
        row = self._rows.get(host)
        if row is None:
            return f"the node {host} is not known"
        if self._grounds.is_due(now):
            self._dirty.plans = True
        columns = self.columns
        columns.heard[row] = now
        self.heard_last = now
        if period > 0:
            columns.period[row] = period
        if boot_id:
            columns.boot_id[row] = boot_id
        columns.digest[row] = digest
        node = self._nodes[host]
        if digest != node.held_digest:
            if node.differs_since is None:
                node.differs_since = now
                self._unclear.add(host)
                self._dirty.slices.add(NODE)
        elif node.differs_since is not None:
            self._agree(host, node)
        # What was loaded at a start is confirmed when it is what the node holds now.
        node.fresh |= digest == node.held_digest and node.slivers is not None
        return ""

    @property
    def hosts(self) -> Mapping[Host, int]:
        """Every known node with its row."""
        return MappingProxyType(self._rows)

    @property
    def forgotten(self) -> frozenset[Host]:
        """Nodes that a person has taken away, as far as something was placed there, or since the start."""
        return frozenset(self._forgotten)

    def state(self, host: Host) -> NodeState:
        """How the tracker judges a node; unknown when it is not known at all."""
        row = self._rows.get(host)
        return NodeState.UNKNOWN if row is None else self.columns.state(row)

    def back_or_failed(self) -> frozenset[Host]:
        """The nodes that a plan counts as failed: the verdict, and those still on probation."""
        return frozenset(self._failed)

    def doubtful(self) -> frozenset[Host]:
        """The nodes of which nothing certain is known."""
        return frozenset(self._doubtful)

    def heard_at(self, host: Host) -> float:
        """When the last heartbeat of a node came, or when it joined; 0 when it is not known."""
        row = self._rows.get(host)
        return 0.0 if row is None else self.columns.heard[row]

    def period(self, host: Host) -> float:
        """Seconds between the heartbeats of a node."""
        row = self._rows.get(host)
        return PERIOD_S if row is None else self.columns.period[row]

    def node(self, host: Host) -> NodeSeen | None:
        """What is seen of a node; None when it is not known."""
        return self._nodes.get(host)

    def unclear(self) -> frozenset[Host]:
        """The nodes that have not said what they hold, or whose heartbeats tell something else."""
        return frozenset(self._unclear)

    @property
    def ground(self) -> Ground:
        """What plans look at: the nodes, and what is known of them; facts of the last second may lack."""
        return self._grounds.ground

    def label(self, host: Host, labels: Mapping[str, str]) -> None:
        """A person has given a node these labels, instead of those that it had."""
        node = self._nodes.get(host)
        if node is not None and node.labels != labels:
            node.labels = dict(labels)
            self._grounds.drop()
            self.changed.add_shown([(host, NODE)])
            self._dirty.plans = True

    def sourced(self, source: str, facts: Mapping[Host, Mapping[str, str]]) -> None:
        """A source of facts (`planner.facts`) says this now; empty when what it said holds no longer."""
        self._grounds.sourced(source, facts)
        self.changed.add_shown((host, NODE) for host in self._rows)
        self._dirty.everything = True

    def from_sources(self, host: Host) -> dict[str, str]:
        """What the sources of facts say of a node."""
        return self._grounds.from_sources(host)

    def known(self, host: Host) -> Mapping[str, str]:
        """What is known of a node, as plans see it: its facts, those of sources, its labels."""
        return self._grounds.known(host)

    def _judge(self, host: Host, row: int, state: NodeState) -> None:
        self.columns.judge(row, state)
        (self._failed.add if state in BACK else self._failed.discard)(host)
        (self._doubtful.add if state in _NOT_CERTAIN else self._doubtful.discard)(host)

    def _agree(self, host: Host, node: NodeSeen) -> None:
        node.differs_since = None
        if node.slivers is not None and host in self._unclear:
            self._unclear.discard(host)
            self._dirty.clear = True

    def _remove(self, host: Host) -> bool:
        """Take a node out of the rows; False when it is not there."""
        row = self._rows.pop(host, None)
        if row is None:
            return False
        last = max(self._rows, key=self._rows.__getitem__, default=None)
        if last is not None and self._rows[last] > row:
            self._rows[last] = row
        self.columns.pop_into(row)
        del self._nodes[host]
        for some in (self._unclear, self._failed, self._doubtful):
            some.discard(host)
        self._forgotten.add(host)
        self._grounds.drop()
        self._dirty.node(host)
        self.changed.add((host, NODE))
        return True
