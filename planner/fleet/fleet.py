"""The fleet: the nodes, and beside them what is seen of each sliver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from dsmt_core.container import CONTAINER_STATUS
from dsmt_core.errors import Invalid
from dsmt_core.events import Event
from dsmt_core.health import HEALTH
from dsmt_core.lifecycle import State
from dsmt_core.names import DEPLOYMENT_AGENT, Host, Slice
from dsmt_core.nodes import FACTS, HOLDINGS
from dsmt_core.selection import SLIVER_STATE
from planner.fleet.clocks import Clocks
from planner.fleet.dirty import Dirty
from planner.fleet.fits import ALL_FIT, Fits
from planner.fleet.folding import ASKS, FOLDS, NODE_FOLDS, News, Place, SliverFold, place_of
from planner.fleet.health import Healths
from planner.fleet.holders import Holders
from planner.fleet.lives import Lives
from planner.fleet.nodes import BACK, NODE, Nodes
from planner.fleet.rows import SeenRow, node_value, read_node, read_sliver, sliver_value
from planner.fleet.seen import NodeState, SliverSeen
from planner.plans.world import Doing

# Who tells its health: a node's container manager, on its facts' channel, and agents.
_HEALTHY: Final = frozenset({"facts", DEPLOYMENT_AGENT})


class Fleet(Nodes):
    """Everything that is seen; one task owns it.

    A node is known from `join` to `forget`; events of others are refused. ``now`` is in seconds of one
    clock for all methods, the epoch's as a rule.
    """

    def __init__(self) -> None:
        super().__init__()
        self._slivers: dict[tuple[Slice, Host], SliverSeen] = {}
        self._holders = Holders()
        self._asked: dict[tuple[Slice, Host], int] = {}
        self._lives = Lives()
        self._fits: dict[Slice, Fits] = {}
        self._unfitted = Dirty(everything=True)
        self.healths = Healths()
        self.clocks = Clocks()

    def forget(self, host: Host) -> None:
        """A person has taken the node away; its slivers are not waited for any more."""
        if self._remove(host):
            self._holders.put(host, ())
            for key in [key for key in self._slivers if key[1] == host]:
                self._drop(*key)
            self.healths.drop(NODE, host)
            self.clocks.drop(host)

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
        self.heard_last = now
        if event.field == SLIVER_STATE:
            # The layers of the life cycle say more, and are what counts.
            return ""
        try:
            return self._fold(place, event, now)
        except Invalid as error:
            return error.message

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

    def holders(self, slice_: Slice) -> AbstractSet[Host]:
        """The nodes that say they hold a sliver of this slice; to be read at once, for it changes."""
        return self._holders.hosts(slice_)

    def in_state(self, slice_: Slice, asked: Doing) -> Iterator[Host]:
        """Where an application is in a state; on a node that failed none runs, whatever was heard of it.

        Args:
            slice_: whose plan asks.
            asked: for what; its time is measured up to when something was heard last. With ``lately_s``
                also the nodes that have not said what they hold: it may be there.
        """
        if asked.lately_s:
            yield from self._unclear
        of = Slice(asked.slice) or slice_
        lost = self._failed if asked.state == State.RUNNING else frozenset[Host]()
        for host in self._holders.hosts(of) - lost:
            sliver = self._slivers.get((of, host))
            if sliver is not None and self._shows(sliver, asked):
                yield host

    def _shows(self, sliver: SliverSeen, asked: Doing) -> bool:
        """Whether an application of a sliver is in a state, or lately was in another one or not there."""

        def lately(since: float) -> bool:
            # Either way: when the clock is set back what has just changed lies ahead, and for long.
            return abs(self.heard_last - since) < asked.lately_s

        wanted = asked.application
        return any(
            wanted in {"", name} and (seen.state == asked.state or lately(seen.layer.since))
            for name, seen in sliver.applications.items()
        ) or any(wanted in {"", name} and lately(since) for name, since in sliver.left.items())

    def held_slices(self) -> frozenset[Slice]:
        """The slices of which some node holds a sliver."""
        return self._holders.slices()

    def asked(self, slice_: Slice, host: Host) -> int:
        """How often an agent (or, with the slice `NODE`, a container manager) has asked for its orders."""
        return self._asked.get((slice_, host), 0)

    @property
    def is_dirty(self) -> bool:
        """Whether a round has something to look at."""
        return bool(self._dirty)

    def take_dirty(self) -> Dirty:
        """What was heard since the last call; the next round is over it."""
        dirty, self._dirty = self._dirty, Dirty()
        self._unfitted.slices |= dirty.slices | dirty.hosts.keys()
        self._unfitted.everything |= dirty.everything or dirty.plans or bool(dirty.nodes)
        return dirty

    def take_unfitted(self) -> Dirty:
        """What rounds have looked at since the last call; who fits where is to be judged anew."""
        unfitted, self._unfitted = self._unfitted, Dirty()
        return unfitted

    def fit(self, fits: Mapping[Slice, Fits]) -> None:
        """Store what counts against hosts for these slices."""
        for slice_, one in fits.items():
            self._dirty.slices.add(slice_)
            if one == ALL_FIT:
                self._fits.pop(slice_, None)
            else:
                self._fits[slice_] = one

    def fits(self, slice_: Slice) -> Fits:
        """What counts against hosts for a slice."""
        return self._fits.get(slice_, ALL_FIT)

    def take_rows(self) -> list[SeenRow]:
        """The rows that have changed since the last call, to be written behind.

        Heartbeats alone change no row: when a node was heard is not kept over a start.
        """
        changed = sorted(self.changed.take_kept())
        return [SeenRow(host, slice_, self._value(host, slice_)) for host, slice_ in changed]

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
        self.changed.drop()
        self._dirty.everything = True

    def _fold(self, place: Place, event: Event, now: float) -> str:
        if event.field == HEALTH:
            return self._fold_health(place, event, now)
        if place.slice == NODE:
            node_fold = NODE_FOLDS.get(event.field)
            if node_fold is None or place.component != "facts":
                return f"the field {event.field} of a node is not known"
            news = node_fold(self._nodes[place.host], event)
            if event.field == FACTS and news is not News.NONE:
                self._grounds.told()
            elif event.field == HOLDINGS:
                # Also when it says the same: that it was said after an order may be what is waited for.
                self._touch(place)
            self._settle_slivers(place.host)
        else:
            sliver_fold = FOLDS.get((place.component, event.field))
            if sliver_fold is None or self._is_nobodys(place):
                return f"the field {event.field} of {place.component} is not known"
            news = self._fold_sliver(place, sliver_fold, event, now=now)
        self._note(place, news)
        if event.pairs.get(ASKS) == "yes":
            self._ask(place)
        return ""

    def _is_nobodys(self, place: Place) -> bool:
        """Whether figures are told of a container that is not there (any more)."""
        return place.component == CONTAINER_STATUS and place[::2] not in self._slivers

    def _fold_health(self, place: Place, event: Event, now: float) -> str:
        if place.component not in _HEALTHY or (place.slice != NODE and place[::2] not in self._slivers):
            return f"the health of {place.component} is of nothing that is known"
        self.healths.take(place.slice, place.host, event, now)
        self.changed.add_shown([(place.host, place.slice)])
        return ""

    def _load_node(self, host: Host, value: Mapping[str, Any], now: float) -> None:
        self.join(host, now=now, period=value["period"])
        self._nodes[host] = node = read_node(value)
        self._grounds.drop()
        self._agree(host, node)
        self._holders.put(host, node.slivers or ())
        # Alive is a matter of now; failed stays until the node has proved itself.
        failed = NodeState(value["state"]) in BACK
        self._judge(host, self._rows[host], NodeState.FAILED if failed else NodeState.UNKNOWN)

    def _fold_sliver(self, place: Place, fold: SliverFold, event: Event, *, now: float) -> News:
        key = place.slice, place.host
        sliver = self._slivers.get(key) or SliverSeen()
        news = fold(sliver, event, now)
        self._slivers[key] = sliver
        if sliver.container.state is State.TERMINATED and self.held(*key) is None:
            self._drop(*key)
        return news

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
        self.healths.drop(slice_, host)
        self.changed.add((host, slice_))
        self._dirty.host(slice_, host)

    def _note(self, place: Place, news: News) -> None:
        if news is News.NONE:
            return
        self.changed.add((place.host, place.slice))
        if news is News.CHANGE:
            self._touch(place)

    def _ask(self, place: Place) -> None:
        key = place.slice, place.host
        self._asked[key] = self._asked.get(key, 0) + 1
        self._touch(place)

    def _touch(self, place: Place) -> None:
        if place.slice == NODE:
            # Holdings of a node, and what it asks, are about all its slices.
            self._dirty.nodes.add(place.host)
        else:
            self._dirty.host(place.slice, place.host)

    def _value(self, host: Host, slice_: Slice) -> dict[str, Any] | None:
        if slice_ != NODE:
            sliver = self._slivers.get((slice_, host))
            return None if sliver is None else sliver_value(sliver)
        node = self._nodes.get(host)
        return None if node is None else node_value(node, state=self.state(host), period=self.period(host))
