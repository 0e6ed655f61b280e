"""Quotas where slices are placed: nothing begins beyond them, what runs stays, and it converges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsmt_core.commands import Verb
from dsmt_core.errors import Invalid
from dsmt_core.limits import Limits
from dsmt_core.names import Host, PlanName, Site, Slice
from planner.allotment import MEMORY, NODES, SLIVERS, Allotment, Bound, Shares, memory_passed
from planner.disruption import Disruption
from planner.fleet import NodeState
from planner.preview import preview
from planner.quota import NO_QUOTA, Quota, SiteQuota, looser, quota_of, smaller
from planner.reconcile import reconcile
from planner.standing import Drain, Standing
from planner.wanted import WantedSlice
from tests.unit.planner.toy import SLICE, Toy, hosts, wanted_slice

OTHER = Slice("abc")
HOME = Site("")
EAST = Site("east")
MIB = 1 << 20


def everywhere(quota: Quota = NO_QUOTA, *, name: Slice = SLICE, memory: int = 0) -> WantedSlice:
    """A slice whose plan takes all good nodes."""
    return replace(wanted_slice("good"), name=name, quota=quota, limits=Limits(memory=memory * MIB))


def at_site(toy: Toy, *, each: Quota = NO_QUOTA, together: Quota = NO_QUOTA) -> Toy:
    toy.wanted = replace(toy.wanted, sites={HOME: SiteQuota(EAST, each, together)})
    return toy


def reasons(toy: Toy, slice_: Slice = SLICE) -> list[str]:
    return [one.reason for one in toy.run(2).waiting if one.slice == slice_]


# -- what is set -------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [-1, (1 << 60) + 1])
@pytest.mark.parametrize("name", ["nodes", "slivers", "memory", "depot_bytes", "events_per_second"])
def test_numbers_that_bound_nothing_real_are_refused(name: str, wrong: int) -> None:
    with pytest.raises(Invalid, match="for a quota"):
        Quota(**{name: wrong})


def test_a_quota_is_stored_as_it_was_said() -> None:
    quota = Quota(nodes=5, memory=1 << 32, events_per_second=7)
    assert quota_of(quota.text) == quota
    assert (NO_QUOTA.text, quota_of("")) == ("", NO_QUOTA)
    assert quota_of('{"nodes":3,"later":9}') == Quota(nodes=3)
    assert (quota.words, NO_QUOTA.words) == ("nodes 5, memory 4G, events per second 7", "none")
    assert len(Quota(1 << 60, 1_000_000, 100_000_000, 1 << 60, 1_000_000).text) <= 200


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_the_smaller_bound_counts_in_any_order(one: int, two: int, three: int) -> None:
    assert smaller(one, two) == smaller(two, one)
    assert smaller(smaller(one, two), three) == smaller(one, smaller(two, three))
    assert smaller(one, one) == one


def test_a_pi_gives_no_more_than_the_site_has() -> None:
    site = SiteQuota(EAST, each=Quota(nodes=9), together=Quota(nodes=5, slivers=20))
    small = Quota(nodes=2, memory=10)
    assert looser(small, replace(small, nodes=5), site) == ()
    assert looser(small, replace(small, nodes=6), site) == ("nodes",)
    assert looser(small, replace(small, nodes=0), site) == ()
    assert looser(small, replace(small, memory=9), site) == ()
    assert looser(small, replace(small, memory=11), site) == ("memory",)
    assert looser(small, replace(small, memory=0), site) == ("memory",)
    assert looser(small, replace(small, depot_bytes=7), site) == ()
    assert looser(replace(small, nodes=0), replace(small, nodes=7), site) == ("nodes",)


# -- what is placed ----------------------------------------------------------------------------------


def test_nothing_is_bound_until_somebody_says_so() -> None:
    toy = at_site(Toy(4, (everywhere(),)))
    toy.run()
    assert len(toy.slice.hosts) == 4
    assert Shares(toy.wanted, frozenset()).of(toy.slice).bounds == ()


@pytest.mark.parametrize("quota", [Quota(nodes=2), Quota(slivers=2), Quota(memory=200 * MIB)])
def test_only_so_much_begins_and_the_rest_says_why(quota: Quota) -> None:
    toy = Toy(5, (everywhere(quota, memory=100),))
    toy.run()
    assert len(toy.running()) == 2
    (reason,) = reasons(toy)
    assert reason.startswith("3 more would be beyond the quota: the slice xyz1 may have ")
    assert reasons(toy) == [reason]


def test_of_the_quotas_of_slice_and_site_the_smaller_counts() -> None:
    toy = at_site(Toy(5, (everywhere(Quota(nodes=3)),)), each=Quota(nodes=2))
    toy.run()
    assert len(toy.running()) == 2
    assert "each slice of the site east may have 2 nodes, and has 2" in reasons(toy)[0]


def test_without_a_limit_of_memory_nothing_begins_under_a_quota_of_it() -> None:
    toy = Toy(3, (everywhere(Quota(memory=1 << 40)),))
    toy.run()
    assert not toy.slice.hosts
    assert reasons(toy)[-1].endswith("its slivers have no limit of memory: dsmtc limits --memory SIZE")


def test_a_lower_quota_ends_nothing_and_nothing_new_begins() -> None:
    toy = Toy(5, (everywhere(),))
    toy.run()
    toy.change(replace(toy.slice, quota=Quota(nodes=2)))
    toy.orders.clear()
    toy.run()
    assert (len(toy.running()), toy.orders, reasons(toy)) == (5, [], [])
    first = toy.nodes[hosts(5)[0]]
    first.deaf = first.mute = True
    toy.fleet.judge(first.host, NodeState.FAILED)
    toy.run()
    first.deaf = first.mute = False
    toy.fleet.judge(first.host, NodeState.ALIVE)
    toy.run()
    assert len(toy.slice.hosts) == 4
    assert "may have 2 nodes, and has 4" in reasons(toy)[0]
    toy.change(replace(toy.slice, quota=NO_QUOTA))
    toy.run()
    assert len(toy.running()) == 5


def test_what_one_slice_gives_up_another_of_the_site_gets() -> None:
    toy = at_site(Toy(3, (everywhere(), everywhere(name=OTHER))), together=Quota(slivers=4))
    toy.run()
    assert (len(toy.running(OTHER)), len(toy.running())) == (3, 1)
    assert "the site east may have 4 slivers, and has 4" in reasons(toy)[0]
    assert reasons(toy, OTHER) == []
    toy.change(replace(toy.wanted.slices[OTHER], plan=PlanName("only3"), plan_parameters={"count": "1"}))
    toy.run()
    assert (len(toy.running(OTHER)), len(toy.running())) == (1, 3)


def test_nodes_that_slices_share_count_once_for_their_site() -> None:
    toy = at_site(Toy(4, (everywhere(), everywhere(name=OTHER))), together=Quota(nodes=2))
    toy.run()
    assert toy.running() == toy.running(OTHER)
    assert len(toy.running()) == 2


def test_a_drain_at_the_quota_moves_what_runs_one_after_the_other() -> None:
    toy = Toy(4, (everywhere(Quota(nodes=3)),))
    toy.run()
    first = min(toy.running())
    toy.stand(Standing(drain=Drain(by="me", since=toy.now)), first)
    toy.run(30, step=1.0)
    assert first not in toy.running()
    assert len(toy.running()) == 3


def test_a_budget_counts_what_the_quota_allows_and_not_what_the_plan_would_like() -> None:
    toy = Toy(8, (everywhere(Quota(nodes=3)),))
    toy.run()
    allotted = Shares(toy.wanted, frozenset()).of(toy.slice)
    one = Disruption(toy.slice, toy.fleet, allotted=allotted)
    assert (one.wanted, one.least, one.allowance) == (3, 2, 1)
    assert Disruption(toy.slice, toy.fleet).allowance == 0


def test_a_preview_says_what_would_wait() -> None:
    toy = Toy(5, (everywhere(),))
    changed = replace(toy.slice, quota=Quota(nodes=2))
    seen = preview(toy.wanted, changed, toy.fleet, sent=toy.sent, now=toy.now)
    assert seen.starts == 2
    assert ["beyond the quota" in one.reason for one in seen.waiting] == [True]


def test_a_higher_limit_of_memory_is_kept_within_the_quota() -> None:
    toy = Toy(2, (everywhere(Quota(memory=300 * MIB), memory=100),))
    toy.run()

    def refused(memory: int) -> str:
        after = replace(toy.slice, limits=Limits(memory=memory * MIB))
        return memory_passed(toy.wanted, toy.slice, after)

    assert [bool(refused(memory)) for memory in (50, 100, 150, 151)] == [False, False, False, True]
    assert "have no limit of memory" in refused(0)
    assert memory_passed(toy.wanted, everywhere(memory=0), everywhere(memory=0)) == ""
    nowhere = everywhere(Quota(memory=1 * MIB), memory=50)
    assert memory_passed(toy.wanted, nowhere, replace(nowhere, limits=Limits(memory=99 * MIB))) == ""


# -- laws --------------------------------------------------------------------------------------------

_some = st.sets(st.sampled_from(hosts(6)))
_bounds = st.lists(
    st.builds(
        Bound,
        st.sampled_from([NODES, SLIVERS, MEMORY]),
        st.integers(1, 9),
        st.just("it"),
        each=st.just(1),
        others=st.integers(0, 4),
        nodes=_some.map(frozenset),
    ),
    max_size=4,
)


def used(bound: Bound, those: set[Host]) -> int:
    return bound.used(those)


@given(_bounds, _some, _some)
def test_what_is_admitted_passes_no_bound_that_held_and_none_further(
    bounds: list[Bound], occupied: set[Host], coming: set[Host]
) -> None:
    admitted = Allotment(lambda: bounds).admit(occupied, sorted(coming))
    assert admitted.hosts <= coming
    assert (admitted.held == 0) == (admitted.why == "")
    assert admitted.held == len(coming) - len(admitted.hosts)
    for bound in bounds:
        before, after = used(bound, occupied), used(bound, occupied | admitted.hosts)
        assert after <= max(before, bound.most)
        if before > bound.most:
            assert after == before


@given(_bounds, _bounds, _some)
def test_more_bounds_admit_no_more(some: list[Bound], more: list[Bound], coming: set[Host]) -> None:
    few = Allotment(lambda: [*some, *more]).admit(frozenset(), sorted(coming))
    many = Allotment(lambda: some).admit(frozenset(), sorted(coming))
    assert len(few.hosts) <= len(many.hosts)


_quotas = st.builds(
    Quota,
    nodes=st.sampled_from([0, 1, 2, 4]),
    slivers=st.sampled_from([0, 1, 3, 5]),
    memory=st.sampled_from([0, 100 * MIB, 350 * MIB]),
)
Deeds = list[tuple[str, Any, Any]]
_deeds = st.lists(
    st.one_of(
        st.tuples(st.just("quota"), st.sampled_from([SLICE, OTHER]), _quotas),
        st.tuples(st.just("each"), st.just(SLICE), _quotas),
        st.tuples(st.just("together"), st.just(SLICE), _quotas),
        st.tuples(st.just("fail"), st.sampled_from(hosts(5)), st.none()),
        st.tuples(st.just("heal"), st.sampled_from(hosts(5)), st.none()),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(_deeds)
def test_whatever_is_said_nothing_passes_it_nothing_restarts_and_it_converges(
    deeds: Deeds,
) -> None:
    toy = at_site(Toy(5, (everywhere(memory=100), everywhere(name=OTHER, memory=50))))
    toy.run()
    for what, about, quota in deeds:
        kept = {name: toy.running(name) for name in toy.wanted.slices}
        site = toy.wanted.sites[HOME]
        if what == "quota":
            toy.change(replace(toy.wanted.slices[about], quota=quota))
        elif what in {"each", "together"}:
            toy.wanted = replace(toy.wanted, sites={HOME: replace(site, **{what: quota})})
        else:
            node = toy.nodes[about]
            node.deaf = node.mute = what == "fail"
            toy.fleet.judge(about, NodeState.FAILED if what == "fail" else NodeState.ALIVE)
        check_run(toy, kept if what in {"quota", "each", "together"} else {})
    last = toy.run(4)
    assert not last.changes
    assert not last.orders


def check_run(toy: Toy, kept: dict[Slice, set[Host]]) -> None:
    """Rounds until all is as wanted; each keeps the laws."""
    for _ in range(12):
        before = {name: one.hosts.keys() for name, one in toy.wanted.slices.items()}
        toy.orders.clear()
        toy.run(1)
        assert all(order.verb not in {Verb.RESTART, Verb.STOP} for order in toy.orders)
        failed = toy.fleet.back_or_failed()
        for name, one in toy.wanted.slices.items():
            if one.hosts.keys() - before[name]:
                for bound in Shares(toy.wanted, failed).of(one).bounds:
                    there = one.hosts.keys() | (one.retired.keys() - failed)
                    assert bound.used(there) <= bound.most
    for name, those in kept.items():
        assert those <= toy.running(name)


def test_a_restart_of_the_planner_changes_nothing() -> None:
    toy = at_site(
        Toy(5, (everywhere(memory=9), everywhere(name=OTHER, memory=9))), together=Quota(slivers=7)
    )
    toy.run()
    before = toy.wanted
    toy.sent = type(toy.sent)()
    assert toy.run().changes == ()
    assert toy.wanted == before
    assert reconcile(toy.wanted, toy.fleet, sent=toy.sent, now=toy.now).orders == ()
