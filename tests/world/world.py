"""The simulated world: one planner, a few machines, people and misfortune, all from one seed.

After every step the laws are checked (architecture, section 3):

* at most one instance of an application on a host (`Truth.start`);
* never more than the limit on nodes that are reachable and have not failed (a cut-off node may run beside
  its replacement; after its return it counts when its probation ends; where a crash of the planner took
  the verdict with it, when it has given up what moved away);
* no healthy application is stopped but for a reason (`Truth.stop`, `PlannerPart._commit`);
* orders only forward: no lower generation is obeyed, none is committed;
* when the faults stop, everything is as wanted within `SETTLE_S`, and then nothing more is ordered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dsmt_core.commands import Verb
from dsmt_core.lifecycle import State
from dsmt_core.names import Application, Host, PlanName, Slice
from dsmt_core.packages import PackageRef
from planner.fleet import NodeState
from planner.turns import turn
from planner.wanted import Plan, Run, Wanted, WantedApplication, WantedSlice
from tests.world.node_part import NodePart
from tests.world.planner_part import PlannerPart, Store
from tests.world.simulation import Simulation, Weather
from tests.world.truth import Broken, Truth

FAULTS_S: Final = 30.0
SETTLE_S: Final = 150.0
LOOK_S: Final = 5.0
NODES: Final = 5
MOST: Final = 4

SLICE: Final = Slice("xyz1")
APP: Final = Application("pinger")

# How many nodes each plan finds when all are well.
_FIT: Final = {"some": 5, "north": 4, "south": 3}
# In so many worlds the database is restored from an older copy.
_RESTORED: Final = 0.1
_AWAY: Final = frozenset({NodeState.FAILED, NodeState.PROBATION})


class World:
    """One run."""

    def __init__(self, seed: int) -> None:
        luck = Simulation(seed).luck
        weather = Weather(loss=luck.choice([0.0, 0.1, 0.3]), doubling=luck.choice([0.0, 0.2]))
        self.simulation = Simulation(seed, weather)
        self.truth = Truth()
        hosts = [Host(f"n{number}.s{number % 2}.org") for number in range(NODES)]
        store = Store(Wanted({SLICE: _slice()}), hosts)
        self.nodes: dict[Host, NodePart] = {}
        self.planner = PlannerPart(self.simulation, store, self.nodes)
        for host in hosts:
            self.nodes[host] = NodePart(self.simulation, self.truth, self.planner, host)
            self.nodes[host].start_manager()
        self._last: tuple[int, set[Host]] = (self.limit, set())
        self._ran_before_lowered: set[Host] = set()

    @property
    def slice(self) -> WantedSlice:
        """What is committed of the one slice."""
        return self.planner.store.wanted.slices[SLICE]

    @property
    def limit(self) -> int:
        """How many instances are wanted."""
        return int(self.slice.plan_parameters["count"])

    def run(self) -> None:
        """The whole run.

        Raises:
            Broken: a law was.
        """
        start = self.simulation.now
        self._plan_misfortune()
        self.simulation.run(start + FAULTS_S, self.check)
        self._mend()
        last = self.simulation.now + SETTLE_S
        while self.simulation.now < last:
            self.simulation.run(self.simulation.now + LOOK_S, self.check)
            if not self.differs():
                self.planner.store.restored = False
                return self._stay()
        raise Broken(f"not as wanted {SETTLE_S:g} s after the faults: {self.differs()}")

    def _stay(self) -> None:
        """It stays as it is: nothing is started any more."""
        started = self.truth.started
        self.simulation.run(self.simulation.now + 2 * LOOK_S, self.check)
        if self.truth.started != started or self.differs():
            raise Broken(f"it did not stay as wanted: {self.differs() or 'something was started'}")

    def check(self) -> None:
        """The laws about how many there are."""
        states = self.planner.tracker.state
        counted = {
            host
            for host in self.truth.hosts(SLICE)
            if host not in self.simulation.cut
            and states(host) not in _AWAY
            and (SLICE, host) not in self.planner.store.amnesty
        }
        if self.limit < self._last[0]:
            self._ran_before_lowered = self._last[1]
        elif self.limit > self._last[0]:
            self._ran_before_lowered = set()
        self._last = (self.limit, counted)
        if SLICE in self.planner.store.unread or self.planner.store.restored:
            return
        begun = counted - self._ran_before_lowered
        if len(counted) > self.limit and begun and not self._is_ending(counted):
            raise Broken(f"{len(counted)} instances on living nodes, the limit is {self.limit}")

    def _is_ending(self, running: set[Host]) -> bool:
        """Whether people have lowered the number, and nothing has begun since beside what is ending."""
        hosts, retired = self.slice.hosts, self.slice.retired
        ending = [retired[host] for host in running & retired.keys()]
        staying = [hosts[host] for host in running & hosts.keys()]
        known = len(ending) + len(staying) == len(running)
        return known and bool(ending) and max(staying, default=-1) < max(ending)

    def differs(self) -> str:
        """How the world differs from what is wanted; empty when it does not."""
        slice_ = self.slice
        wanted = {placement.host for placement in slice_.placements if placement.run is Run.RUNNING}
        running = {host for (host, _, _), process in self.truth.processes.items() if process.well}
        if len(slice_.hosts) != min(self.limit, _FIT[slice_.plan]) or slice_.retired:
            return f"placed on {sorted(slice_.hosts)}, retired {slice_.retired}, limit {self.limit}"
        if running != wanted:
            return f"wanted on {sorted(wanted)}, running on {sorted(running)}"
        return self._seen_differs()

    def _seen_differs(self) -> str:
        for placement in self.slice.placements:
            sliver = self.planner.fleet.sliver(SLICE, placement.host)
            heard = sliver.applications.get(APP) if sliver else None
            state = State.RUNNING if placement.run is Run.RUNNING else State.TERMINATED
            if heard is None or (heard.state, heard.generation) != (state, placement.generation):
                return f"{placement} is seen as {heard}"
            process = self.truth.processes.get((placement.host, SLICE, APP))
            if process is not None and process.version != placement.version:
                return f"{placement} runs as {process.version}"
        waiting = [one.reason for one in self.planner.last.waiting if "missing" not in one.reason]
        return f"waiting: {waiting}" if waiting else ""

    # -- misfortune and people ------------------------------------------------------------------------

    def _plan_misfortune(self) -> None:
        luck = self.simulation.luck
        misfortunes = [
            self.planner.crash,
            self._power_failure,
            self._cut,
            lambda: self._any_node().crash_manager(),
            lambda: self._any_node().crash_agent(SLICE),
            lambda: self._any_node().kill_application(),
            self._break_host,
            self._people,
            self._people,
        ]
        if luck.random() < _RESTORED:
            self.simulation.after(luck.uniform(0.0, 10.0), self._copy)
            self.simulation.after(luck.uniform(10.0, FAULTS_S - 1), self._restore)
        for _ in range(luck.randint(3, 12)):
            self.simulation.after(luck.uniform(0.0, FAULTS_S - 1), luck.choice(misfortunes))

    def _any_node(self) -> NodePart:
        return self.nodes[self.simulation.luck.choice(sorted(self.nodes))]

    def _power_failure(self) -> None:
        node = self._any_node()
        if node.powered:
            node.fail()
            self.simulation.after(self.simulation.luck.uniform(0.5, 20.0), node.recover)

    def _cut(self) -> None:
        host = self._any_node().host
        self.simulation.cut.add(host)
        self.simulation.after(
            self.simulation.luck.uniform(0.5, 20.0), lambda: self.simulation.cut.discard(host)
        )

    def _break_host(self) -> None:
        """For a while nothing that is started there comes to run."""
        host = self._any_node().host
        self.truth.broken.add(host)
        self.simulation.after(
            self.simulation.luck.uniform(0.5, 25.0), lambda: self.truth.broken.discard(host)
        )

    def _copy(self) -> None:
        self.planner.store.copy = self.planner.store.wanted

    def _restore(self) -> None:
        self.planner.crash()
        self.planner.restore()

    def _people(self) -> None:
        if not self.planner.alive:
            return
        luck, slice_ = self.simulation.luck, self.slice
        deed = luck.choice(
            ["count", "count", "stop", "start", "restart", "update", "other plan", "other plan"]
        )
        if deed == "count":
            changed = replace(slice_, plan_parameters={"count": str(luck.randint(1, MOST))})
        elif deed == "other plan":
            changed = replace(slice_, plan=PlanName(luck.choice(sorted(_FIT))))
        elif deed == "update":
            packages = (PackageRef(f"{luck.randrange(10)}" * 64, 10, "dsmtw_pinger.rpm"),)
            version = f"1.{packages[0].digest[0]}-1", packages
            changed = turn(slice_, APP, Verb.UPDATE, version=version)
        else:
            changed = turn(slice_, APP, Verb(deed.upper()))
        self.planner.change(changed)

    def _mend(self) -> None:
        """All faults end; what is down comes up."""
        self.simulation.faulty = False
        self.simulation.cut.clear()
        self.truth.broken.clear()
        for node in self.nodes.values():
            node.recover()
        if not self.planner.alive:
            self.planner.start()


def _slice() -> WantedSlice:
    plans = {
        "good": Plan(PlanName("good"), "minus", {"left": "all_nodes", "right": "failed"}),
        "some": Plan(PlanName("some"), "limit", {"parent": "good", "count": "3"}),
        "most": Plan(PlanName("most"), "nodes", {"list": "n1.s1.org,n2.s0.org,n3.s1.org,n4.s0.org"}),
        "fit": Plan(PlanName("fit"), "minus", {"left": "most", "right": "failed"}),
        "north": Plan(PlanName("north"), "limit", {"parent": "fit", "count": "3"}),
        "few": Plan(PlanName("few"), "nodes", {"list": "n0.s0.org,n1.s1.org,n2.s0.org"}),
        "south": Plan(PlanName("south"), "limit", {"parent": "few", "count": "3"}),
    }
    package = PackageRef("0" * 64, 10, "dsmtw_pinger.rpm")
    return WantedSlice(
        name=SLICE,
        managed=True,
        generation=0,
        plan=PlanName("some"),
        plan_parameters={"count": "3"},
        plans={PlanName(name): plan for name, plan in plans.items()},
        applications={
            APP: WantedApplication(name=APP, wrapper="dsmtw_pinger", version="1.0-1", packages=(package,))
        },
        status_period=5.0,
    )


def run(seed: int) -> World:
    """Run the world of one seed.

    Raises:
        Broken: a law was broken; the message says how to see it again.
    """
    world = World(seed)
    try:
        world.run()
    except Exception as error:
        at = world.simulation.now - 1_000.0
        again = f"python -m tests.world --seed {seed}"
        raise Broken(
            f"at {at:.2f} s, step {world.simulation.steps}: {error}\nagain with: {again}"
        ) from error
    return world
