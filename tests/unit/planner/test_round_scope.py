"""Which slices a round looks at, whole or in part, and where the last rounds left them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.names import Host, PlanName, Slice
from planner.fleet import Dirty
from planner.placement import Placed
from planner.reconcile.asked import asked_of
from planner.reconcile.footing import Footing
from planner.reconcile.scope import everything, followed, scope_of
from planner.restraint import Restraint
from planner.steps import Waiting
from tests.unit.planner.toy import APP, LIMITED, SLICE, Toy, hosts, plan, plans, wanted_slice

N0, N1, N2, N3, N4 = hosts(5)
OTHER = Slice("other")
FAR = Host("far.away.org")


def two() -> Toy:
    """Two slices on three of five nodes, all at rest."""
    toy = Toy(5, (wanted_slice(), replace(wanted_slice(), name=OTHER)))
    toy.run(20)
    toy.fleet.take_dirty()
    toy.sent.take_due(toy.now)
    toy.sent.changed = set()
    return toy


def scope(toy: Toy, only: Dirty) -> dict[Slice, set[Host] | None]:
    found = scope_of(toy.wanted, toy.fleet, toy.sent, only, toy.now)
    return {name: None if some is None else set(some) for name, some in found.items()}


# -- the scope --------------------------------------------------------------------------------------------


def test_everything_is_all_slices_whole() -> None:
    assert everything(two().wanted) == {SLICE: None, OTHER: None}


def test_hosts_that_were_heard_are_looked_at_and_slices_that_changed_whole() -> None:
    toy = two()
    assert scope(toy, Dirty()) == {}
    assert scope(toy, Dirty(hosts={SLICE: {N0, N1}})) == {SLICE: {N0, N1}}
    assert scope(toy, Dirty(slices={OTHER}, hosts={SLICE: {N0}})) == {SLICE: {N0}, OTHER: None}
    assert scope(toy, Dirty(slices={SLICE}, hosts={SLICE: {N0}})) == {SLICE: None}
    assert scope(toy, Dirty(slices={Slice("gone")})) == {Slice("gone"): None}


def test_when_plans_may_select_others_all_slices_are_looked_at() -> None:
    toy = two()
    assert scope(toy, Dirty(plans=True)) == {SLICE: set(), OTHER: set()}
    assert scope(toy, Dirty(plans=True, hosts={SLICE: {N0}})) == {SLICE: {N0}, OTHER: set()}


def test_a_node_that_is_heard_concerns_the_slices_that_are_or_were_there() -> None:
    toy = two()
    mine = min(toy.slice.hosts)
    free = next(host for host in hosts(5) if host not in toy.slice.hosts)
    other = toy.wanted.slices[OTHER]
    toy.change(replace(other, hosts={}, retired={free: 3}))
    held = toy.fleet.holders(OTHER)
    expected = {SLICE: {mine}, **({OTHER: {mine}} if mine in held else {})}
    assert scope(toy, Dirty(nodes={mine})) == expected
    assert scope(toy, Dirty(nodes={free})) == {OTHER: {free}}
    both = scope(toy, Dirty(nodes={free}, hosts={OTHER: {N0}}))
    assert both == {OTHER: {free, N0}}
    assert scope(toy, Dirty(nodes={Host("stranger")})) == {}


def test_a_node_that_holds_a_sliver_of_nobodys_concerns_its_slice() -> None:
    toy = two()
    free = next(host for host in hosts(5) if host not in toy.slice.hosts)
    toy.nodes[free].slivers = {SLICE: 1}
    toy.fleet.fold(toy.nodes[free].holdings(), now=toy.now)
    assert scope(toy, Dirty(nodes={free}))[SLICE] == {free}


def test_what_is_due_is_looked_at_and_what_was_changed_or_paused_whole_once() -> None:
    toy = two()
    toy.sent.revisit(SLICE, N0)
    assert scope(toy, Dirty(hosts={SLICE: {N1}})) == {SLICE: {N0, N1}}
    toy.sent.pause(OTHER, toy.now)
    assert scope(toy, Dirty()) == {OTHER: None}
    toy.sent.calm(OTHER)
    toy.sent.changed = {SLICE}
    assert scope(toy, Dirty()) == {SLICE: None}
    assert scope(toy, Dirty()) == {}


def test_a_slice_that_follows_another_is_looked_at_with_it() -> None:
    toy = two()
    follows = plans(plan("with_db", "status", app=APP, slice=SLICE, **{"is": "running"}))
    third = replace(
        wanted_slice(), name=Slice("third"), plan=PlanName("status"), plan_parameters={"slice": OTHER}
    )
    other = replace(toy.wanted.slices[OTHER], plans={**LIMITED, **follows})
    toy.change(other)
    toy.change(third)
    assert [*map(set, map(followed, (other, third, toy.slice)))] == [{SLICE}, {OTHER}, set()]
    assert scope(toy, Dirty(clear=True)) == {OTHER: set(), third.name: set()}
    assert scope(toy, Dirty(hosts={SLICE: {N0}})) == {SLICE: {N0}, OTHER: set()}
    assert scope(toy, Dirty(slices={SLICE})) == {SLICE: None, OTHER: set()}
    assert scope(toy, Dirty(hosts={OTHER: {N1}})) == {OTHER: {N1}, third.name: set()}
    assert scope(toy, Dirty(slices={OTHER}, hosts={third.name: {N2}})) == {OTHER: None, third.name: {N2}}


# -- the footing ------------------------------------------------------------------------------------------


def test_a_part_of_a_slice_has_to_do_with_these_hosts_only() -> None:
    toy = two()
    first, second, _ = sorted(toy.slice.hosts)
    slice_ = replace(toy.slice, retired={N4: 7, FAR: 8})
    footing = Footing.of(slice_, Placed(frozenset(slice_.hosts)))
    part = footing.part({second, first, FAR, Host("stranger")})
    assert part.hosts == {first: slice_.hosts[first], second: slice_.hosts[second]}
    assert part.retired == {FAR: 8}
    assert [one.host for one in part.placements] == [first, second]
    assert replace(part, hosts=slice_.hosts, retired=slice_.retired, placements=slice_.placements) == slice_


def test_a_footing_holds_for_the_very_slice_and_the_same_placement() -> None:
    slice_ = replace(wanted_slice(), hosts={N0: 1})
    placed = Placed(frozenset({N0}))
    footing = Footing.of(slice_, placed)
    assert footing.holds(slice_, Placed(frozenset({N0})))
    assert not footing.holds(replace(slice_), placed)
    assert not footing.holds(slice_, Placed(frozenset()))


@pytest.mark.parametrize(
    ("placed", "restraint", "rests"),
    [
        (Placed(frozenset({N0})), Restraint(), True),
        (Placed(frozenset({N0})), Restraint(carried="x"), True),
        (Placed(frozenset({N0})), Restraint(carried="x", stopped=1), False),
        (Placed(frozenset({N0, N1})), Restraint(), False),
        (Placed(frozenset({N0}), 0, (Waiting(slice=SLICE, reason="few"),)), Restraint(), False),
    ],
)
def test_a_slice_rests_when_nobody_comes_leaves_waits_or_is_restrained(
    placed: Placed, restraint: Restraint, *, rests: bool
) -> None:
    slice_ = replace(wanted_slice(), hosts={N0: 1}, restraint=restraint)
    assert Footing.of(slice_, placed).rests is rests


# -- what is asked for ------------------------------------------------------------------------------------


def test_what_people_want_has_one_form() -> None:
    slice_ = replace(wanted_slice(), plan_parameters={"count": "2", "a": "b"})
    asked = asked_of(slice_)
    assert len(asked) == 32
    assert asked_of(replace(slice_, plan_parameters={"a": "b", "count": "2"})) == asked
    backwards = dict(reversed(LIMITED.items()))
    assert asked_of(replace(slice_, plans=backwards)) == asked
    for other in (
        replace(slice_, managed=False),
        replace(slice_, plan=PlanName("good"), plan_parameters={}),
        replace(slice_, plan_parameters={"count": "3", "a": "b"}),
        replace(slice_, plans={**LIMITED, **plans(plan("good", "all_nodes"))}),
        replace(slice_, plans={**LIMITED, **plans(plan("only3", "limit", parent="good", count="4"))}),
    ):
        assert asked_of(other) != asked
