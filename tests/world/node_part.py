"""A machine of the simulated world: container manager, slivers and agents, which die apart or together."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from agents.container_manager.decide import (
    Boot,
    Create,
    End,
    Keep,
    Node,
    Publish,
    Remove,
    StartAgent,
    Step,
    Verdict,
)
from dsmt_core.commands import Order, Verb
from dsmt_core.names import Host, Slice
from dsmt_core.nodes import (
    digest,
)
from tests.world.agent_part import TORN, AgentPart
from tests.world.disk import Disk
from tests.world.node_voice import NodeVoice, Planner
from tests.world.probe_part import ProbePart
from tests.world.simulation import Simulation
from tests.world.truth import Broken, Truth

ORDER_TTL_S = 30.0
HEARTBEAT_S = 1.0


@dataclass(slots=True)
class Sliver:
    """A sliver with a living init, and the agent in it."""

    agent: AgentPart | None = None


Queue = deque[tuple[float, Order]]


class NodePart:
    """One machine; ``sick``: why no sliver can be made on it, though its heartbeats come."""

    def __init__(self, simulation: Simulation, truth: Truth, planner: Planner, host: Host) -> None:
        self._simulation = simulation
        self._truth = truth
        self._planner = planner
        self.host = host
        self.powered = True
        self.wall_s = 0.0
        self.facts: dict[str, str] = {}
        self.slivers: dict[Slice, Sliver] = {}
        self._disk = Disk()
        self._older = Disk()
        self._queues: dict[Slice, Queue] = {}
        self._rebooted: set[Slice] = set()
        self._node: Node | None = None
        self.probes: ProbePart | None = None
        self.sick = ""
        self._life = 0

    # -- what befalls it ------------------------------------------------------------------------------

    def start_manager(self) -> None:
        """The container manager's process comes up, and adopts what runs."""
        if self._node is not None or not self.powered:
            return
        self._life += 1
        self._node = node = Node()
        node.restore(self._disk.found(self.slivers), self._simulation.now)
        self._voice = NodeVoice(self._simulation, self._planner, self)
        self.probes = ProbePart(self._simulation, self._voice.probed, of=self)
        life = self._life
        self._simulation.after(0.0, lambda: self._beat(life))
        self._simulation.after(0.0, lambda: self._join(life))
        self.connected()
        self._work()

    def connected(self) -> None:
        """The broker can be reached (again): say what is held, and take what waits."""
        if self._node is None:
            return
        self._report()
        self.tell_facts()
        self.drain()
        for sliver in self.slivers.values():
            if sliver.agent is not None:
                sliver.agent.greet()

    def drain(self) -> None:
        """Take the orders that wait."""
        self._drain(Slice(""))
        for slice_ in list(self.slivers):
            self._drain(slice_)

    def tell_facts(self) -> None:
        """Say what the machine is like."""
        if self._node is not None and self.facts:
            self._voice.facts(self.facts)

    def _join(self, life: int) -> None:
        """Ask the planner to be let in, until it answers."""
        if self._node is not None and life == self._life and not self._planner.join(self.host):
            self._simulation.after(2.0, lambda: self._join(life))

    def crash_manager(self, *, away_s: float | None = None) -> None:
        """Only the container manager dies; it is started again by its supervisor."""
        if self._node is not None:
            self._node = self.probes = None
            away_s = self._simulation.luck.uniform(0.1, 3.0) if away_s is None else away_s
            self._simulation.after(away_s, self.start_manager)

    def crash_agent(self, slice_: Slice) -> None:
        """Only an agent dies; the init starts it again."""
        sliver = self.slivers.get(slice_)
        if sliver is None or sliver.agent is None:
            return
        sliver.agent.alive = False
        sliver.agent = None
        self._simulation.after(0.5, lambda: self._start_agent(slice_, sliver))

    def fail(self) -> None:
        """Power failure: everything at once."""
        self._simulation.note(self.host, "has a power failure")
        self.powered, self._node, self.probes = False, None, None
        for slice_ in list(self.slivers):
            self._end(slice_)
        self._rebooted = set(self._disk.orders)

    def recover(self) -> None:
        """The power is back."""
        if not self.powered:
            self._simulation.note(self.host, "has power again")
            self.powered = True
        self.start_manager()

    def copy_disk(self) -> None:
        """Somebody makes a copy of the disk."""
        self._older = self._disk.copy()

    def restore_disk(self) -> None:
        """The machine fails, and gets an older disk, or an empty one."""
        self.fail()
        self._disk = self._older.copy()
        self._rebooted = set(self._disk.orders)

    def tear(self, slice_: Slice) -> None:
        """An agent dies, and its state file cannot be read any more."""
        if slice_ in self._disk.agents:
            self._simulation.note(self.host, slice_, "loses the state of its agent")
            self._disk.agents[slice_].clear()
            self._disk.agents[slice_][TORN] = True
            self.crash_agent(slice_)

    def lose_queues(self) -> None:
        """The broker has lost what waited for this node."""
        self._queues.clear()

    def jump(self, seconds: float) -> None:
        """Somebody sets the clock on the wall."""
        self.wall_s += seconds
        for sliver in self.slivers.values():
            if sliver.agent is not None:
                sliver.agent.wall_s = self.wall_s

    def kill_application(self) -> None:
        """One application dies by itself."""
        mine = sorted(place for place in self._truth.processes if place[0] == self.host)
        if mine:
            place = self._simulation.luck.choice(mine)
            self._truth.die(place)
            sliver = self.slivers.get(place[1])
            if sliver is not None and sliver.agent is not None:
                sliver.agent.ended(place[2])

    # -- orders ---------------------------------------------------------------------------------------

    def queue(self, order: Order, *, to_agent: bool) -> None:
        """An order arrives in its queue, which keeps it while nobody reads."""
        slice_ = order.slice if to_agent else Slice("")
        self._queues.setdefault(slice_, deque()).append((self._simulation.now + ORDER_TTL_S, order))
        self._drain(slice_)

    def _drain(self, slice_: Slice) -> None:
        queue = self._queues.setdefault(slice_, deque())
        while queue and self._reads(slice_) and self._simulation.reaches(self.host):
            expires, order = queue.popleft()
            if expires > self._simulation.now:
                self._obey(slice_, order)

    def _reads(self, slice_: Slice) -> bool:
        sliver = self.slivers.get(slice_)
        return self._node is not None if not slice_ else sliver is not None and sliver.agent is not None

    def _obey(self, slice_: Slice, order: Order) -> None:
        if slice_:
            agent = self.slivers[slice_].agent
            if agent is not None:
                agent.hear(order)
            return
        if self._node is None or self.probes is None:
            return
        if order.verb is Verb.PROBE:
            self.probes.asked(order.nonce)
            return
        before = self._node.held().get(order.slice, -1)
        verdict = self._node.order(order, self._simulation.now)
        if verdict is Verdict.ACCEPTED and order.generation < before:
            raise Broken(f"{order.text} of generation {order.generation} was obeyed after {before}")
        self._work()

    # -- steps ----------------------------------------------------------------------------------------

    def _work(self) -> None:
        node, life = self._node, self._life
        if node is None:
            return
        for step in node.take(self._simulation.now):
            self._begin(node, step)
        if node.report_due():
            self._report()
        wake = node.wake_at(self._simulation.now)
        if wake < float("inf"):
            self._simulation.after(
                wake - self._simulation.now + 0.01, lambda: self._work() if life == self._life else None
            )

    def _begin(self, node: Node, step: Step) -> None:
        def finish() -> None:
            if self._node is node:
                error = self._carry_out(step)
                node.done(step, self._simulation.now, error=error)
                self._work()

        self._simulation.after(self._simulation.work_s(slow=isinstance(step, End)), finish)

    def _carry_out(self, step: Step) -> str:
        slice_ = step.slice
        match step:
            case Create() | Boot() if self._simulation.faulty and self._simulation.chance(0.05):
                return "no space left on the device"
            case Keep():
                self._disk.orders[slice_] = step
            case Publish():
                self._voice.state(step)
            case Boot():
                self.slivers.setdefault(slice_, Sliver())
            case StartAgent():
                self._start_agent(slice_, self.slivers[slice_])
            case End():
                self._end(slice_)
            case Remove():
                self._disk.orders.pop(slice_, None)
                self._disk.agents.pop(slice_, None)
                self._disk.packages.pop(slice_, None)
            case _:
                pass
        return ""

    def _start_agent(self, slice_: Slice, sliver: Sliver) -> None:
        if self.slivers.get(slice_) is not sliver or sliver.agent is not None:
            return
        disk = self._disk.agents.setdefault(slice_, {}), self._disk.packages.setdefault(slice_, {})
        sliver.agent = agent = AgentPart(
            self._simulation, self._truth, self._planner, place=(self.host, slice_), disk=disk
        )
        agent.wall_s = self.wall_s
        rebooted = slice_ in self._rebooted
        self._rebooted.discard(slice_)
        agent.start(rebooted=rebooted)
        self._drain(slice_)

    def _end(self, slice_: Slice) -> None:
        sliver = self.slivers.pop(slice_, None)
        if sliver is not None and sliver.agent is not None:
            sliver.agent.alive = False
        for place in [place for place in self._truth.processes if place[:2] == (self.host, slice_)]:
            self._truth.die(place)

    # -- what it says ---------------------------------------------------------------------------------

    def _beat(self, life: int) -> None:
        if self._node is None or life != self._life:
            return
        self._planner.beat(self.host, digest(self._node.held()))
        self.drain()
        self._simulation.after(
            HEARTBEAT_S * self._simulation.luck.uniform(0.9, 1.0), lambda: self._beat(life)
        )

    def _report(self) -> None:
        if self._node is not None:
            self._voice.holdings(self._node, self._simulation.now)
