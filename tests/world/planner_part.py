"""The planner of the simulated world: the real decisions; its commits survive its crashes, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dsmt_core.commands import FOR_APPLICATIONS, Order, Verb
from dsmt_core.events import Event
from dsmt_core.names import Host, Slice
from planner.failed_nodes import Misfit, Misfits, Past
from planner.failed_nodes.misfit import Place
from planner.fleet import Fleet, NodeState, SeenRow
from planner.placement import unproven
from planner.reconcile import SentOrders, reconcile
from planner.steps import Round, SliceChange
from planner.wanted import Wanted, WantedSlice
from tests.world import tracker_part
from tests.world.node_part import HEARTBEAT_S, NodePart
from tests.world.simulation import Simulation
from tests.world.truth import Broken

TICK_S = 0.25
LEAST_S = 0.1
FULL_S = 30.0

_AWAY = frozenset({NodeState.FAILED, NodeState.PROBATION})


@dataclass(slots=True)
class Store:
    """What is committed: wanted, the nodes that joined, and (old by then) what was seen.

    Attributes:
        moved_away: hosts that were taken away because they had failed, until they have given up what
            they hold.
        amnesty: those of them whose verdict a crash of the planner took with it.
        asked: slices that people have changed, until that is carried out.
        unread: the same until a round has looked at them.
        copy: an older state of wanted, from which the database may be restored.
        restored: it was; then the number of instances may be wrong until everything is as wanted again.
    """

    wanted: Wanted
    nodes: list[Host]
    rows: dict[tuple[Host, Slice], SeenRow] = field(default_factory=dict)
    pasts: dict[Host, Past] = field(default_factory=dict)
    misfits: dict[Place, Misfit] = field(default_factory=dict)
    moved_away: set[tuple[Slice, Host]] = field(default_factory=set)
    amnesty: set[tuple[Slice, Host]] = field(default_factory=set)
    asked: set[Slice] = field(default_factory=set)
    unread: set[Slice] = field(default_factory=set)
    copy: Wanted = field(default_factory=Wanted)
    restored: bool = False


class PlannerPart:
    """The planner's process, which comes and goes, over a store that stays."""

    def __init__(self, simulation: Simulation, store: Store, nodes: Mapping[Host, NodePart]) -> None:
        self._simulation = simulation
        self.store = store
        self._nodes = nodes
        self._inbox: list[Event] = []
        self._life = 0
        self._round_due = float("inf")
        self._changed: set[Slice] = set()
        self.alive = False
        self.last = Round()
        self.start()

    def start(self) -> None:
        """The process comes up; what was seen is loaded, or lost."""
        now = self._simulation.now
        self._life += 1
        self.alive = True
        self.fleet, self.sent = Fleet(), SentOrders()
        self.tracker, pasts = tracker_part.made(self._simulation), {}
        self.misfits = Misfits(tracker_part.GRACE, draw=self._simulation.luck.random)
        if self._simulation.chance(0.5):
            pasts = self.store.pasts
            self.misfits.load(self.store.misfits)
            self.fleet.load(self.store.rows.values(), now=now)
        for host in self.store.nodes:
            self.fleet.join(host, now=now, period=HEARTBEAT_S)
            tracker_part.join(self.tracker, self.fleet, host, now=now, past=pasts.get(host))
        self.store.amnesty |= self.store.moved_away
        self._full_at = now
        inbox, self._inbox = self._inbox, []
        for event in inbox:
            self.fleet.fold(event, now=now)
        life = self._life
        self._simulation.after(TICK_S, lambda: self._tick(life))
        self._plan_round(0.0)

    def crash(self) -> None:
        """The process dies; events wait for it, heartbeats do not."""
        if self.alive:
            self.alive = False
            self._simulation.after(self._simulation.luck.uniform(0.1, 6.0), self.start)

    def restore(self) -> None:
        """The database is lost, and restored from an older copy, while the planner does not run."""
        if not self.alive and self.store.copy.slices:
            self.store.wanted, self.store.restored = self.store.copy, True
            self.store.asked |= self.store.wanted.slices.keys()
            self.store.moved_away.clear()

    def hear(self, host: Host, event: Event) -> None:
        """A host publishes an event."""

        def arrive() -> None:
            if not self.alive:
                self._inbox.append(event)
            elif tracker_part.answers(self.tracker, event, host=host, now=self._simulation.now):
                pass
            elif not self.fleet.fold(event, now=self._simulation.now):
                self._plan_round(LEAST_S)

        self._simulation.send(host, arrive)

    def beat(self, host: Host, digest_: str) -> None:
        """A host sends a heartbeat."""

        def arrive() -> None:
            if self.alive:
                now = self._simulation.now
                self.fleet.heard(host, digest_, now=now)
                self.tracker.heard(host, now=now)

        self._simulation.send(host, arrive)

    def change(self, slice_: WantedSlice) -> None:
        """People change a slice; it is stored before they are answered."""
        self._keep(slice_)
        self.store.asked.add(slice_.name)
        self.store.unread.add(slice_.name)
        self._changed.add(slice_.name)
        self._plan_round(0.0)

    def _tick(self, life: int) -> None:
        if not self.alive or life != self._life:
            return
        now = self._simulation.now
        trial = unproven(self.store.wanted, self.fleet)
        for verdict in self.tracker.tick(now, unproven=trial):
            self.fleet.judge(verdict.host, verdict.state)
        for row in self.fleet.take_rows():
            self.store.rows[row.host, row.slice] = row
        self.store.pasts |= self.tracker.take_past()
        tracker_part.fit(self.misfits, self.fleet, self.store.wanted, now=now)
        for place, one in self.misfits.take_rows().items():
            self.store.misfits.pop(place, None)
            if one is not None:
                self.store.misfits[place] = one
        tracker_part.order_probes(self.tracker, self._send, now=now)
        self._simulation.after(TICK_S, lambda: self._tick(life))
        self._plan_round(LEAST_S)

    def _plan_round(self, seconds: float) -> None:
        due = self._simulation.now + seconds
        if due < self._round_due:
            self._round_due = due
            life = self._life
            self._simulation.after(seconds, lambda: self._round(life))

    def _round(self, life: int) -> None:
        self._round_due = float("inf")
        if not self.alive or life != self._life:
            return
        now = self._simulation.now
        dirty = self.fleet.take_dirty()
        dirty.slices |= self._changed
        everything = dirty.everything or now >= self._full_at
        if everything:
            self._full_at = now + FULL_S
        elif not (dirty or self.sent.is_due(now)):
            return
        only = None if everything else dirty
        self._changed = set()
        round_ = self.last = reconcile(self.store.wanted, self.fleet, sent=self.sent, now=now, only=only)
        for change in round_.changes:
            self._commit(change)
        self._settle(round_)
        if round_.changes and self._simulation.faulty and self._simulation.chance(0.02):
            self.crash()
            return
        for order in round_.orders:
            self._send(order)

    def _settle(self, round_: Round) -> None:
        """What people asked for has been carried out once a round has nothing more to change."""
        held_back = {one.slice for one in round_.waiting if one.to_agree}
        changed = {change.slice for change in round_.changes}
        self.store.unread -= round_.looked_at
        self.store.asked -= round_.looked_at - held_back - changed

    def _commit(self, change: SliceChange) -> None:
        before = self.store.wanted.slices[change.slice]
        if change.generation < before.generation:
            raise Broken(f"the generation of {change.slice} went back to {change.generation}")
        left = before.hosts.keys() - change.hosts.keys()
        # Also what had left before it failed: its failure is what made room for another.
        leaving = left | change.retired.keys()
        away = {host for host in leaving if self.fleet.state(host) in _AWAY}
        away |= leaving & self.fleet.fits(change.slice).out.keys()
        if left - away and change.slice not in self.store.asked:
            raise Broken(f"{sorted(left - away)} were stopped, though they were well and nobody asked")
        gone = before.retired.keys() - change.retired.keys()
        self.store.moved_away -= {(change.slice, host) for host in gone | change.hosts.keys()}
        self.store.moved_away |= {(change.slice, host) for host in away}
        self.store.amnesty &= self.store.moved_away
        self._keep(change.applied(before))

    def _keep(self, slice_: WantedSlice) -> None:
        self.store.wanted = Wanted({**self.store.wanted.slices, slice_.name: slice_})

    def _send(self, order: Order) -> None:
        node = self._nodes[order.host]
        about_slivers = (
            order.verb in {Verb.CREATE, Verb.DELETE} or order.slice not in self.store.wanted.slices
        )
        to_agent = order.verb in FOR_APPLICATIONS or not about_slivers
        self._simulation.send(Host(""), lambda: node.queue(order, to_agent=to_agent))
