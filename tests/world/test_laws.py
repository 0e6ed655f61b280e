"""Each law of the world notices when it is broken: by a state that may not be, or by a wrong decision."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents.container_manager.decide import Node
from agents.container_manager.decide import Verdict as NodeVerdict
from agents.deployment_agent.decide import Deployments, Verdict
from dsmt_core.commands import Order, Verb
from dsmt_core.names import Host, PlanName, Slice
from planner import placement
from planner.budget import budget
from planner.fleet import NodeState
from planner.restraint import Restraint
from planner.steps import Round, SliceChange
from planner.wanted import Run, WantedSlice
from tests.world import laws, planner_part
from tests.world.layout import APP, Layout, small
from tests.world.simulation import Simulation
from tests.world.truth import Broken, Process, Truth
from tests.world.world import SLICE, World, run

LARGE = Layout(hosts=tuple(Host(f"n{number}.s0.org") for number in range(30)), slices=(SLICE,))


def rested(layout: Layout | None = None, number: int = 3) -> World:
    """A world without misfortune in which all is as wanted."""
    world = World(1, layout or small())
    world.simulation.faulty = False
    world.simulation.run(world.simulation.now + 5, world.check)
    world.planner.change(replace(world.slice, plan_parameters={"count": str(number)}))
    world.simulation.run(world.simulation.now + 15, world.check)
    assert not world.differs()
    return world


def check(world: World, changed: WantedSlice, stops: laws.Stops | None = None) -> None:
    planner = world.planner
    change = SliceChange(
        slice=changed.name,
        generation=changed.generation,
        hosts=changed.hosts,
        retired=changed.retired,
        placements=changed.placements,
    )
    laws.check_commit(planner.store, planner.fleet, change, stops or laws.Stops(), now=planner.now)


def without(slice_: WantedSlice, number: int) -> WantedSlice:
    """The slice without the first so many of its hosts."""
    gone = sorted(slice_.hosts)[:number]
    hosts = {host: told for host, told in slice_.hosts.items() if host not in gone}
    return replace(slice_, hosts=hosts, generation=slice_.generation + 1)


def test_a_second_instance_and_a_stop_without_reason() -> None:
    truth = Truth(Simulation(1))
    place = (Host("n0"), SLICE, APP)
    truth.start(place, "1.0-1")
    with pytest.raises(Broken, match="a second pinger"):
        truth.start(place, "1.0-1")
    with pytest.raises(Broken, match="without a reason"):
        truth.stop(place, why="")


def test_an_instance_too_many() -> None:
    world = rested()
    for host in world.nodes:
        world.truth.processes[host, SLICE, APP] = Process("1.0-1")
    with pytest.raises(Broken, match="5 instances on living nodes, the limit is 3"):
        world.check()


def test_one_instance_more_than_the_limit_is_legal_only_while_something_moves() -> None:
    world = rested()
    spare = min(world.nodes.keys() - world.slice.hosts.keys())
    world.truth.processes[spare, SLICE, APP] = Process("1.0-1")
    with pytest.raises(Broken, match="4 instances"):
        world.check()
    counted = {*world.slice.hosts, spare}
    laws.Limit(SLICE, 3, moves=True).check(world.planner.store, world.planner.fleet, counted)


def test_a_generation_that_goes_back() -> None:
    world = rested()
    with pytest.raises(Broken, match="went back to 0"):
        check(world, replace(world.slice, generation=0))


def test_a_stop_where_nothing_gave_a_reason() -> None:
    world = rested()
    with pytest.raises(Broken, match="nobody asked"):
        check(world, without(world.slice, 1), laws.Stops(frozenset()))


def test_a_stop_for_a_fact_that_spoke_against_another_one() -> None:
    world = rested()
    first, second, _ = sorted(world.slice.hosts)
    check(world, without(world.slice, 1), laws.Stops({first}))
    with pytest.raises(Broken, match="nobody asked"):
        check(world, without(world.slice, 1), laws.Stops({second}))


def test_people_agree_to_the_hosts_that_they_are_shown() -> None:
    world = rested()
    first, second, third = sorted(world.slice.hosts)
    for agreed in ({first, second}, {first, second, third}):
        world.planner.store.keep(replace(world.slice, restraint=Restraint(agreed=frozenset(agreed))))
        check(world, without(world.slice, 2), laws.Stops(frozenset()))
        world.planner.store.asked.clear()
    world.planner.store.keep(replace(world.slice, restraint=Restraint(agreed=frozenset({third}))))
    with pytest.raises(Broken, match="nobody asked"):
        check(world, without(world.slice, 1), laws.Stops(frozenset()))


def test_more_than_a_tenth_stopped_at_once() -> None:
    world = rested(LARGE, 20)
    check(world, without(world.slice, 2))
    with pytest.raises(Broken, match="at most 2 may at once"):
        check(world, without(world.slice, 3))


def test_a_stop_too_soon_after_the_last_one() -> None:
    world = rested(LARGE, 20)
    stops = laws.Stops()
    check(world, without(world.slice, 1), stops)
    world.simulation.now += 29
    with pytest.raises(Broken, match=r"29\.0 s after others"):
        check(world, without(world.slice, 1), stops)
    world.simulation.now += 2
    check(world, without(world.slice, 1), stops)


def test_a_stop_below_the_disruption_budget() -> None:
    world = rested(LARGE, 20)
    keeping = replace(world.slice, budget=budget("keep 19"))
    world.planner.store.keep(keeping)
    check(world, without(keeping, 1))
    with pytest.raises(Broken, match="the budget allows 1"):
        check(world, without(keeping, 2))


def test_what_ran_beside_something_that_moved_may_end_besides_within_the_budget() -> None:
    world = rested(LARGE, 20)
    beyond = replace(world.slice, plan_parameters={"count": "19"}, budget=budget("keep 17"))
    world.planner.store.keep(beyond)
    world.planner.store.asked.clear()
    # A second one soon after the first, for nothing is lost by it.
    stops = laws.Stops(frozenset())
    check(world, without(beyond, 1), stops)
    check(world, without(beyond, 1), stops)
    check(world, without(beyond, 3))
    with pytest.raises(Broken, match="at most 2 may at once, and 1 besides"):
        check(world, without(beyond, 4))
    with pytest.raises(Broken, match="nobody asked"):
        check(world, without(beyond, 2), laws.Stops(frozenset()))
    # One has failed: what is left is what people want.
    world.planner.fleet.judge(max(beyond.hosts), NodeState.FAILED)
    with pytest.raises(Broken, match="nobody asked"):
        check(world, without(beyond, 1), laws.Stops(frozenset()))


def test_the_budget_holds_for_what_ran_beside_something_that_moved() -> None:
    world = rested(LARGE, 20)
    beyond = replace(world.slice, plan_parameters={"count": "19"}, budget=budget("keep 19"))
    world.planner.store.keep(beyond)
    world.planner.store.asked.clear()
    check(world, without(beyond, 1))
    with pytest.raises(Broken, match="the budget allows 1"):
        check(world, without(beyond, 2))


def test_what_people_asked_for_and_what_failed_may_leave_however_many() -> None:
    world = rested(LARGE, 20)
    for host in sorted(world.slice.hosts)[:9]:
        world.planner.fleet.judge(host, NodeState.FAILED)
    check(world, without(world.slice, 9), laws.Stops(frozenset()))
    world.planner.store.asked.add(SLICE)
    check(world, without(world.slice, 15), laws.Stops(frozenset()))


def test_what_people_turned_is_turned_back() -> None:
    world = rested()
    one, *others = world.slice.placements
    stopped = replace(world.slice, placements=(replace(one, run=Run.STOPPED), *others))
    world.planner.store.keep(stopped)
    with pytest.raises(Broken, match="what people wanted is lost"):
        check(world, replace(stopped, placements=(one, *others)))
    restarted = replace(stopped, placements=(replace(one, restarts=2), *others))
    world.planner.store.keep(restarted)
    with pytest.raises(Broken, match="what people wanted is lost"):
        check(world, replace(restarted, placements=(replace(one, restarts=1), *others)))


def test_what_people_were_answered_is_not_stored() -> None:
    world = rested()
    world.planner.store.keep(replace(world.slice, plan_parameters={"count": "1"}))
    with pytest.raises(Broken, match="what people wanted of xyz1 is lost"):
        world.check()


def test_something_that_begins_after_all_was_as_wanted() -> None:
    world = rested()
    spare = min(world.nodes.keys() - world.slice.hosts.keys())
    world.simulation.after(1.0, lambda: world.truth.start((spare, Slice("other"), APP), "1.0-1"))
    world._limits[Slice("other")] = world._limits[SLICE]
    with pytest.raises(Broken, match="something was started"):
        world._stay()


# -- decisions made wrong ---------------------------------------------------------------------------------


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
