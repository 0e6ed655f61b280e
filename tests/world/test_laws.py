"""Each law of the world notices when it is broken: by a state that may not be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.names import Host, PlanName, Slice
from planner.budget import budget
from planner.fleet import NodeState
from planner.restraint import Restraint
from planner.steps import SliceChange
from planner.wanted import Run, WantedSlice
from tests.world import laws
from tests.world.layout import APP, Layout, small
from tests.world.simulation import Simulation
from tests.world.truth import Broken, Process, Truth
from tests.world.world import SLICE, World

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
        restraint=changed.restraint,
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
    # People have asked for something else meanwhile, and it was carried out.
    other = replace(world.slice, restraint=Restraint(carried="other"))
    world.planner.store.asked.add(SLICE)
    check(world, other, stops)
    world.planner.store.asked.clear()
    check(world, without(world.slice, 1), stops)
    check(world, other, stops)
    with pytest.raises(Broken, match=r"0\.0 s after others"):
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


def with_hosts(slice_: WantedSlice, *hosts: Host) -> WantedSlice:
    """The slice with further hosts."""
    more = dict.fromkeys(hosts, slice_.generation + 1)
    return replace(slice_, hosts={**slice_.hosts, **more}, generation=slice_.generation + 1)


def test_what_joins_beyond_the_limit_and_one() -> None:
    world = rested()
    one, two = sorted(world.nodes.keys() - world.slice.hosts.keys())
    check(world, with_hosts(world.slice, one))
    with pytest.raises(Broken, match="5 are living; the limit is 3"):
        check(world, with_hosts(world.slice, one, two))
    world.planner.fleet.judge(min(world.slice.hosts), NodeState.FAILED)
    check(world, with_hosts(world.slice, one, two))


def test_what_joins_on_a_node_that_failed() -> None:
    world = rested()
    one, _ = sorted(world.nodes.keys() - world.slice.hosts.keys())
    world.planner.fleet.judge(one, NodeState.PROBATION)
    with pytest.raises(Broken, match="join, and have failed"):
        check(world, with_hosts(world.slice, one))
    world.planner.store.keep(replace(world.slice, plan=PlanName("south")))
    check(world, with_hosts(world.slice, one))


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
