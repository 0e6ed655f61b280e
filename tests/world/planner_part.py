"""The planner of the simulated world: the real decisions; its commits survive its crashes, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dsmt_core.commands import FOR_APPLICATIONS, Order, Verb
from dsmt_core.events import Event
from dsmt_core.names import Host, Slice
from planner.failed_nodes import Misfits, Past
from planner.fleet import Fleet, NodeState
from planner.reconcile import HeldBack, SentOrders, reconcile
from planner.standing import Standings
from planner.steps import Round
from planner.wanted import WantedSlice
from tests.world import laws, rollout_part, standing_part, tracker_part
from tests.world.layout import Layout
from tests.world.node_part import HEARTBEAT_S, NodePart
from tests.world.simulation import NOBODY, Kind, Simulation
from tests.world.source_part import Inventory
from tests.world.stall_part import Stall
from tests.world.store import Store

TICK_S = 0.25
# So often hosts are fitted to slices, what was seen is written down, and the inventory is read.
SELDOM_S = 1.0
FULL_S = 30.0
# How wrong the clock on the wall may be when the planner starts, seconds.
WRONG_S = 7_200.0


class PlannerPart:
    """The planner's process, which comes and goes, over a store that stays."""

    def __init__(
        self, simulation: Simulation, store: Store, nodes: Mapping[Host, NodePart], layout: Layout
    ) -> None:
        # No fact has spoken against any host yet, and nothing else can be a reason.
        self.excused: set[Host] | None = None if layout.stands or layout.churns or layout.follows else set()
        self.inventory = Inventory(layout.hosts)
        self._least_s = layout.least_s
        self._tick_s = TICK_S if layout.least_s < TICK_S else 2 * TICK_S
        self._reads = layout.facts
        self._simulation = simulation
        self.store = store
        self._nodes = nodes
        self.stall = Stall(simulation)
        self._inbox: list[Event] = []
        self._life = 0
        self._wall_s = 0.0
        self._round_due = float("inf")
        self._changed: set[Slice] = set()
        self._pasts: Mapping[Host, Past] = {}
        self.alive = False
        self.held_back = HeldBack()
        self.start()

    @property
    def now(self) -> float:
        """The time as this life of the planner counts it: its clock does not jump while it lives."""
        return self._simulation.now + self._wall_s

    @property
    def answers(self) -> bool:
        """Whether people are answered."""
        return self.alive and not self.stall.is_on

    def start(self) -> None:
        """The process comes up, with what was seen as it was written down; the clock may be wrong."""
        if self.alive:
            return
        simulation = self._simulation
        self._life += 1
        self._round_due = float("inf")
        self.alive = True
        if self._life > 1 and simulation.faulty and simulation.chance(0.2):
            self._wall_s = simulation.luck.uniform(-WRONG_S, WRONG_S)
        now = self.now
        simulation.note("the planner starts")
        simulation.version += 1
        self.fleet, self.sent, self.held_back = Fleet(), SentOrders(), HeldBack()
        self.tracker, self._pasts = tracker_part.made(simulation, now=now), {}
        self._facts = self.inventory.held()
        self.misfits = Misfits(tracker_part.GRACE, draw=simulation.luck.random)
        self.stops = laws.Stops(self.excused)
        if simulation.chance(0.5):
            self._pasts = self.store.pasts
            self.misfits.load(self.store.misfits)
            self.fleet.load(self.store.rows.values(), now=now)
        for host in self.store.nodes:
            self._watch(host)
        self.fleet.lacks(self.store.wanted.hosts)
        self.store.amnesty |= self.store.moved_away
        self._full_at = now
        inbox, self._inbox = self._inbox, []
        for event in inbox:
            self.fleet.fold(event, now=now)
        life = self._life
        self._seldom_at = now
        simulation.after(self._tick_s, lambda: self._tick(life))
        self._plan_round(0.0)

    def crash(self, *, away_s: float | None = None) -> None:
        """The process dies; events wait for it, heartbeats do not."""
        if self.alive:
            self._simulation.note("the planner crashes")
            self.alive = False
            self.stall.end()
            away_s = self._simulation.luck.uniform(0.1, 6.0) if away_s is None else away_s
            self._simulation.after(away_s, self.start)

    def lose_queues(self) -> None:
        """The broker has lost what waited for the planner."""
        self._inbox.clear()

    # -- what it hears --------------------------------------------------------------------------------

    def hear(self, host: Host, kind: Kind, event: Event) -> None:
        """A host publishes an event."""

        def arrive() -> None:
            if self.stall.holds(arrive):
                return
            if not self.alive:
                self._inbox.append(event)
            elif tracker_part.answers(self.tracker, event, host=host, now=self.now):
                pass
            elif not self.fleet.fold(event, now=self.now):
                self._plan_round(self._least_s)

        self._simulation.from_host(host, kind, arrive)

    def beat(self, host: Host, digest_: str) -> None:
        """A host sends a heartbeat."""

        def arrive() -> None:
            if self.stall.holds(arrive):
                return
            if self.alive and not self.fleet.heard(host, digest_, now=self.now):
                self.tracker.heard(host, now=self.now)

        self._simulation.from_host(host, Kind.HEARTBEAT, arrive)

    def join(self, host: Host) -> bool:
        """A node asks to be let in; False when nobody answers."""
        simulation = self._simulation
        if not self.answers or not simulation.broker_up or host in simulation.cut:
            return False
        if host not in self.store.nodes:
            simulation.note(host, "joins")
            simulation.version += 1
            self.store.nodes.append(host)
            # It may run what was placed elsewhere while nobody knew of it.
            strange = {
                (name, host) for name, one in self.store.wanted.slices.items() if host not in one.hosts
            }
            self.store.moved_away |= strange
            self.store.amnesty |= strange
        self._watch(host)
        return True

    def forget(self, host: Host) -> None:
        """A person forgets a node that does not live."""
        if self.answers and host in self.store.nodes and self.fleet.state(host) is not NodeState.ALIVE:
            self._simulation.note(host, "is forgotten")
            self._simulation.version += 1
            self.store.forget(host)
            self.fleet.forget(host)
            self.tracker.forget(host)
            self._nodes[host].lose_queues()
            self._plan_round(self._least_s)

    def change(self, slice_: WantedSlice) -> None:
        """People change a slice; it is stored before they are answered."""
        self.store.keep(slice_)
        self.store.answered[slice_.name] = slice_
        self.store.asked.add(slice_.name)
        self.store.unread.add(slice_.name)
        self._simulation.version += 1
        self._changed.add(slice_.name)
        self._plan_round(0.0)

    def agree(self, name: Slice) -> None:
        """People agree to all that is held back in a slice, as they were told."""
        if self.answers and self.store.agree(name, self.held_back.of(name)):
            self._simulation.note("people agree:", name)
            self._changed.add(name)
            self._plan_round(0.0)

    def stand(self, standings: Standings) -> None:
        """People say that these nodes are out of service, and no others; or time has changed who is."""
        self.store.wanted = replace(self.store.wanted, standings=standings)
        self._simulation.version += 1
        self._full_at = self.now
        self._plan_round(0.0)

    def hint(self, host: Host) -> None:
        """The broker says that a connection of a host has ended."""

        def arrive() -> None:
            if self.alive and not self.stall.holds(arrive):
                self.tracker.hint(host, "its connection has ended", now=self.now)

        self._simulation.from_host(NOBODY, Kind.HINT, arrive)

    def _watch(self, host: Host) -> None:
        now = self.now
        self.fleet.join(host, now=now, period=HEARTBEAT_S)
        tracker_part.join(self.tracker, self.fleet, host, now=now, past=self._pasts.get(host))

    # -- what it decides ------------------------------------------------------------------------------

    def _tick(self, life: int) -> None:
        if not self.alive or life != self._life or self.stall.holds(lambda: self._tick(life)):
            return
        now = self.now
        if not self._simulation.broker_up:
            self.tracker.cut_off(now)
        for verdict in tracker_part.judge(self.tracker, self.fleet, self.store.wanted, now=now):
            self._simulation.note(verdict.host, "is", verdict.state, verdict.reason)
            self._simulation.version += 1
            self.fleet.judge(verdict.host, verdict.state)
        standing_part.check_distrusted(self.store.wanted.standings, self.fleet)
        self.store.pasts |= self.tracker.take_past()
        if now >= self._seldom_at:
            self._seldom_at = now + SELDOM_S
            if self._reads:
                self.inventory.read(self._facts, self.fleet, now=now)
            tracker_part.fit(self.misfits, self.fleet, self.store.wanted, now=now)
            self.store.write(self.fleet, self.misfits)
        tracker_part.order_probes(self.tracker, self._send, now=now)
        self._simulation.after(self._tick_s, lambda: self._tick(life))
        self._plan_round(self._least_s)

    def _plan_round(self, seconds: float) -> None:
        due = self._simulation.now + seconds
        if due < self._round_due:
            self._round_due = due
            life = self._life
            self._simulation.after(seconds, lambda: self._round(life))

    def _round(self, life: int) -> None:
        if not self.alive or life != self._life or self.stall.holds(lambda: self._round(life)):
            return
        self._round_due = float("inf")
        now = self.now
        if not self._simulation.broker_up:
            # Nothing could be ordered.
            self._full_at = now
            self._plan_round(0.5)
            return
        dirty = self.fleet.take_dirty()
        dirty.slices |= self._changed
        everything = dirty.everything or now >= self._full_at
        if everything:
            self._full_at = now + FULL_S
        elif not (dirty or self.sent.is_due(now)):
            return
        only = None if everything else dirty
        self._changed = set()
        round_ = reconcile(self.store.wanted, self.fleet, sent=self.sent, now=now, only=only)
        self.held_back.take(round_)
        self._act(round_)

    def _act(self, round_: Round) -> None:
        """Commit all of a round, or nothing; then send, unless the process ends before, or on the way."""
        simulation = self._simulation
        faulty = bool(round_.changes or round_.orders) and simulation.faulty
        if faulty and round_.changes and simulation.chance(0.01):
            self.crash()
            return
        for change in round_.changes:
            laws.check_commit(self.store, self.fleet, change, self.stops, now=self.now)
            rollout_part.check_commit(self.store, self.fleet, change, now=self.now)
            simulation.note("committed:", change.slice, change.generation, dict(change.hosts))
            self.store.commit(change, self.fleet)
            simulation.version += 1
        self.store.settle(round_)
        stop_at = len(round_.orders) if not faulty else self._stop_at(round_)
        for order in round_.orders[:stop_at]:
            self._send(order)
        if stop_at < len(round_.orders):
            self.crash()

    def _stop_at(self, round_: Round) -> int:
        """After how many orders of a round the process dies."""
        most = len(round_.orders)
        dies = most and self._simulation.chance(0.02)
        return self._simulation.luck.randrange(most) if dies else most

    def _send(self, order: Order) -> None:
        self._simulation.note("ordered:", order.text, order.slice, order.generation, order.version)
        node = self._nodes[order.host]
        slivers = order.verb in {Verb.CREATE, Verb.DELETE} or order.slice not in self.store.wanted.slices
        to_agent = order.verb in FOR_APPLICATIONS or not slivers
        kind = Kind.AGENT_ORDER if to_agent else Kind.NODE_ORDER
        self._simulation.to_host(NOBODY, kind, lambda: node.queue(order, to_agent=to_agent))
