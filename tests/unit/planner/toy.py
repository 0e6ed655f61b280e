"""A toy world: nodes that obey at once, so that a test can watch rounds and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dsmt_core.channels import Channel, facts_channel, status_channel
from dsmt_core.commands import Order, Verb
from dsmt_core.events import DEPLOYMENT_STATUS, Event, Sender
from dsmt_core.lifecycle import State
from dsmt_core.names import (
    DEPLOYMENT_AGENT,
    SLIVER_BOOTSTRAP,
    SLIVER_MGR,
    Application,
    Host,
    PlanName,
    Slice,
)
from dsmt_core.nodes import (
    HOLDINGS,
    Held,
    application_pairs,
    digest,
    gone_pairs,
    order_pairs,
    sliver_pairs,
)
from dsmt_core.packages import PackageRef
from planner.fleet import Fleet, NodeState
from planner.reconcile import SentOrders, reconcile
from planner.reconcile.asked import asked_of
from planner.release import release_name
from planner.standing import Standing
from planner.steps import Round
from planner.wanted import Plan, Wanted, WantedApplication, WantedSlice

SLICE = Slice("xyz1")
APP = Application("pinger")
PACKAGE = PackageRef("a" * 64, 10, "dsmtw_pinger-1.8-1.noarch.rpm")


def hosts(count: int) -> list[Host]:
    return [Host(f"n{number}.site{number % 3}.org") for number in range(count)]


def pinger(version: str = "1.8-1") -> WantedApplication:
    return WantedApplication(name=APP, wrapper="dsmtw_pinger", version=version, packages=(PACKAGE,))


def plan(name: str, base: str, **parameters: str) -> Plan:
    return Plan(PlanName(name), base, parameters)


def plans(*all_: Plan) -> dict[PlanName, Plan]:
    return {one.name: one for one in all_}


LIMITED = plans(
    plan("good", "minus", left="all_nodes", right="failed"),
    plan("only3", "limit", parent="good", count="3"),
)


def wanted_slice(
    plan_name: str = "only3", *, apps: Mapping[Application, WantedApplication] | None = None
) -> WantedSlice:
    return WantedSlice(
        name=SLICE,
        managed=True,
        generation=0,
        plan=PlanName(plan_name),
        plans=LIMITED,
        applications={APP: pinger()} if apps is None else apps,
    )


@dataclass
class ToyNode:
    """A container manager and its agents that do at once what they are told."""

    host: Host
    slivers: dict[Slice, int] = field(default_factory=dict)
    gone: dict[Slice, int] = field(default_factory=dict)
    digests: dict[Slice, str] = field(default_factory=dict)
    applications: dict[Slice, dict[Application, Held]] = field(default_factory=dict)
    deaf: bool = False
    mute: bool = False
    broken: set[str] = field(default_factory=set)
    """Versions, or releases by name, that do not run here."""

    def __post_init__(self) -> None:
        self.sender = Sender("node", f"{self.host}/manager", "b1")

    def obey(self, order: Order) -> list[Event]:
        if self.deaf:
            return []
        if order.verb in {Verb.CREATE, Verb.DELETE}:
            return self._obey_sliver(order)
        if order.verb is Verb.REPORT:
            return [self.holdings(), *(self.agent_holdings(name) for name in self.slivers)]
        held = self.applications[order.slice]
        if order.verb is Verb.UNINSTALL:
            held.pop(order.application, None)
            return [self.agent_holdings(order.slice)]
        state = State.TERMINATED if order.verb is Verb.STOP else State.RUNNING
        if {order.version, release_name(order.version, order.configuration.digest)} & self.broken:
            state = State.FAILED
        known = held.get(order.application)
        if known is None or order.generation > known.generation:
            held[order.application] = Held(
                order.generation,
                order.version,
                state,
                order.restarts,
                order.digest,
                order.configuration.digest,
            )
        return [self.agent_holdings(order.slice)]

    def _obey_sliver(self, order: Order) -> list[Event]:
        known = max(self.slivers.get(order.slice, -1), self.gone.get(order.slice, -1))
        if order.generation < known or self.slivers.get(order.slice) == order.generation:
            return [self.holdings()]
        if order.verb is Verb.DELETE:
            self.slivers.pop(order.slice, None)
            self.applications.pop(order.slice, None)
            self.gone[order.slice] = order.generation
            return [self.holdings()]
        new = order.slice not in self.slivers
        self.slivers[order.slice] = order.generation
        self.digests[order.slice] = order.digest
        self.applications.setdefault(order.slice, {})
        events = [self.holdings()]
        if new:
            events += [
                self.status(order.slice, SLIVER_MGR, State.REQUESTED),
                self.status(order.slice, SLIVER_MGR, State.RUNNING),
                self.status(order.slice, SLIVER_BOOTSTRAP, State.RUNNING),
            ]
        return events

    def holdings(self, *, asks: bool = False) -> Event:
        pairs = {**sliver_pairs(self.slivers), **gone_pairs(self.gone), **order_pairs(self.digests)}
        return self._event(
            facts_channel(self.host), HOLDINGS, {**pairs, **({"asks": "yes"} if asks else {})}
        )

    def agent_holdings(self, slice_: Slice, *, asks: bool = False) -> Event:
        pairs = application_pairs(self.applications.get(slice_, {}))
        channel = status_channel(slice_, DEPLOYMENT_AGENT, self.host)
        return self._event(channel, HOLDINGS, {**pairs, **({"asks": "yes"} if asks else {})})

    def status(self, slice_: Slice, component: str, state: State, **pairs: str) -> Event:
        channel = status_channel(slice_, component, self.host)
        return self._event(channel, DEPLOYMENT_STATUS, {"status": state, **pairs})

    def _event(self, channel: Channel, field_: str, pairs: Mapping[str, str]) -> Event:
        return self.sender.event(channel, field_, now=0.0, id_="i", pairs=dict(pairs))


class Toy:
    """A planner's rounds over toy nodes; ``now`` is moved by the test."""

    def __init__(self, count: int = 5, slices: tuple[WantedSlice, ...] | None = None) -> None:
        self.now = 100.0
        self.fleet = Fleet()
        self.sent = SentOrders()
        self.nodes = {host: ToyNode(host) for host in hosts(count)}
        slices = (wanted_slice(),) if slices is None else slices
        self.wanted = Wanted({slice_.name: slice_ for slice_ in slices})
        self.orders: list[Order] = []
        for node in self.nodes.values():
            self.join(node)

    def join(self, node: ToyNode) -> None:
        self.nodes[node.host] = node
        self.fleet.join(node.host, now=self.now)
        self.fleet.judge(node.host, NodeState.ALIVE)
        self.fleet.fold(node.holdings(), now=self.now)
        self.beat(node)

    def beat(self, node: ToyNode) -> None:
        self.fleet.heard(node.host, digest(node.slivers), now=self.now)

    @property
    def slice(self) -> WantedSlice:
        return self.wanted.slices[SLICE]

    def change(self, slice_: WantedSlice) -> None:
        self.wanted = replace(self.wanted, slices={**self.wanted.slices, slice_.name: slice_})

    def stand(self, standing: Standing, *where: Host) -> None:
        """People say this of these nodes, and nothing of others."""
        self.wanted = replace(self.wanted, standings=dict.fromkeys(where, standing))

    def slip(self, slice_: WantedSlice) -> None:
        """The slice changes, and nobody asked for it: as if a fact or a function were wrong."""
        carried = replace(slice_.restraint, carried=asked_of(slice_))
        self.change(replace(slice_, restraint=carried))

    def round(self) -> Round:
        round_ = reconcile(self.wanted, self.fleet, sent=self.sent, now=self.now)
        for change in round_.changes:
            self.change(change.applied(self.wanted.slices[change.slice]))
        self.orders += round_.orders
        return round_

    def deliver(self, orders: tuple[Order, ...]) -> None:
        for order in orders:
            node = self.nodes[order.host]
            for event in node.obey(order):
                if not node.mute:
                    self.fleet.fold(event, now=self.now)

    def run(self, rounds: int = 12, *, step: float = 0.1) -> Round:
        """Rounds with everything delivered; the last one."""
        last = Round()
        for _ in range(rounds):
            self.now += step
            for node in self.nodes.values():
                if not node.mute:
                    self.beat(node)
            last = self.round()
            self.deliver(last.orders)
        return last

    def running(self, slice_: Slice = SLICE) -> set[Host]:
        return {
            host
            for host, node in self.nodes.items()
            for held in node.applications.get(slice_, {}).values()
            if held.state is State.RUNNING
        }
