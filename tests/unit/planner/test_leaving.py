"""Who leaves a slice in a round, and what is said of those that stay yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from dsmt_core.lifecycle import State
from dsmt_core.names import Host
from planner.budget import budget
from planner.disruption import Disruption
from planner.fleet import Fits
from planner.leaving import FEW, Change, Leaving, leave
from planner.restraint import Licence
from planner.standing import Drain, Exclusion, Mark, Standing, bars_at
from planner.steps import Waiting
from tests.unit.planner.toy import APP, SLICE, Toy, hosts, wanted_slice

ALL = hosts(6)
ONE, TWO, THREE = ALL[:3]
DRAINED = Standing(drain=Drain(by="ann", since=0.0))
SAID = "draining (by ann, since 1970-01-01 00:00 UTC), but "
FREELY = Licence(stops=9)


def running(keep: str = "keep 3", **states: State) -> Toy:
    """Six hosts that run the application; ``n1=…``: how it is there instead."""
    toy = Toy(6, (replace(wanted_slice("all_nodes"), budget=budget(keep)),))
    toy.run()
    for name, state in states.items():
        host = next(one for one in ALL if one.startswith(f"{name}."))
        held = toy.nodes[host].applications[SLICE]
        held[APP] = replace(held[APP], state=state)
        toy.fleet.fold(toy.nodes[host].agent_holdings(SLICE), now=toy.now)
    return toy


def decide(
    toy: Toy,
    *leaving: Host,
    standings: Mapping[Host, Standing] | None = None,
    licence: Licence = FREELY,
    coming: int = 0,
    **more: int,
) -> Leaving:
    staying = frozenset(ALL) - {*leaving}
    change = Change(staying=staying, leaving=tuple(sorted(leaving)), coming=coming, **more)
    return leave(change, Disruption(toy.slice, toy.fleet, bars_at(standings or {}, toy.now)), licence)


def waits(why: str, *where: Host, to_agree: bool = False) -> list[Waiting]:
    return [Waiting(slice=SLICE, host=host, reason=why, to_agree=to_agree) for host in where]


def to_agree(*where: Host) -> list[Waiting]:
    return waits(f"it is to leave the slice, but {FEW}", *where, to_agree=True)


def drained(*where: Host, standing: Standing = DRAINED) -> dict[Host, Standing]:
    return dict.fromkeys(where, standing)


def test_what_people_took_away_leaves_at_once() -> None:
    left = decide(running("keep 6"), ONE, TWO, THREE, licence=Licence(people=True))
    assert left == Leaving(now={ONE, TWO, THREE})


def test_by_its_own_idea_few_leave_and_people_have_to_agree_to_the_rest() -> None:
    left = decide(running(), ONE, TWO, THREE, licence=Licence(stops=1))
    assert left == Leaving(now={ONE}, of_planner=1, waiting=to_agree(TWO, THREE))


def test_by_its_own_idea_it_keeps_the_budget() -> None:
    why = (
        "it is to leave the slice, but the disruption budget (keep 4) holds it: 6 of 6 run, at least 4 must"
    )
    left = decide(running("keep 4"), *ALL[:4])
    assert left == Leaving(now={ONE, TWO}, of_planner=2, surge=1, waiting=waits(why, *ALL[2:4]))


def test_one_of_which_one_runs_is_said_in_the_singular() -> None:
    toy = running("keep 1", **dict.fromkeys(("n0", "n1", "n2", "n3", "n4"), State.FAILED))
    [held] = decide(toy, ALL[5]).waiting
    assert held.reason.endswith("the disruption budget (keep 1) holds it: 1 of 6 runs, at least 1 must")


def test_what_has_failed_costs_nothing_and_leaves_first() -> None:
    left = decide(running("keep 5", n2=State.FAILED), ONE, THREE)
    assert (left.now, left.of_planner, left.surge) == ({THREE}, 1, 1)
    assert [one.host for one in left.waiting] == [ONE]
    first = decide(running("keep 3", n2=State.FAILED), ONE, THREE, licence=Licence(stops=1))
    assert (first.now, first.waiting) == ({THREE}, to_agree(ONE))


def test_what_people_agreed_to_leaves_at_once_and_uses_the_budget_up() -> None:
    left = decide(running("keep 4"), ONE, TWO, THREE, licence=Licence(agreed=frozenset({ONE, TWO})))
    assert left == Leaving(now={ONE, TWO}, waiting=to_agree(THREE))
    both = decide(running("keep 4"), *ALL[:4], licence=Licence(stops=9, agreed=frozenset({ONE, TWO})))
    assert (both.now, both.of_planner, both.surge) == ({ONE, TWO}, 0, 1)
    more = decide(running("keep 3"), *ALL[:4], licence=Licence(stops=9, agreed=frozenset({ONE, TWO})))
    assert (more.now, more.of_planner) == ({ONE, TWO, THREE}, 1)


def test_what_was_agreed_to_and_does_not_run_uses_nothing_up() -> None:
    agreed = Licence(stops=9, agreed=frozenset({THREE}))
    left = decide(running("keep 4", n2=State.FAILED), ONE, TWO, THREE, licence=agreed)
    assert (left.now, left.of_planner) == ({ONE, THREE}, 1)


@pytest.mark.parametrize("state", [State.FAILED, State.TERMINATED])
def test_misfits_leave_at_once_where_nothing_runs(state: State) -> None:
    toy = running("keep 6", n0=state, n2=state)
    toy.fleet.fit({SLICE: Fits(out={ONE: "it fails there", TWO: "it failed there"})})
    left = decide(toy, ONE, TWO, THREE, licence=Licence())
    assert left.now == {ONE}
    assert {one.host for one in left.waiting} == {TWO, THREE}


def test_what_is_out_of_service_waits_for_its_replacement() -> None:
    left = decide(running(), ONE, standings=drained(ONE), coming=1)
    assert left == Leaving(surge=1, waiting=waits(f"{SAID}its replacement does not run yet", ONE))


def test_of_what_is_out_of_service_people_take_away_all_but_as_many_as_come_or_lack_and_one() -> None:
    people, out = Licence(people=True), drained(ONE, TWO, THREE)
    kept = {(0, 0): {THREE}, (1, 0): {ONE, THREE}, (0, 1): {ONE, THREE}, (1, 1): {ONE, TWO, THREE}}
    for (coming, missing), stay in kept.items():
        toy = running("keep 6", n1=State.TERMINATED)
        left = decide(toy, ONE, TWO, THREE, standings=out, licence=people, coming=coming, missing=missing)
        assert left.now == {ONE, TWO, THREE} - stay
        assert {one.host for one in left.waiting} == stay
        assert (left.of_planner, left.surge) == (0, 1)
    # Nobody has changed anything: the budget holds all of them.
    assert not decide(running("keep 6"), ONE, TWO, THREE, standings=drained(ONE, TWO, THREE)).now


def test_of_what_people_took_away_the_least_loss_leaves_first() -> None:
    toy, out = running("keep 6", n0=State.TERMINATED, n2=State.FAILED), drained(ONE, TWO, THREE)
    for coming, gone in ((0, {ONE, THREE}), (1, {THREE})):
        assert (
            decide(toy, ONE, TWO, THREE, standings=out, licence=Licence(people=True), coming=coming).now
            == gone
        )


def test_what_people_took_away_counts_in_the_budget_of_what_is_still_moved() -> None:
    both = decide(
        running("keep 4"), ONE, TWO, THREE, standings=drained(ONE, TWO, THREE), licence=Licence(people=True)
    )
    assert both.now == {ONE, TWO}
    assert [one.host for one in both.waiting] == [THREE]


def test_one_that_has_come_lets_one_go() -> None:
    left = decide(running(), ONE, TWO, standings=drained(ONE, TWO), coming=1)
    assert (left.now, left.of_planner, left.surge) == ({ONE}, 0, 1)
    assert [one.host for one in left.waiting] == [TWO]
    assert decide(running(), ONE, TWO, standings=drained(ONE, TWO)) == Leaving(now={ONE, TWO})


def test_what_starts_elsewhere_is_yet_to_come() -> None:
    toy = running(n5=State.TERMINATED)
    assert decide(toy, ONE, standings=drained(ONE)).now == set()
    assert decide(running(n5=State.FAILED), ONE, standings=drained(ONE)).now == {ONE}


def test_what_has_failed_out_of_service_waits_for_nothing_and_a_replacement_was_its() -> None:
    left = decide(running(n2=State.FAILED), ONE, THREE, standings=drained(ONE, THREE), coming=1)
    assert left.now == {THREE}
    assert [one.host for one in left.waiting] == [ONE]


def test_what_is_out_of_service_keeps_the_budget_and_says_why_that_never_ends() -> None:
    why = (
        "the disruption budget (keep 6) holds it: 6 of 6 run, at least 6 must; "
        "all 6 must run, and the plan has no other node to give"
    )
    left = decide(running("keep 6"), ONE, standings=drained(ONE))
    assert left == Leaving(surge=1, waiting=waits(SAID + why, ONE))
    late = Standing(drain=Drain(by="ann", since=0.0, deadline=1.0))
    [held] = decide(running("keep 6"), ONE, standings=drained(ONE, standing=late)).waiting
    assert held.reason == f"over time: {SAID}{why}"


@pytest.mark.parametrize(
    "standing",
    [
        Standing(excluded=Exclusion(by="ann", since=0.0, at_once=True)),
        Standing(drain=Drain(by="ann", since=0.0, deadline=1.0, force=True)),
    ],
)
def test_what_is_forced_leaves_at_once_and_uses_the_budget_up(standing: Standing) -> None:
    forced = drained(ONE, standing=standing)
    assert decide(running("keep 6"), ONE, standings=forced, coming=1) == Leaving(now={ONE})
    left = decide(running("keep 5"), ONE, TWO, standings=forced)
    assert (left.now, left.of_planner) == ({ONE}, 0)
    assert [one.host for one in left.waiting] == [TWO]


def test_under_a_cordon_what_the_plan_gives_up_is_its_own_idea() -> None:
    cordoned = drained(ONE, standing=Standing(cordoned=Mark(by="ann", since=0.0)))
    assert decide(running(), ONE, standings=cordoned, licence=Licence()).waiting == to_agree(ONE)


def test_what_a_surge_began_may_end_again_within_the_budget() -> None:
    nobody = Licence()
    left = decide(running(), ONE, TWO, licence=nobody, beyond=1)
    assert left == Leaving(now={ONE}, waiting=to_agree(TWO))
    held = decide(running("keep 6"), ONE, TWO, licence=nobody, beyond=1)
    assert (held.now, held.surge) == (set(), 1)
    assert held.waiting == to_agree(ONE, TWO)


def test_where_nothing_is_to_leave_nothing_does() -> None:
    assert decide(running()) == Leaving()
