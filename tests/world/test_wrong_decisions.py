"""Planners, nodes and agents made wrong on purpose: some world of the first hundreds notices each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents.container_manager.decide import Node
from agents.container_manager.decide import Verdict as NodeVerdict
from agents.deployment_agent.decide import Deployments, Verdict
from dsmt_core.commands import Order, Verb
from dsmt_core.names import Host, PlanName
from planner import leaving, placement
from planner.disruption import Disruption
from planner.failed_nodes import FailedNodes
from planner.steps import Round
from tests.world import planner_part
from tests.world.layout import APP
from tests.world.simulation import Simulation
from tests.world.test_laws import rested
from tests.world.truth import Broken
from tests.world.world import SLICE, run


def broken(seeds: range = range(200)) -> str:
    """What the first world says that breaks a law."""
    for seed in seeds:
        try:
            run(seed)
        except Broken as error:
            return str(error)
    return ""


def test_a_planner_that_does_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner_part, "reconcile", lambda *_, **__: Round())
    assert "not as wanted" in broken()


def test_a_planner_that_begins_two_beyond_the_limit_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (leaving, placement):
        monkeypatch.setattr(module, "SURGE", 2)
    assert "the limit is" in broken(range(100, 400))


def test_a_planner_that_does_not_believe_people_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FailedNodes, "_believe_people", lambda *_: None)
    assert "though people distrust it" in broken()


def test_a_planner_that_keeps_no_budget_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Disruption, "least", property(lambda _: 0))
    assert "0 may be" in broken()


def test_a_placement_that_does_not_wait_for_what_ends_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(
        _self: object, candidates: frozenset[Host], _kept: frozenset[Host], _bound: int | None
    ) -> frozenset[Host]:
        return candidates

    world = rested()
    monkeypatch.setattr(placement._Round, "_joining", at_once)
    monkeypatch.setattr(Simulation, "work_s", lambda *_, slow=False: 3.0 if slow else 0.01)
    elsewhere = [host for host in world.layout.hosts if host not in world.slice.hosts]
    there = replace(world.slice.plans[PlanName("few")], parameters={"list": ",".join(elsewhere)})
    plans = {**world.slice.plans, there.name: there}
    world.planner.change(replace(world.slice, plan=PlanName("south"), plans=plans))
    with pytest.raises(Broken, match="instances on living nodes"):
        world.simulation.run(world.simulation.now + 20, world.check)


def test_a_node_that_obeys_older_orders_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def obey(node: Node, order: Order, _now: float) -> NodeVerdict:
        known = node.slivers.get(order.slice)
        if known is not None and order.verb is not Verb.REPORT:
            known.generation, known.wanted, known.kept = order.generation, order.verb is Verb.CREATE, False
            return NodeVerdict.ACCEPTED
        return take(node, order, _now)

    take = Node.order
    monkeypatch.setattr(Node, "order", obey)
    world = rested()
    host = min(world.slice.hosts)
    old = Order(verb=Verb.DELETE, host=host, slice=SLICE, generation=0)
    with pytest.raises(Broken, match="of generation 0 was obeyed after 1"):
        world.nodes[host].queue(old, to_agent=False)


def test_an_agent_that_obeys_older_orders_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def obey(agent: Deployments, order: Order, now: float) -> Verdict:
        if order.application not in agent:
            return take(agent, order, now)
        agent[order.application].accept(order, now)
        return Verdict.ACCEPTED

    take = Deployments.accept
    monkeypatch.setattr(Deployments, "accept", obey)
    world = rested()
    host = min(world.slice.hosts)
    old = Order(verb=Verb.STOP, host=host, slice=SLICE, generation=0, application=APP)
    with pytest.raises(Broken, match="of generation 0 was obeyed after 1"):
        world.nodes[host].queue(old, to_agent=True)
