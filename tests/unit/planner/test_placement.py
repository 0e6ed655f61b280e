"""Where the slivers of a slice are after one round, who is counted, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from dsmt_core.names import Host, Slice
from planner.disruption import Disruption
from planner.fleet import NodeState
from planner.outlook import world_of
from planner.placement import Placed, asked_for, place, selection_of
from planner.restraint import Licence
from planner.standing import Exclusion, Mark, Standing, bars_at
from planner.steps import Waiting
from planner.wanted import NO_PLAN, WantedSlice
from tests.unit.planner.toy import LIMITED, SLICE, Toy, hosts, plan, plans, wanted_slice

N0, N1, N2, N3, N4, N5 = hosts(6)
OTHER = Slice("other")
PEOPLE = Licence(people=True)


def counted(count: int, those: Iterable[Host] = hosts(6)) -> WantedSlice:
    """A slice that asks for so many of these nodes, those that have not failed first."""
    named = plans(
        plan("those", "nodes", list=",".join(those)),
        plan("well", "minus", left="those", right="failed"),
        plan("some", "limit", parent="well", count=str(count)),
    )
    return replace(wanted_slice("some"), plans={**LIMITED, **named})


def holding(count: int, slice_: WantedSlice, *held: Host) -> Toy:
    """Nodes of which these hold a sliver of the slice, whatever was placed."""
    toy = Toy(count, (slice_,))
    for host in held:
        hold(toy, host)
    return toy


def hold(toy: Toy, host: Host, *names: Slice, gone: Mapping[Slice, int] | None = None) -> None:
    """What the node says it holds, and what it gave up."""
    node = toy.nodes[host]
    node.slivers, node.gone = dict.fromkeys(names or (SLICE,), 1), dict(gone or {})
    say(toy, host)


def say(toy: Toy, host: Host) -> None:
    toy.fleet.fold(toy.nodes[host].holdings(), now=toy.now)
    toy.beat(toy.nodes[host])


def empty(toy: Toy, host: Host, gone: Mapping[Slice, int] | None = None) -> None:
    toy.nodes[host].slivers, toy.nodes[host].gone = {}, dict(gone or {})
    say(toy, host)


def placed(toy: Toy, *, licence: Licence = PEOPLE, gone: Iterable[Host] = ()) -> Placed:
    bars = bars_at(toy.wanted.standings, toy.now)
    disruption = Disruption(toy.slice, toy.fleet, bars)
    return place(disruption, licence=licence, gone=frozenset(gone))


def on(slice_: WantedSlice, *where: Host) -> WantedSlice:
    return replace(slice_, hosts=dict.fromkeys(where, 1))


def waits(*reasons: str) -> tuple[Waiting, ...]:
    return tuple(Waiting(slice=SLICE, reason=reason) for reason in reasons)


ENDED = "to be started when what they replace has ended"


# -- what a plan says -------------------------------------------------------------------------------------


def test_without_a_plan_there_is_nothing_and_nothing_is_said() -> None:
    toy = Toy(3, (on(replace(wanted_slice(), plan=NO_PLAN), N0),))
    assert placed(toy) == Placed(frozenset())
    selection = selection_of(toy.slice, world_of(toy.slice, toy.fleet))
    assert selection.reason(N0) == ("no plan is set", "", "")
    assert (selection.hosts, asked_for(selection)) == ((), 0)


def test_a_plan_that_cannot_be_evaluated_leaves_everything_and_says_why() -> None:
    toy = Toy(3, (on(wanted_slice("nonsense"), N0, N1),))
    why = "the plan nonsense cannot be evaluated: plan nonsense: the base 'nonsense' is not known"
    assert placed(toy) == Placed(frozenset({N0, N1}), 0, waits(why))


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "3 of 3 missing: no node qualifies (no node is known yet)"),
        (1, "2 of 3 missing: only 1 node qualifies"),
        (2, "1 of 3 missing: only 2 nodes qualify"),
    ],
)
def test_what_a_limit_misses_is_counted(number: int, said: str) -> None:
    toy = Toy(number)
    assert placed(toy) == Placed(frozenset(hosts(number)), 0, waits(said))
    assert asked_for(selection_of(toy.slice, world_of(toy.slice, toy.fleet))) == 3


def test_a_plan_without_a_limit_that_selects_nobody_says_so() -> None:
    toy = Toy(2, (wanted_slice("failed"),))
    assert placed(toy).waiting == waits("the plan failed selects no node")
    assert placed(Toy(2, (wanted_slice("all_nodes"),))) == Placed(frozenset({N0, N1}))


def test_why_nodes_are_missing_is_in_brackets() -> None:
    toy = Toy(4)
    toy.fleet.judge(N0, NodeState.FAILED)
    toy.fleet.judge(N1, NodeState.FAILED)
    assert placed(toy).waiting == waits("1 of 3 missing: only 2 nodes qualify (good left out 2)")


# -- who joins --------------------------------------------------------------------------------------------


def test_nodes_of_which_nothing_certain_is_known_join_last() -> None:
    toy = holding(4, counted(3), N3)
    toy.fleet.judge(N0, NodeState.SUSPECT)
    slice_ = on(counted(3), N3)
    toy.change(
        replace(slice_, plans={**slice_.plans, **plans(plan("well", "nodes", list=f"{N0},{N1},{N2}"))})
    )
    # One of the three has to wait for the end of what runs on the fourth.
    assert placed(toy) == Placed(frozenset({N1, N2}), 0, waits(f"1 {ENDED}"))


def test_nothing_joins_beside_what_still_runs() -> None:
    toy = holding(6, on(counted(3, (N3, N4, N5)), N0, N1, N2), N0, N1, N2)
    assert placed(toy) == Placed(frozenset(), 0, waits(f"3 {ENDED}"))
    toy.change(replace(counted(3, (N3, N4, N5)), retired={N0: 2, N1: 2, N2: 2}))
    assert placed(toy) == Placed(frozenset(), 0, waits(f"3 {ENDED} on {N0}, {N1}, {N2}"))
    assert placed(toy, gone=(N0, N1)) == Placed(frozenset({N3, N4}), 0, waits(f"1 {ENDED} on {N2}"))
    assert placed(toy, gone=(N0, N1, N2)) == Placed(frozenset({N3, N4, N5}))


def test_what_a_node_holds_counts_also_where_it_was_never_retired() -> None:
    toy = holding(6, counted(3, (N3, N4, N5)), N0)
    assert placed(toy) == Placed(frozenset({N3, N4}), 0, waits(f"1 {ENDED} on {N0}"))
    empty(toy, N0)
    assert placed(toy) == Placed(frozenset({N3, N4, N5}))


def test_what_was_retired_counts_also_where_the_node_has_not_said_what_it_holds() -> None:
    toy = Toy(6, (replace(counted(3, (N3, N4, N5)), retired={N0: 2}),))
    assert placed(toy).hosts == {N3, N4}


def test_no_more_than_five_that_are_waited_for_are_named() -> None:
    first = hosts(12)[:6]
    toy = holding(12, replace(counted(6, hosts(12)[6:]), retired=dict.fromkeys(first, 1)), *first)
    assert placed(toy).waiting == waits(f"6 {ENDED} on {', '.join(sorted(first)[:5])}")


def test_what_runs_on_a_node_that_failed_is_not_waited_for() -> None:
    toy = holding(6, on(counted(3), N0, N1, N2), N0, N1, N2)
    toy.fleet.judge(N0, NodeState.FAILED)
    after = placed(toy)
    assert len(after.hosts) == 3
    assert after.hosts > {N1, N2}
    assert (after.stopped, after.waiting) == (0, ())


def test_a_node_that_a_person_has_forgotten_is_not_waited_for() -> None:
    toy = Toy(6, (replace(counted(1, (N3,)), retired={N0: 1}),))
    assert placed(toy).hosts == frozenset()
    toy.fleet.forget(N0)
    assert placed(toy) == Placed(frozenset({N3}))


def test_a_host_whose_sliver_is_on_its_way_out_may_have_it_back() -> None:
    toy = holding(6, replace(counted(1, (N0,)), retired={N0: 1}), N0)
    assert placed(toy) == Placed(frozenset({N0}))
    # While others run beside it there would be too many.
    toy.change(replace(counted(1, (N0,)), retired={N0: 1, N1: 1}))
    hold(toy, N1)
    assert placed(toy) == Placed(frozenset(), 0, waits(f"1 {ENDED} on {N0}, {N1}"))
    assert placed(toy, gone=(N1,)) == Placed(frozenset({N0}))


def test_it_may_have_it_back_beside_one_that_begins() -> None:
    toy = holding(6, replace(counted(2, (N0, N3)), retired={N0: 1}), N0)
    assert placed(toy) == Placed(frozenset({N0, N3}))


def test_without_a_limit_everybody_joins_at_once() -> None:
    named = plans(plan("gone", "nodes", list=N0), plan("rest", "minus", left="all_nodes", right="gone"))
    toy = holding(3, on(replace(wanted_slice("rest"), plans=named), N0), N0)
    assert placed(toy) == Placed(frozenset({N1, N2}))


# -- who leaves -------------------------------------------------------------------------------------------


def test_who_leaves_by_the_planners_idea_is_counted_and_who_waits_is_told_last() -> None:
    toy = Toy(6, (counted(6),))
    toy.run()
    toy.change(replace(toy.slice, plans=counted(2, (N4, N5)).plans))
    after = placed(toy, licence=Licence(stops=1))
    assert (after.hosts, after.stopped) == (frozenset({N1, N2, N3, N4, N5}), 1)
    assert [one.host for one in after.waiting] == [N1, N2, N3]
    assert all(one.to_agree for one in after.waiting)


def test_who_failed_leaves_and_nobody_counts_it() -> None:
    toy = Toy(6, (counted(3),))
    toy.run()
    lost, *others = sorted(toy.slice.hosts)
    toy.fleet.judge(lost, NodeState.FAILED)
    toy.change(replace(toy.slice, plans=counted(2, others).plans))
    assert placed(toy, licence=Licence()) == Placed(frozenset(others))


def test_one_more_than_the_limit_ends_by_itself_and_two_more_ask_people() -> None:
    toy = Toy(6, (counted(4),))
    toy.run()
    first, second, *others = sorted(toy.slice.hosts)
    toy.change(replace(toy.slice, plans=counted(3, (second, *others)).plans))
    assert placed(toy, licence=Licence()) == Placed(frozenset({second, *others}))
    toy.change(replace(toy.slice, plans=counted(2, others).plans))
    after = placed(toy, licence=Licence())
    assert after.hosts == {first, second, *others}
    assert [one.host for one in after.waiting] == [first, second]


def test_while_a_drained_one_waits_for_its_replacement_there_is_one_more() -> None:
    toy = Toy(6, (counted(3),))
    toy.run()
    leaving = min(toy.slice.hosts)
    toy.stand(Standing(excluded=Exclusion(by="ann", since=0.0)), leaving)
    after = placed(toy, licence=Licence())
    assert len(after.hosts) == 4
    assert after.hosts > toy.slice.hosts.keys()
    [why] = after.waiting
    assert (why.host, why.reason.endswith("but its replacement does not run yet")) == (leaving, True)


def test_a_cordoned_node_keeps_what_it_has_and_takes_nothing() -> None:
    toy = holding(2, on(counted(2), N0), N0)
    toy.stand(Standing(cordoned=Mark(by="ann", since=0.0)), N0, N1)
    assert placed(toy).hosts == {N0}
