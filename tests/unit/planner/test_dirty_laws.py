"""A round over what is dirty answers what a round over everything would, whatever happened before."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dsmt_core.commands import FOR_APPLICATIONS, Order, Verb
from dsmt_core.lifecycle import State
from dsmt_core.names import PlanName, Site, Slice
from dsmt_core.nodes import Held
from planner.fleet import NodeState
from planner.quota import Quota, SiteQuota
from planner.reconcile import HeldBack, SentOrders, reconcile
from planner.standing import Drain, Exclusion, Mark, Standing
from planner.steps import Round
from planner.turns import turn
from planner.wanted import WantedSlice
from tests.unit.planner.toy import APP, LIMITED, SLICE, Toy, ToyNode, hosts, plan, plans, wanted_slice

OTHER = Slice("other")
NODES = 7
# Enough to catch what was put in on purpose; `make soak` tries many more.
EXAMPLES = int(os.environ.get("DSMT_EXAMPLES", "24"))
SECONDS = re.compile(r"\d+ s\b")
PLANS = LIMITED | plans(
    plan("well", "status", application=APP, **{"is": "running"}),
    plan("spread", "site", parent="good", max_per_site="1"),
    plan("like_well", "union", left="well", right="spread"),
)


class History:
    """A planner that looks at what is dirty only; each of its rounds is tried over everything, too."""

    def __init__(self, seed: int) -> None:
        self.luck = Random(seed)  # noqa: S311 - the same seed has to be the same history
        slices = (
            replace(wanted_slice(), plans=PLANS),
            replace(wanted_slice("good"), name=OTHER, plans=PLANS),
        )
        self.toy = Toy(NODES, slices)
        self.told = HeldBack()
        self.pending: list[Order] = []
        self.round()

    def round(self) -> Round:
        toy = self.toy
        # What is never changed in place need not be copied.
        values = {id(value): value for value in (toy.sent._bars, *toy.wanted.slices.values())}
        fleet, sent = deepcopy((toy.fleet, toy.sent), values)
        full = reconcile(toy.wanted, fleet, sent=sent, now=toy.now)
        part = reconcile(toy.wanted, toy.fleet, sent=toy.sent, now=toy.now, only=toy.fleet.take_dirty())
        assert part.changes == full.changes
        assert part.orders == full.orders
        assert (part.agent_queues, part.gone_queues) == (full.agent_queues, full.gone_queues)
        assert part.again_at == full.again_at
        self.told.take(part)
        self.check_waiting(full)
        for change in part.changes:
            toy.change(change.applied(toy.wanted.slices[change.slice]))
        self.pending += part.orders
        return part

    def check_waiting(self, full: Round) -> None:
        whole = HeldBack()
        whole.take(full)
        for name in (SLICE, OTHER):
            ours, theirs = (
                [replace(one, reason=SECONDS.sub("", one.reason)) for one in some.of(name)]
                for some in (self.told, whole)
            )
            assert ours == theirs

    # -- what happens -----------------------------------------------------------------------------------

    def any_node(self) -> ToyNode:
        return self.luck.choice(list(self.toy.nodes.values()))

    def deliver(self) -> None:
        orders, self.pending = self.pending, []
        for order in orders:
            node = self.toy.nodes.get(order.host)
            heard = node is not None and (
                order.verb not in FOR_APPLICATIONS or order.slice in node.applications
            )
            if heard and self.luck.random() < 0.8:
                self.toy.deliver((order,))

    def wait(self) -> None:
        self.toy.now += self.luck.choice([0.1, 0.1, 1.0, 2.5, 6.0, 31.0])
        for node in self.toy.nodes.values():
            if not node.mute:
                self.toy.beat(node)

    def judge(self) -> None:
        node = self.any_node()
        state = self.luck.choice(list(NodeState))
        node.deaf = node.mute = state is NodeState.FAILED
        self.toy.fleet.judge(node.host, state)

    def report(self) -> None:
        node = self.any_node()
        asks = self.luck.random() < 0.3
        self.toy.fleet.fold(node.holdings(asks=asks), now=self.toy.now)

    def report_of_agent(self) -> None:
        node = self.any_node()
        name = self.luck.choice([SLICE, OTHER])
        if name in node.slivers:
            asks = self.luck.random() < 0.3
            self.toy.fleet.fold(node.agent_holdings(name, asks=asks), now=self.toy.now)

    def another_state(self) -> None:
        node, name = self.any_node(), self.luck.choice([SLICE, OTHER])
        for application, held in list(node.applications.get(name, {}).items()):
            state = self.luck.choice([State.RUNNING, State.FAILED, State.TERMINATED])
            node.applications[name][application] = replace(held, state=state)
            self.toy.fleet.fold(node.agent_holdings(name), now=self.toy.now)

    def of_the_future(self) -> None:
        """A node follows a generation that the planner has not given, as after a restored database."""
        node, name = self.any_node(), self.luck.choice([SLICE, OTHER, Slice("stray")])
        node.slivers[name] = node.slivers.get(name, 0) + self.luck.choice([1, 20])
        node.applications.setdefault(name, {})
        if self.luck.random() < 0.3:
            node.applications[name][APP] = Held(node.slivers[name] + 1, "1.8-1", State.RUNNING)
            self.toy.fleet.fold(node.agent_holdings(name), now=self.toy.now)
        self.toy.fleet.fold(node.holdings(), now=self.toy.now)

    def lose_a_sliver(self) -> None:
        node = self.any_node()
        node.slivers.pop(self.luck.choice([SLICE, OTHER]), None)
        self.toy.fleet.fold(node.holdings(), now=self.toy.now)

    def people(self) -> None:
        name = self.luck.choice([SLICE, OTHER])
        slice_ = self.toy.wanted.slices[name]
        deed = self.luck.choice(["plan", "count", "verb", "managed"])
        if deed == "plan":
            slice_ = replace(
                slice_,
                plan=PlanName(self.luck.choice(["only3", "good", "spread", "like_well"])),
                plan_parameters={},
            )
        elif deed == "count" and slice_.plan == "only3":
            slice_ = replace(slice_, plan_parameters={"count": str(self.luck.randint(0, NODES))})
        elif deed == "verb":
            slice_ = turn(slice_, APP, self.luck.choice([Verb.STOP, Verb.START, Verb.RESTART]))
        else:
            slice_ = replace(slice_, managed=not slice_.managed)
        self.change(slice_)

    def change(self, slice_: WantedSlice) -> None:
        self.toy.change(slice_)
        # As the service notes it for the next round.
        self.toy.fleet._dirty.slices.add(slice_.name)

    def come_and_go(self) -> None:
        toy = self.toy
        gone = [host for host in hosts(NODES) if host not in toy.nodes]
        if gone:
            toy.join(ToyNode(gone[0]))
        elif self.luck.random() < 0.3:
            host = self.any_node().host
            toy.fleet.forget(host)
            del toy.nodes[host]

    def stand(self) -> None:
        """People have something to say about a node; the rounds notice by themselves."""
        toy, now = self.toy, self.toy.now
        standing = self.luck.choice(
            [
                Standing(),
                Standing(cordoned=Mark(by="ann", since=now)),
                Standing(excluded=Exclusion(by="ann", since=now, at_once=self.luck.random() < 0.5)),
                Standing(drain=Drain(by="ann", since=now, deadline=now + 20, force=True)),
            ]
        )
        toy.wanted = replace(toy.wanted, standings={**toy.wanted.standings, self.any_node().host: standing})

    def quota(self) -> None:
        """What the slices, or their site, may use; the service has all of them looked at then."""
        toy, luck = self.toy, self.luck
        quota = Quota(nodes=luck.choice([0, 2, 5]), slivers=luck.choice([0, 0, 4, 9]))
        if luck.random() < 0.5:
            self.change(replace(toy.wanted.slices[luck.choice([SLICE, OTHER])], quota=quota))
            return
        site = SiteQuota(together=quota)
        toy.wanted = replace(toy.wanted, sites={Site(""): site})
        for slice_ in toy.wanted.slices.values():
            self.change(slice_)

    def label(self) -> None:
        self.toy.fleet.label(self.any_node().host, {"site": self.luck.choice(["a", "b", "c"])})

    def forget_what_was_sent(self) -> None:
        """The planner starts again, and has kept what was seen."""
        self.toy.sent, self.told = SentOrders(), HeldBack()
        self.toy.fleet._dirty.everything = True

    def run(self, steps: int) -> None:
        often: list[Callable[[], Any]] = [self.deliver, self.wait, self.another_state, self.report]
        seldom: list[Callable[[], Any]] = [
            self.judge,
            self.report_of_agent,
            self.of_the_future,
            self.lose_a_sliver,
            self.people,
            self.come_and_go,
            self.label,
            self.stand,
            self.quota,
            self.forget_what_was_sent,
        ]
        for _ in range(steps):
            for _ in range(self.luck.randint(0, 3)):
                self.luck.choice(often if self.luck.random() < 0.7 else seldom)()
            self.round()


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.integers(0, 1 << 30))
def test_a_round_over_what_is_dirty_is_a_round_over_everything(seed: int) -> None:
    History(seed).run(40)


def test_most_rounds_look_at_few_hosts_only() -> None:
    history = History(1)
    partly = 0
    for _ in range(40):
        history.another_state()
        history.deliver()
        round_ = history.round()
        partly += round_.looked_at == round_.partly.keys()
    assert partly > 25
