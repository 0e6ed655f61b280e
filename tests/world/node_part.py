"""A machine of the simulated world: container manager, slivers and agents, which die apart or together."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from agents.container_manager.decide import (
    Boot,
    Create,
    End,
    Found,
    Keep,
    Node,
    Publish,
    Remove,
    StartAgent,
    Step,
    Verdict,
)
from dsmt_core.channels import Channel, facts_channel, status_channel
from dsmt_core.commands import Order, Verb
from dsmt_core.events import DEPLOYMENT_STATUS, Event, Sender
from dsmt_core.names import CONTAINER_MGR, SLIVER_MGR, Host, Slice
from dsmt_core.nodes import (
    HOLDINGS,
    PROBE,
    ProbeResult,
    digest,
    gone_pairs,
    order_pairs,
    probe_pairs,
    sliver_pairs,
)
from tests.world.agent_part import AgentPart, Listener
from tests.world.probe_part import ProbePart
from tests.world.simulation import Simulation
from tests.world.truth import Broken, Truth

ORDER_TTL_S = 30.0
HEARTBEAT_S = 1.0


class Planner(Listener, Protocol):
    """What a node says goes there."""

    def beat(self, host: Host, digest_: str) -> None:
        """A heartbeat."""
        ...


@dataclass(slots=True)
class Sliver:
    """A sliver with a living init, and the agent in it."""

    agent: AgentPart | None = None


@dataclass(slots=True)
class Disk:
    """What a machine still knows after a power failure."""

    orders: dict[Slice, Keep] = field(default_factory=dict)
    agents: dict[Slice, dict[str, Any]] = field(default_factory=dict)


Queue = deque[tuple[float, Order]]


class NodePart:
    """One machine; ``sick``: why no sliver can be made on it, though its heartbeats come."""

    def __init__(self, simulation: Simulation, truth: Truth, planner: Planner, host: Host) -> None:
        self._simulation = simulation
        self._truth = truth
        self._planner = planner
        self.host = host
        self.powered = True
        self.slivers: dict[Slice, Sliver] = {}
        self._disk = Disk()
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
        node.restore(
            [self._found(name, kept) for name, kept in self._disk.orders.items()], self._simulation.now
        )
        boot = f"{self._simulation.luck.random()}"
        self._states = Sender("m", f"{self.host}/{SLIVER_MGR}", boot)
        self._sender = Sender("m", f"{self.host}/{CONTAINER_MGR}", boot)
        self.probes = ProbePart(self._simulation, self._answer_probe, of=self)
        life = self._life
        self._simulation.after(0.0, lambda: self._beat(life))
        self._report()
        self._drain(Slice(""))
        self._work()

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
        self.powered, self._node, self.probes = False, None, None
        for slice_ in list(self.slivers):
            self._end(slice_)
        self._rebooted = set(self._disk.orders)

    def recover(self) -> None:
        """The power is back."""
        if not self.powered:
            self.powered = True
            self.start_manager()

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
        while queue and self.host not in self._simulation.cut and self._reads(slice_):
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
                self._tell_state(step)
            case Boot():
                self.slivers.setdefault(slice_, Sliver())
            case StartAgent():
                self._start_agent(slice_, self.slivers[slice_])
            case End():
                self._end(slice_)
            case Remove():
                self._disk.orders.pop(slice_, None)
                self._disk.agents.pop(slice_, None)
            case _:
                pass
        return ""

    def _start_agent(self, slice_: Slice, sliver: Sliver) -> None:
        if self.slivers.get(slice_) is not sliver or sliver.agent is not None:
            return
        disk = self._disk.agents.setdefault(slice_, {})
        sliver.agent = agent = AgentPart(
            self._simulation, self._truth, self._planner, place=(self.host, slice_), disk=disk
        )
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

    def _found(self, name: Slice, kept: Keep) -> Found:
        return Found(
            slice=name,
            generation=kept.generation,
            wanted=kept.wanted,
            agent=kept.agent,
            digest=kept.digest,
            state=kept.state,
            made=True,
            alive=name in self.slivers,
        )

    # -- what it says ---------------------------------------------------------------------------------

    def _beat(self, life: int) -> None:
        if self._node is None or life != self._life:
            return
        self._planner.beat(self.host, digest(self._node.held()))
        self._drain(Slice(""))
        for slice_ in list(self.slivers):
            self._drain(slice_)
        self._simulation.after(
            HEARTBEAT_S * self._simulation.luck.uniform(0.9, 1.0), lambda: self._beat(life)
        )

    def _report(self) -> None:
        node = self._node
        if node is None:
            return
        pairs = sliver_pairs(node.held()) | gone_pairs(node.gone(self._simulation.now))
        pairs |= order_pairs(node.orders())
        if node.asks:
            pairs["asks"] = "yes"
        self._tell(self._sender, facts_channel(self.host), HOLDINGS, pairs)

    def _answer_probe(self, result: ProbeResult) -> None:
        self._tell(self._sender, facts_channel(self.host), PROBE, probe_pairs(result))

    def _tell_state(self, step: Publish) -> None:
        pairs = {"status": str(step.state), "reason": step.reason}
        self._tell(
            self._states, status_channel(step.slice, SLIVER_MGR, self.host), DEPLOYMENT_STATUS, pairs
        )

    def _tell(self, sender: Sender, channel: Channel, field_: str, pairs: Mapping[str, str]) -> None:
        event: Event = sender.event(channel, field_, now=self._simulation.now, id_="", pairs=dict(pairs))
        self._planner.hear(self.host, event)
