"""What a roll-out or an update would change, and the index of what that rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from dsmt_core.configuration import Configuration
from dsmt_core.lifecycle import State
from dsmt_core.names import Application, Host
from dsmt_core.packages import PackageRef
from planner.fleet import NodeState
from planner.foresight import Foresight, Wave, at_once, in_waves
from planner.release import Release
from planner.rollout import policy
from planner.rollout.order import in_order
from planner.wanted import WantedSlice
from tests.unit.planner.toy import APP, PACKAGE, SLICE, Toy, hosts, pinger, wanted_slice

ALL = in_order(SLICE, APP, hosts(6))
NEWER = PackageRef("b" * 64, 10, "dsmtw_pinger-1.9-1.noarch.rpm")
OLD, NEW = Release("1.8-1", (PACKAGE,)), Release("1.9-1", (NEWER,))
OTHER = Application("other")
POLICY = policy(["1", "50%"])


def running() -> Toy:
    """Six nodes on which the older release runs."""
    toy = Toy(6, (wanted_slice("good"),))
    toy.run(20)
    return toy


def foreseen(toy: Toy, release: Release = NEW) -> Foresight:
    return in_waves(toy.slice, toy.fleet, APP, release, POLICY)


def having(toy: Toy, *those: Host) -> WantedSlice:
    """The slice whose hosts of these names have the newer release."""
    placed = tuple(
        one.at(NEW.name) if one.host in those and one.application == APP else one
        for one in toy.slice.placements
    )
    return replace(toy.slice, placements=placed)


def waves(*told: Sequence[Host], upto: Sequence[int] = (1, 3, 6)) -> tuple[Wave, ...]:
    each = enumerate(zip(upto, told, strict=True), 1)
    return tuple(Wave(number, most, list(those)) for number, (most, those) in each)


def test_hosts_get_it_in_the_order_of_a_roll_out() -> None:
    found = foreseen(running())
    assert (found.application, found.before, found.after) == (APP, OLD, NEW)
    assert found.changes == ("version 1.8-1 becomes 1.9-1",)
    assert found.waves == waves(ALL[:1], ALL[1:3], ALL[3:])
    assert not found.is_nothing


def test_what_does_not_run_comes_last() -> None:
    toy = running()
    held = toy.nodes[ALL[0]].applications[SLICE]
    held[APP] = replace(held[APP], state=State.TERMINATED)
    toy.fleet.fold(toy.nodes[ALL[0]].agent_holdings(SLICE), now=toy.now)
    assert foreseen(toy).waves == waves(ALL[1:2], ALL[2:4], [*ALL[4:], ALL[0]])


def test_hosts_on_failed_nodes_are_in_no_wave() -> None:
    toy = running()
    toy.fleet.judge(ALL[1], NodeState.FAILED)
    left = [ALL[0], *ALL[2:]]
    assert foreseen(toy).waves == waves(left[:1], left[1:3], left[3:], upto=(1, 3, 5))


def test_who_has_it_already_counts_for_its_wave_and_gets_nothing() -> None:
    toy = running()
    toy.change(having(toy, *ALL[1:3]))
    assert foreseen(toy).waves == waves([], ALL[:1], ALL[3:])
    toy.change(having(toy, *ALL[3:]))
    assert foreseen(toy).waves == waves([], [], ALL[:1])
    toy.change(having(toy, *ALL))
    assert foreseen(toy).waves == waves([], [], [])


def test_it_is_nothing_when_neither_the_slice_nor_any_host_would_change() -> None:
    toy = running()
    assert foreseen(toy, OLD).is_nothing
    toy.change(having(toy, ALL[0]))
    assert foreseen(toy, OLD).waves == waves([], [], ALL[:1])
    assert not foreseen(toy, OLD).is_nothing
    toy.change(having(toy, *ALL))
    assert not foreseen(toy).is_nothing


def test_an_update_is_one_wave_of_those_that_have_something_else() -> None:
    toy = Toy(6, (wanted_slice("good", apps={APP: pinger(), OTHER: replace(pinger(), name=OTHER)}),))
    toy.run(20)
    before = having(toy, ALL[4])
    updated = having(toy, *ALL)
    updated = replace(
        updated,
        applications={**updated.applications, APP: pinger().at(NEW)},
        placements=tuple(
            one if one.application == APP else replace(one, version="0.1-1") for one in updated.placements
        ),
    )
    found = at_once(before, updated, APP)
    assert (found.before, found.after, found.changes) == (OLD, NEW, ("version 1.8-1 becomes 1.9-1",))
    assert found.waves == (Wave(1, 6, sorted({*ALL} - {ALL[4]})),)


def test_the_index_is_the_same_for_the_same() -> None:
    assert foreseen(running()).index == foreseen(running()).index
    assert len(foreseen(running()).index) == 16


@pytest.mark.parametrize(
    "release",
    [
        Release("1.9-2", (NEWER,)),
        Release("1.9-1", (replace(NEWER, digest="c" * 64),)),
        replace(NEW, configuration=Configuration.of({"greeting": "hi"})),
    ],
)
def test_the_index_tells_releases_apart(release: Release) -> None:
    toy = running()
    assert foreseen(toy, release).index != foreseen(toy).index


def test_the_index_changes_with_the_slice_with_the_hosts_and_with_the_waves() -> None:
    toy = running()
    index = foreseen(toy).index
    assert in_waves(toy.slice, toy.fleet, APP, NEW, policy(["2", "50%"])).index != index
    more = replace(toy.slice, generation=toy.slice.generation + 1)
    assert in_waves(more, toy.fleet, APP, NEW, POLICY).index != index
    assert in_waves(having(toy, ALL[0]), toy.fleet, APP, NEW, POLICY).index != index
    toy.fleet.judge(ALL[5], NodeState.FAILED)
    assert foreseen(toy).index != index
