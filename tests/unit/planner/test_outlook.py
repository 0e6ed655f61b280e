"""The fleet as the plans of a slice see it: who is there, who is trusted, who may not be chosen."""

from __future__ import annotations

from dataclasses import replace

from dsmt_core.lifecycle import State
from dsmt_core.names import Host, Slice
from planner.fleet import NODE, Fits, NodeState
from planner.outlook import world_in_order, world_of, world_of_nobody
from planner.plans import ALIVE, World
from planner.plans.world import DOUBTFUL, FAILED, Doing
from planner.standing import Bars, Drain, Exclusion, Mark, Standing, Window, bars_at
from tests.unit.planner.toy import SLICE, Toy, hosts, wanted_slice

ALL = hosts(5)
N0, N1, N2, N3, N4 = ALL
STRANGER = Host("far.away.org")
EXCLUDED = Standing(excluded=Exclusion(by="ann", since=0.0))
DRAINED = Standing(drain=Drain(by="ann", since=0.0))
CORDONED = Standing(cordoned=Mark(by="ann", since=0.0))
MAINTAINED = Standing(windows=(Window(by="ann", since=0.0, begins=0.0, ends=9.0),))
BARS = bars_at({N0: EXCLUDED, N1: DRAINED, N2: CORDONED, N3: MAINTAINED}, 5.0)


def toy(*members: Host) -> Toy:
    return Toy(5, (replace(wanted_slice(), hosts=dict.fromkeys(members, 1)),))


def trust(world: World) -> dict[Host, int]:
    return dict(zip(world.ground.hosts, world.trust.tolist(), strict=True))


def barred(world: World) -> dict[Host, str]:
    """Who may not be chosen, and why."""
    if world.barred is None:
        return {}
    return {host: world.barred.why(host) for host in world.ground.those(world.barred.mask)}


def test_a_node_is_trusted_as_it_is_judged() -> None:
    one = toy()
    one.fleet.judge(N0, NodeState.SUSPECT)
    one.fleet.judge(N1, NodeState.FAILED)
    one.fleet.judge(N2, NodeState.PROBATION)
    expected = {N0: DOUBTFUL, N1: FAILED, N2: FAILED, N3: ALIVE, N4: ALIVE}
    assert trust(world_of(one.slice, one.fleet)) == expected
    assert trust(world_of_nobody(one.fleet)) == expected
    assert trust(world_in_order(one.slice, one.fleet)) == dict.fromkeys(ALL, ALIVE)


def test_a_member_that_is_not_known_is_there_and_doubtful() -> None:
    one = toy(N0, STRANGER)
    world = world_of(one.slice, one.fleet)
    assert trust(world) == {**dict.fromkeys(ALL, ALIVE), STRANGER: DOUBTFUL}
    assert world.ground.those(world.members) == [STRANGER, N0]
    assert trust(world_of_nobody(one.fleet, {STRANGER})) == trust(world)


def test_a_member_that_a_person_had_forgotten_is_not_there() -> None:
    one = toy(N0, N1)
    one.fleet.forget(N0)
    world = world_of(one.slice, one.fleet)
    assert [*world.ground.hosts] == sorted(ALL[1:])
    assert world.ground.those(world.members) == [N1]


def test_misfits_have_failed_for_their_slice_alone() -> None:
    one = toy(N0)
    one.fleet.fit({SLICE: Fits(out={N0: "no disk"}), Slice("other"): Fits(out={N1: "no disk"})})
    world = world_of(one.slice, one.fleet)
    assert trust(world) == {**dict.fromkeys(ALL, ALIVE), N0: FAILED}
    assert world.misfits == {N0: "no disk"}
    nobody = world_of_nobody(one.fleet, misfits={N4})
    assert trust(nobody) == {**dict.fromkeys(ALL, ALIVE), N4: FAILED}
    assert (nobody.slice, nobody.ground.those(nobody.members), nobody.misfits) == (NODE, [], {})


def test_plans_see_what_applications_of_the_slice_do() -> None:
    one = toy()
    one.run()
    world = world_of(one.slice, one.fleet)
    assert world.slice == SLICE
    assert {*world.states(Doing(state=State.RUNNING))} == one.running()
    assert {*world.states(Doing(state=State.FAILED))} == set()


def seen(bars: Bars, *members: Host) -> World:
    one = toy(*members)
    return world_of(one.slice, one.fleet, bars)


def test_who_is_out_of_service_may_not_be_chosen_and_it_is_said_why() -> None:
    why = {host: bar.sentence for host, bar in BARS.items()}
    assert barred(seen(BARS)) == why
    # Under a cordon members stay; otherwise it is the same to be one.
    assert barred(seen(BARS, *ALL)) == {host: why[host] for host in (N0, N1, N3)}
    assert seen({N2: BARS[N2]}, N2).barred is None
    assert seen({}).barred is None


def test_for_good_only_those_are_out_of_service_that_are_excluded() -> None:
    one = toy()
    world = world_in_order(one.slice, one.fleet, BARS)
    assert barred(world) == {N0: BARS[N0].sentence}
    assert barred(world_in_order(one.slice, one.fleet)) == {}
    assert (world.slice, len(world.trust)) == (SLICE, 5)
