"""A great fleet without sockets: its nodes say what real ones say, and its rounds are the planner's own.

Nodes obey at once; what they say is encoded as on the way, so that folding begins with bytes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from broker.reading import Message, Refused, read
from dsmt_core import wire
from dsmt_core.channels import Channel, facts_channel, heartbeat_channel, status_channel
from dsmt_core.commands import Order, Verb
from dsmt_core.events import DEPLOYMENT_STATUS, STATUS, Event, Sender
from dsmt_core.lifecycle import State
from dsmt_core.names import (
    CONTAINER,
    CONTAINER_MGR,
    DEPLOYMENT_AGENT,
    SLIVER_BOOTSTRAP,
    SLIVER_MGR,
    Application,
    Host,
    PlanName,
    Slice,
)
from dsmt_core.nodes import HEARTBEAT, HOLDINGS, Held, application_pairs, digest, gone_pairs, sliver_pairs
from dsmt_core.packages import PackageRef
from dsmt_core.rights import NODES, PSEPR
from dsmt_core.wire import MSGPACK
from planner.fleet import Fleet, NodeState
from planner.reconcile import SentOrders, reconcile
from planner.service.seeing import is_request
from planner.steps import Round
from planner.wanted import Plan, Wanted, WantedApplication, WantedSlice

SLICE = Slice("bench")
APP = Application("pinger")
SITES = 500
PERIOD_S = 10.0
_WALK = (State.REQUESTED, State.INSTANTIATED, State.INITIALIZED)
_PACKAGE = PackageRef("a" * 64, 10, "dsmtw_pinger-1.8-1.noarch.rpm")
_OURS = Channel("/org/dsmt/ns/")
_UNDER_HEARTBEATS = Channel("/org/dsmt/ns/node/")


@dataclass(slots=True)
class BenchNode:
    """One node that does at once what it is told, and what it says about it."""

    host: Host
    slivers: dict[Slice, int] = field(default_factory=dict)
    gone: dict[Slice, int] = field(default_factory=dict)
    held: dict[Application, Held] = field(default_factory=dict)
    seq: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def obey(self, order: Order) -> Iterator[Event]:
        """What is heard of it."""
        if order.verb is Verb.CREATE:
            self.slivers[order.slice] = order.generation
            yield self.holdings()
            for state in (*_WALK, State.RUNNING):
                yield self.state(SLIVER_MGR, CONTAINER, state)
            for state in (*_WALK, State.INSTALLED, State.RUNNING):
                yield self.state(SLIVER_BOOTSTRAP, DEPLOYMENT_AGENT, state)
            yield self.agent_holdings()
        elif order.verb is Verb.DELETE:
            self.slivers.pop(order.slice, None)
            self.gone[order.slice] = order.generation
            self.held.clear()
            yield self.holdings()
        elif order.verb is Verb.REPORT:
            yield self.holdings() if order.slice != SLICE else self.agent_holdings()
        else:
            self.held[order.application] = Held(order.generation, order.version, State.RUNNING)
            yield self.agent_holdings()
            for state in (*_WALK, State.RUNNING):
                yield self.state(DEPLOYMENT_AGENT, order.application, state, order)
            yield self.status()

    def holdings(self) -> Event:
        """What its container manager holds."""
        pairs = {"hostname": self.host, **sliver_pairs(self.slivers), **gone_pairs(self.gone)}
        return self._said(CONTAINER_MGR, facts_channel(self.host), HOLDINGS, pairs)

    def agent_holdings(self) -> Event:
        """What its agent holds."""
        pairs = {"hostname": self.host, "slice": SLICE, **application_pairs(self.held)}
        return self._said(DEPLOYMENT_AGENT, self._channel(DEPLOYMENT_AGENT), HOLDINGS, pairs)

    def beat(self) -> Event:
        """Its heartbeat."""
        pairs = {"hostname": self.host, "digest": digest(self.slivers)}
        return self._said(HEARTBEAT, heartbeat_channel(self.host), HEARTBEAT, pairs)

    def state(
        self, component: str, managed: str, state: State, order: Order | None = None, reason: str = ""
    ) -> Event:
        """A change of state."""
        pairs = {
            "hostname": self.host,
            "component": component,
            "managed": managed,
            "slice": SLICE,
            "status": str(state),
        }
        if order is not None:
            pairs |= {"version": order.version, "generation": str(order.generation)}
        if reason:
            pairs["reason"] = reason
        return self._said(component, self._channel(component), DEPLOYMENT_STATUS, pairs)

    def status(self, state: State = State.RUNNING, text: str = "runs") -> Event:
        """The periodic word about its application."""
        held = self.held[APP]
        pairs = {
            "hostname": self.host,
            "slice": SLICE,
            "application": APP,
            "state": str(state),
            "exit-code": "0",
            "text": text,
            "version": held.version,
            "generation": str(held.generation),
        }
        return self._said(DEPLOYMENT_AGENT, self._channel(DEPLOYMENT_AGENT), STATUS, pairs)

    def _channel(self, component: str) -> Channel:
        return status_channel(SLICE, component, self.host)

    def _said(self, component: str, channel: Channel, name: str, pairs: Mapping[str, str]) -> Event:
        sender = Sender("bench", f"{self.host}/{component}", "b1")
        return replace(sender.event(channel, name, now=0.0, id_="0" * 32, pairs=pairs), seq=next(self.seq))


class Rig:
    """Wanted, seen and nodes; ``now`` is moved by whoever measures.

    Args:
        nodes: how many; nine of ten are in the slice.
    """

    def __init__(self, nodes: int) -> None:
        self.now = 1_000.0
        hosts = [Host(f"n{number:06}.site{number % SITES}.example.org") for number in range(nodes)]
        self.nodes = {host: BenchNode(host) for host in hosts}
        self.wanted = Wanted({SLICE: wanted_slice(nodes * 9 // 10)})
        self.begin()

    def begin(self) -> None:
        """A planner's memory, empty."""
        self.fleet, self.sent = Fleet(), SentOrders()

    def join(self) -> None:
        """All nodes join, beat, and say what they hold."""
        for node in self.nodes.values():
            self.fleet.join(node.host, now=self.now, period=PERIOD_S)
            self.fleet.judge(node.host, NodeState.ALIVE)
            self.fleet.fold(node.holdings(), now=self.now)
            self.fleet.heard(node.host, digest(node.slivers), now=self.now)

    @property
    def slice(self) -> WantedSlice:
        """The one slice."""
        return self.wanted.slices[SLICE]

    def change(self, slice_: WantedSlice) -> None:
        """People have changed it."""
        self.wanted = Wanted({slice_.name: slice_})

    def round(self, *, full: bool = False) -> Round:
        """One round over what is dirty, and its changes in memory."""
        dirty = self.fleet.take_dirty()
        only = None if full else dirty
        round_ = reconcile(self.wanted, self.fleet, sent=self.sent, now=self.now, only=only)
        for change in round_.changes:
            self.change(change.applied(self.slice))
        return round_

    def obeyed(self, orders: Iterable[Order]) -> list[Message]:
        """What the nodes say when they have carried out these orders, as it comes from the broker."""
        return [message(event) for order in orders for event in self.nodes[order.host].obey(order)]

    def fold(self, messages: Iterable[Message]) -> int:
        """What the planner's service does with each report before it acknowledges it; how many."""
        folded = 0
        for one in messages:
            event = read(one, _OURS)
            if isinstance(event, Refused):
                raise SystemExit(f"refused: {event.reason}")
            if is_request(event.channel):
                raise SystemExit("a report is taken for a request")
            if ignored := self.fleet.fold(event, now=self.now):
                raise SystemExit(f"ignored: {ignored}")
            folded += 1
        return folded

    def hear(self, messages: Iterable[Message]) -> None:
        """The same for heartbeats."""
        for one in messages:
            event = read(one, _UNDER_HEARTBEATS)
            if isinstance(event, Refused):
                raise SystemExit(f"refused: {event.reason}")
            of = Host(event.channel[len(_UNDER_HEARTBEATS) :].partition("/")[0])
            self.fleet.heard(of, event.pairs["digest"], now=self.now, boot_id=event.boot_id)

    def settle(self) -> list[Order]:
        """Rounds until nothing is missing any more; what they ordered."""
        orders: list[Order] = []
        for _ in range(20):
            self.now += 0.1
            round_ = self.round()
            orders += round_.orders
            self.fold(self.obeyed(round_.orders))
            if not (round_.changes or round_.orders):
                return orders
        raise SystemExit(f"it does not settle: {len(orders)} orders")


def message(event: Event, exchange: str = PSEPR) -> Message:
    """As it comes from the broker."""
    exchange = NODES if event.field == HEARTBEAT else exchange
    return Message(wire.encode(event), MSGPACK, exchange, event.key, "node")


def wanted_slice(count: int) -> WantedSlice:
    """A limit over what has not failed."""
    plans = {
        "good": Plan(PlanName("good"), "minus", {"left": "all_nodes", "right": "failed"}),
        "most": Plan(PlanName("most"), "limit", {"parent": "good", "count": str(count)}),
    }
    pinger = WantedApplication(name=APP, wrapper="dsmtw_pinger", version="1.8-1", packages=(_PACKAGE,))
    return WantedSlice(
        name=SLICE,
        managed=True,
        generation=0,
        plan=PlanName("most"),
        plans={PlanName(name): plan for name, plan in plans.items()},
        applications={APP: pinger},
    )
