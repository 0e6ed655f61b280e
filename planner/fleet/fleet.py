"""The fleet: rows of nodes with live columns, and beside them what is seen of each sliver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from dsmt_core.errors import Invalid
from dsmt_core.events import Event
from dsmt_core.lifecycle import State
from dsmt_core.names import Host, Slice
from planner.fleet.columns import Columns
from planner.fleet.folding import ASKS, FOLDS, NODE_FOLDS, News, Place, SliverFold, place_of
from planner.fleet.holders import Holders
from planner.fleet.lives import Lives
from planner.fleet.rows import SeenRow, node_value, read_node, read_sliver, sliver_value
from planner.fleet.seen import NodeSeen, NodeState, SliverSeen

# The place of a slice's name in a key where the node itself is meant.
NODE: Final = Slice("")
PERIOD_S: Final = 1.0

_BACK: Final = frozenset({NodeState.FAILED, NodeState.PROBATION})
_NOT_CERTAIN: Final = frozenset({NodeState.UNKNOWN, NodeState.SUSPECT})


@dataclass(slots=True)
class Dirty:
    """What a round has to look at.

    Attributes:
        slices: in which something was heard.
        everything: a node came, went or was judged anew, so that any plan may select other hosts.
    """

    slices: set[Slice] = field(default_factory=set)
    everything: bool = False

    def __bool__(self) -> bool:
        return self.everything or bool(self.slices)


class Fleet:
    """Everything that is seen; one task owns it.

    A node is known from `join` to `forget`; events of others are refused. ``now`` is in seconds of one
    clock for all methods, the epoch's as a rule.
    """

    def __init__(self) -> None:
        self.columns = Columns()
        self._rows: dict[Host, int] = {}
        self._nodes: dict[Host, NodeSeen] = {}
        self._slivers: dict[tuple[Slice, Host], SliverSeen] = {}
        self._holders = Holders()
        self._unclear: set[Host] = set()
        self._failed: set[Host] = set()
        self._doubtful: set[Host] = set()
        self._asked: dict[tuple[Slice, Host], int] = {}
        self._forgotten: set[Host] = set()
        self._lives = Lives()
        self._dirty = Dirty()
        self._changed: set[tuple[Host, Slice]] = set()

    # -- who is there ---------------------------------------------------------------------------------

    def join(self, host: Host, *, now: float, period: float = PERIOD_S) -> None:
        """A node has joined, or joined again: it is known, with this period between heartbeats."""
        row = self._rows.get(host)
        if row is None:
            self._rows[host] = self.columns.append(heard=now, period=period)
            self._nodes[host] = NodeSeen()
            self._unclear.add(host)
            self._doubtful.add(host)
            self._forgotten.discard(host)
            self._dirty.everything = True
        else:
            self.columns.period[row] = period
        self._changed.add((host, NODE))

    def forget(self, host: Host) -> None:
        """A person has taken the node away; its slivers are not waited for any more."""
        row = self._rows.pop(host, None)
        if row is None:
            return
        last = max(self._rows, key=self._rows.__getitem__, default=None)
        if last is not None and self._rows[last] > row:
            self._rows[last] = row
        self.columns.pop_into(row)
        self._holders.put(host, ())
        del self._nodes[host]
        for some in (self._unclear, self._failed, self._doubtful):
            some.discard(host)
        for key in [key for key in self._slivers if key[1] == host]:
            self._drop(*key)
        self._forgotten.add(host)
        self._dirty.everything = True
        self._changed.add((host, NODE))

    def judge(self, host: Host, state: NodeState) -> None:
        """Store what the failed-node tracker says of a node."""
        row = self._rows.get(host)
        if row is not None and self.columns.state(row) is not state:
            self._judge(host, row, state)
            self._dirty.everything = True
            self._changed.add((host, NODE))

    # -- what is heard --------------------------------------------------------------------------------

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
        columns = self.columns
        columns.heard[row] = now
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
        return ""

    def fold(self, event: Event, *, now: float) -> str:
        """Take over what an event says: deployment-status, status, holdings or facts.

        Returns:
            Why it was ignored; empty when it was not. It never raises.
        """
        place = place_of(event.channel)
        if place is None or place.host not in self._rows:
            return f"{event.channel} is not of a node that is known"
        if refusal := self._lives.refusal(event):
            return refusal
        try:
            return self._fold(place, event, now)
        except Invalid as error:
            return error.message

    def _fold(self, place: Place, event: Event, now: float) -> str:
        if place.slice == NODE:
            node_fold = NODE_FOLDS.get(event.field)
            if node_fold is None or place.component != "facts":
                return f"the field {event.field} of a node is not known"
            news = node_fold(self._nodes[place.host], event)
            self._settle_slivers(place.host)
        else:
            sliver_fold = FOLDS.get((place.component, event.field))
            if sliver_fold is None:
                return f"the field {event.field} of {place.component} is not known"
            news = self._fold_sliver(place, sliver_fold, event, now=now)
        self._note(place, news)
        if event.pairs.get(ASKS) == "yes":
            self._ask(place)
        return ""

    # -- what is known --------------------------------------------------------------------------------

    @property
    def hosts(self) -> Mapping[Host, int]:
        """Every known node with its row."""
        return MappingProxyType(self._rows)

    @property
    def forgotten(self) -> frozenset[Host]:
        """Nodes that a person has taken away since the start."""
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

    def sliver(self, slice_: Slice, host: Host) -> SliverSeen | None:
        """What is seen of a slice on a host; None when nothing was heard."""
        return self._slivers.get((slice_, host))

    def slivers(self) -> Iterable[tuple[Slice, Host]]:
        """Every sliver that was heard of."""
        return self._slivers.keys()

    def held(self, slice_: Slice, host: Host) -> int | None:
        """The generation at which a node holds a sliver; None when it does not, or has not said."""
        node = self._nodes.get(host)
        return None if node is None or node.slivers is None else node.slivers.get(slice_)

    def unclear(self) -> frozenset[Host]:
        """The nodes that have not said what they hold, or whose heartbeats tell something else."""
        return frozenset(self._unclear)

    def holders(self, slice_: Slice) -> frozenset[Host]:
        """The nodes that say they hold a sliver of this slice."""
        return self._holders.hosts(slice_)

    def held_slices(self) -> frozenset[Slice]:
        """The slices of which some node holds a sliver."""
        return self._holders.slices()

    def asked(self, slice_: Slice, host: Host) -> int:
        """How often an agent (or, with the slice `NODE`, a container manager) has asked for its orders."""
        return self._asked.get((slice_, host), 0)

    def sites(self) -> dict[Host, str]:
        """The sites that facts name."""
        return {host: node.facts["site"] for host, node in self._nodes.items() if "site" in node.facts}

    # -- for the rounds and the store -----------------------------------------------------------------

    def take_dirty(self) -> Dirty:
        """What was heard since the last call; the next round is over it."""
        dirty, self._dirty = self._dirty, Dirty()
        return dirty

    def take_rows(self) -> list[SeenRow]:
        """The rows that have changed since the last call, to be written behind.

        Heartbeats alone change no row: when a node was heard is not kept over a start.
        """
        changed, self._changed = self._changed, set()
        return [SeenRow(host, slice_, self._value(host, slice_)) for host, slice_ in sorted(changed)]

    def load(self, rows: Iterable[SeenRow], *, now: float) -> None:
        """Take over what was written behind, marked old; nodes that failed are still failed.

        Args:
            rows: all rows of the store.
            now: of the start; a node counts as heard then, so that silence is measured from here.
        """
        kept = [row for row in rows if row.value is not None]
        for row in kept:
            if not row.slice and row.value is not None:
                self._load_node(row.host, row.value, now)
        for row in kept:
            if row.slice and row.value is not None and row.host in self._rows:
                self._slivers[row.slice, row.host] = read_sliver(row.value)
        self._changed.clear()
        self._dirty.everything = True

    # -- inside ---------------------------------------------------------------------------------------

    def _load_node(self, host: Host, value: Mapping[str, Any], now: float) -> None:
        self.join(host, now=now, period=value["period"])
        self._nodes[host] = node = read_node(value)
        self._agree(host, node)
        self._holders.put(host, node.slivers or ())
        # Alive is a matter of now; failed stays until the node has proved itself.
        failed = NodeState(value["state"]) in _BACK
        self._judge(host, self._rows[host], NodeState.FAILED if failed else NodeState.UNKNOWN)

    def _judge(self, host: Host, row: int, state: NodeState) -> None:
        self.columns.judge(row, state)
        (self._failed.add if state in _BACK else self._failed.discard)(host)
        (self._doubtful.add if state in _NOT_CERTAIN else self._doubtful.discard)(host)

    def _fold_sliver(self, place: Place, fold: SliverFold, event: Event, *, now: float) -> News:
        key = place.slice, place.host
        sliver = self._slivers.get(key) or SliverSeen()
        news = fold(sliver, event, now)
        self._slivers[key] = sliver
        if sliver.container.state is State.TERMINATED and self.held(*key) is None:
            self._drop(*key)
        return news

    def _agree(self, host: Host, node: NodeSeen) -> None:
        node.differs_since = None
        if node.slivers is not None:
            self._unclear.discard(host)

    def _settle_slivers(self, host: Host) -> None:
        """Compare with the last heartbeat, and drop what was seen of slivers that are not there."""
        node, row = self._nodes[host], self._rows[host]
        dropped = self._holders.put(host, node.slivers or ())
        if self.columns.digest[row] in {"", node.held_digest}:
            self._agree(host, node)
        for slice_ in dropped:
            self._drop(slice_, host)

    def _drop(self, slice_: Slice, host: Host) -> None:
        self._slivers.pop((slice_, host), None)
        self._changed.add((host, slice_))
        self._dirty.slices.add(slice_)

    def _note(self, place: Place, news: News) -> None:
        if news is News.NONE:
            return
        self._changed.add((place.host, place.slice))
        if news is News.CHANGE:
            self._dirty.slices.add(place.slice)
            if place.slice == NODE:
                # Holdings of a node are about all its slices.
                self._dirty.everything = True

    def _ask(self, place: Place) -> None:
        key = place.slice, place.host
        self._asked[key] = self._asked.get(key, 0) + 1
        self._dirty.slices.add(place.slice)
        self._dirty.everything |= place.slice == NODE

    def _value(self, host: Host, slice_: Slice) -> dict[str, Any] | None:
        if slice_ != NODE:
            sliver = self._slivers.get((slice_, host))
            return None if sliver is None else sliver_value(sliver)
        node = self._nodes.get(host)
        return None if node is None else node_value(node, state=self.state(host), period=self.period(host))
