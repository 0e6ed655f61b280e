"""The simulated world: a planner, machines, people and misfortune, all from one seed.

After every step that changed something the laws are checked (`tests.world.laws`, and where the deeds are
done: `Truth.start`, `Truth.stop`, the orders that are obeyed). When the faults stop, everything
is as wanted within a bound, and then nothing more is ordered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from dsmt_core.names import Host, Slice
from planner.wanted import Wanted, WantedSlice
from tests.world import laws, misfortune, people, rollout_part, standing_part
from tests.world.layout import APP, DISK, Layout, does_fit, drawn, first_slice, fits
from tests.world.node_part import NodePart
from tests.world.planner_part import PlannerPart
from tests.world.simulation import Simulation
from tests.world.source_part import OWNER
from tests.world.store import AWAY, Store
from tests.world.truth import Broken, Truth

__all__ = ["APP", "SLICE", "World", "run"]

SETTLE_S: Final = 150.0
# What straggles has arrived by then, and whether all is as wanted is looked at from then on.
CALM_S: Final = 6.0
LOOK_S: Final = 1.0
STAY_S: Final = 10.0
# In so many worlds the database is restored from an older copy.
RESTORED: Final = 0.1
# In so many of those in which nodes are taken out of service, one is drained in the end.
DRAINED: Final = 0.3
FACTS: Final = {DISK: "50"}
# What may wait in the end: where no node is to be had for a slice.
NONE_TO_BE_HAD: Final = ("missing", "the slice has no hosts now")
# Lines of a trace that are kept.
TRACE: Final = 5_000

SLICE: Final = Slice("xyz1")


class World:
    """One run.

    Args:
        seed: of everything that is left to luck.
        layout: with what it begins; by default luck decides.
        trace: whether what happens is written down (`Simulation.trace`).

    Attributes:
        destroyed: machines that will never be back.
        mended: what is to be done when the faults end, besides.
    """

    def __init__(self, seed: int, layout: Layout | None = None, *, trace: bool = False) -> None:
        luck = Simulation(seed).luck
        weather = misfortune.weather(luck)
        self.layout = drawn(luck) if layout is None else layout
        self.simulation = Simulation(seed, weather)
        self.simulation.trace = deque(maxlen=TRACE) if trace else None
        self.truth = Truth(self.simulation)
        slices = {name: first_slice(self.layout, name) for name in self.layout.slices}
        there = [host for host in self.layout.hosts if host not in self.layout.late]
        store = Store(Wanted(slices), there, answered=dict(slices))
        self.nodes: dict[Host, NodePart] = {}
        self.planner = PlannerPart(self.simulation, store, self.nodes, self.layout)
        for host in self.layout.hosts:
            node = self.nodes[host] = NodePart(self.simulation, self.truth, self.planner, host)
            node.facts = dict(FACTS)
            self._begin(node, is_late=host in self.layout.late)
        self._limits = {
            name: laws.Limit(name, laws.limit_of(one), moves=self.layout.moves)
            for name, one in slices.items()
        }
        self._service = standing_part.Service(self) if self.layout.stands else None
        self.destroyed: set[Host] = set()
        self.mended: list[Callable[[], None]] = []

    def _begin(self, node: NodePart, *, is_late: bool) -> None:
        if is_late:
            node.powered = False
            late = self.simulation.luck.uniform(1.0, self.layout.faults_s)
            self.simulation.after(late, lambda: misfortune.recover(self, node))
        else:
            node.start_manager()

    @property
    def slice(self) -> WantedSlice:
        """What is committed of the first slice."""
        return self.planner.store.wanted.slices[self.layout.slices[0]]

    def any_slice(self) -> WantedSlice:
        """What is committed of some slice."""
        return self.planner.store.wanted.slices[self.simulation.luck.choice(self.layout.slices)]

    def facts(self, host: Host) -> dict[str, str]:
        """What is true of a machine."""
        return {**FACTS, **self.nodes[host].facts, OWNER: self.planner.inventory.owners[host]}

    def excuse(self, host: Host) -> None:
        """What is true of a machine has changed: if that speaks against it, it may be left from now on."""
        true = self.facts(host)
        if self.planner.excused is not None and not all(does_fit(plan, true) for plan in self.layout.names):
            self.planner.excused.add(host)

    def led(self) -> set[Host]:
        """Where the first slice really runs, and is well."""
        processes = self.truth.processes.items()
        return {host for (host, of, _), one in processes if one.well and of == self.layout.slices[0]}

    def living(self) -> list[Host]:
        """The machines that are there, or may come back."""
        return [host for host in self.layout.hosts if host not in self.destroyed]

    def run(self) -> None:
        """The whole run.

        Raises:
            Broken: a law was.
        """
        start = self.simulation.now
        self._plan_misfortune()
        self.simulation.run(start + self.layout.faults_s, self.check)
        self._mend()
        self.simulation.run(self.simulation.now + CALM_S, self.check)
        last = self.simulation.now + SETTLE_S
        while self.simulation.now < last:
            if not self.differs():
                self.planner.store.restored = False
                self._stay()
                return self._empty_one()
            for name in self.layout.slices:
                self.planner.agree(name)
            for host in sorted(self.destroyed):
                # A restored database knows again what people had forgotten; they say it once more.
                self.planner.forget(host)
            self.simulation.run(self.simulation.now + LOOK_S, self.check)
        raise Broken(f"not as wanted {SETTLE_S:g} s after the faults: {self.differs()}")

    def _stay(self) -> None:
        """It stays as it is: nothing is started any more."""
        started = self.truth.started
        self.simulation.run(self.simulation.now + STAY_S, self.check)
        if self.truth.started != started or self.differs():
            raise Broken(f"it did not stay as wanted: {self.differs() or 'something was started'}")

    def _empty_one(self) -> None:
        """At times one node is drained in the calm."""
        if self._service is not None and self.simulation.chance(DRAINED):
            self._service.drain_in_calm_weather()

    def check(self) -> None:
        """The laws about what is stored and how many there are."""
        store, state, cut = self.planner.store, self.planner.tracker.state, self.simulation.cut
        laws.check_answered(store)
        counted: dict[Slice, set[Host]] = {name: set() for name in self._limits}
        for host, name, _ in self.truth.processes:
            if host in cut or (name, host) in store.amnesty or host not in store.nodes:
                continue
            if state(host) not in AWAY:
                counted[name].add(host)
        for name, limit in self._limits.items():
            limit.check(store, self.planner.fleet, counted[name])
        if self._service is not None:
            self._service.check()

    def differs(self) -> str:
        """How the world differs from what is wanted; empty when it does not."""
        facts = {host: self.facts(host) for host in self.living()}
        led = self.led()
        for slice_ in self.planner.store.wanted.slices.values():
            if said := laws.differs(slice_, self.truth, self.planner.fleet, fits=fits(slice_, facts, led)):
                return said
            if said := rollout_part.differs(slice_, bad=bool(self.truth.bad)):
                return said
        waiting = [one.reason for name in self.layout.slices for one in self.planner.held_back.of(name)]
        waiting = [reason for reason in waiting if not any(one in reason for one in NONE_TO_BE_HAD)]
        return f"waiting: {waiting}" if waiting else ""

    def _plan_misfortune(self) -> None:
        simulation, luck, last = self.simulation, self.simulation.luck, self.layout.faults_s - 1
        many = misfortune.MISFORTUNES + (misfortune.OF_FACTS if self.layout.facts else ())
        if luck.random() < RESTORED:
            simulation.after(luck.uniform(0.0, last / 3), self.planner.store.copy)
            simulation.after(luck.uniform(last / 3, last), self._restore)
        chosen_ones = [
            luck.choice(self._deeds() if luck.random() < 0.3 else many) for _ in range(luck.randint(3, 12))
        ]
        if self.layout.stands:
            chosen_ones += [people.stand] * luck.randint(2, 6)
        if self.layout.facts:
            chosen_ones += luck.choices(misfortune.OF_FACTS, k=luck.randint(1, 4))
        for chosen in chosen_ones:
            simulation.after(luck.uniform(0.0, last), lambda chosen=chosen: chosen(self))  # type: ignore[misc]

    def _deeds(self) -> tuple[people.Deed, ...]:
        return people.DEEDS + (people.CHURNING if self.layout.churns else ())

    def _restore(self) -> None:
        self.simulation.note("the database is restored from an older copy")
        self.planner.crash()
        self.planner.store.restore()

    def _mend(self) -> None:
        """All faults end; what is down comes up, and who is not known joins."""
        simulation = self.simulation
        simulation.note("the faults end")
        simulation.faulty = False
        for way in (simulation.cut, simulation.mute, simulation.deaf):
            misfortune.heal(self, way, sorted(way))
        misfortune.return_broker(self)
        self.planner.stall.end()
        if not self.planner.alive:
            self.planner.start()
        self.truth.broken.clear()
        self.planner.inventory.is_up = True
        people.calm_down(self)
        for mend in self.mended:
            mend()
        for host in self.living():
            self.nodes[host].facts = {**FACTS, **self.nodes[host].facts}
            self.nodes[host].recover()
            self.nodes[host].tell_facts()
            self.planner.join(host)


def run(seed: int, *, trace: bool = False) -> World:
    """Run the world of one seed.

    Raises:
        Broken: a law was broken; the message says how to see it again.
    """
    world = World(seed, trace=trace)
    try:
        world.run()
    except Exception as error:
        at = world.simulation.now - 1_000.0
        told = "\n".join([*(world.simulation.trace or ()), ""])
        again = f"python -m tests.world --seed {seed} --trace"
        raise Broken(
            f"{told}at {at:.2f} s, step {world.simulation.steps}: {error}\nagain with: {again}"
        ) from error
    return world
