"""What of a slice's wanted changes in a round, and which generation it gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from dsmt_core.commands import Order, Verb
from dsmt_core.lifecycle import State
from dsmt_core.names import Application, Host, Slice
from dsmt_core.nodes import Held
from planner.reconcile import SentOrders, orders
from planner.reconcile.sent import sliver_key
from planner.reconcile.settling import Leavers, change_of, leavers, settle
from planner.release import Release, ReleaseName
from planner.restraint import Restraint
from planner.rollout import Rollout
from planner.rollout.round import Steps
from planner.steps import SliceChange
from planner.wanted import Placement, Run, WantedSlice
from tests.unit.planner.toy import APP, SLICE, Toy, hosts, pinger, wanted_slice

A, B, C, D = hosts(4)
SECOND = Application("second")
NOTHING = Leavers()


def placement(
    host: Host, generation: int = 3, application: Application = APP, **other: object
) -> Placement:
    made = Placement(
        slice=SLICE, host=host, application=application, version="1.8-1", generation=generation
    )
    return replace(made, **other)  # type: ignore[arg-type]


def committed(*where: Host, generation: int = 5, **other: object) -> WantedSlice:
    """A slice that is on these hosts since its third generation, at the fifth now."""
    slice_ = replace(
        wanted_slice(),
        generation=generation,
        hosts=dict.fromkeys(where, 3),
        placements=tuple(placement(host) for host in where),
    )
    return replace(slice_, **other)  # type: ignore[arg-type]


class Seen:
    """Four nodes of which these things were heard; nothing else."""

    def __init__(self, slice_: WantedSlice) -> None:
        self.toy = Toy(4, (slice_,))
        self.slice = slice_

    def node(
        self,
        host: Host,
        held: int | None = None,
        *,
        gone: int | None = None,
        digest: str = "",
    ) -> Seen:
        node = self.toy.nodes[host]
        node.slivers = {} if held is None else {SLICE: held}
        node.gone = {} if gone is None else {SLICE: gone}
        node.digests = {SLICE: digest} if digest else {}
        self.toy.fleet.fold(node.holdings(), now=self.toy.now)
        return self

    def agent(self, host: Host, **applications: Held) -> Seen:
        node = self.toy.nodes[host]
        node.applications[SLICE] = {Application(name): held for name, held in applications.items()}
        self.toy.fleet.fold(node.agent_holdings(SLICE), now=self.toy.now)
        return self

    def settle(
        self,
        *on: Host,
        leaving: Leavers = NOTHING,
        targets: Mapping[Application, Mapping[Host, ReleaseName]] | None = None,
    ) -> WantedSlice:
        return settle(self.slice, self.toy.fleet, frozenset(on), leaving=leaving, targets=targets or {})


def running(generation: int, digest: str = "", version: str = "1.8-1") -> Held:
    return Held(generation, version, State.RUNNING, digest=digest)


def holding(*held: Host) -> Leavers:
    return Leavers(held=frozenset(held))


# -- hosts ------------------------------------------------------------------------------------------------


def test_where_nothing_changes_the_slice_stays_as_it_is() -> None:
    slice_ = committed(A, B)
    seen = Seen(slice_).node(A, 3).node(B, 3).agent(A, pinger=running(3)).agent(B, pinger=running(3))
    assert seen.settle(A, B) == slice_
    assert seen.settle(A, B).placements is slice_.placements


def test_who_joins_gets_the_next_generation_and_who_stays_keeps_its_own() -> None:
    after = Seen(committed(B)).settle(A, B)
    assert (after.generation, after.hosts, after.retired) == (6, {A: 6, B: 3}, {})
    assert after.placements == (placement(A, 6), placement(B))
    assert [*after.hosts] == sorted([A, B])


def test_who_leaves_is_retired_with_the_next_generation() -> None:
    after = Seen(committed(A, B)).settle(B)
    assert (after.generation, after.hosts, after.retired) == (6, {B: 3}, {A: 6})
    assert after.placements == (placement(B),)


def test_who_is_retired_already_keeps_its_number_until_it_is_gone() -> None:
    slice_ = committed(B, retired={A: 4})
    assert Seen(slice_).node(A, 3).settle(B) == slice_
    assert Seen(slice_).node(A, 4).settle(B) == slice_
    gone = Seen(slice_).settle(B, leaving=Leavers(gone=frozenset({A})))
    assert (gone.retired, gone.generation) == ({}, 5)


def test_who_was_forgotten_by_a_person_is_waited_for_no_more() -> None:
    seen = Seen(committed(B, retired={A: 4}))
    seen.toy.fleet.forget(A)
    assert seen.settle(B).retired == {}


def test_who_is_stuck_is_told_anew() -> None:
    slice_ = committed(B, retired={A: 4, C: 4})
    stuck = Leavers(stuck=frozenset({A, D}))
    after = Seen(slice_).settle(B, leaving=stuck)
    assert (after.retired, after.generation) == ({A: 6, C: 4}, 6)


def test_who_holds_a_sliver_that_was_never_placed_there_is_told_that_it_goes() -> None:
    after = Seen(committed(B)).node(A, 2).settle(B, leaving=holding(A))
    assert (after.retired, after.generation) == ({A: 6}, 6)
    assert Seen(committed(B)).node(B, 3).settle(B, leaving=holding(B)) == committed(B)


@pytest.mark.parametrize(
    ("held", "gone", "digest", "told"),
    [
        (3, None, "", 3),
        (2, None, "", 3),
        (None, None, "", 3),
        # It follows a higher order, or has deleted at this very number or above.
        (4, None, "", 6),
        (None, 2, "", 3),
        (None, 3, "", 6),
        (None, 4, "", 6),
        # The number was given away twice.
        (3, None, orders.DELETION, 6),
        (2, None, orders.DELETION, 3),
        (3, None, orders.creation_digest(wanted_slice()), 3),
    ],
)
def test_a_host_is_told_anew_when_it_follows_something_else(
    held: int | None, gone: int | None, digest: str, told: int
) -> None:
    after = Seen(committed(A)).node(A, held, gone=gone, digest=digest).settle(A)
    assert (after.hosts, after.generation) == ({A: told}, 5 if told == 3 else 6)


@pytest.mark.parametrize(
    ("held", "digest", "told"),
    [
        (4, "", 4),
        (3, "", 4),
        (None, "", 4),
        (5, "", 6),
        (4, orders.DELETION, 4),
        (4, orders.creation_digest(wanted_slice()), 6),
        (3, orders.creation_digest(wanted_slice()), 4),
    ],
)
def test_a_deletion_is_raised_when_the_node_follows_something_else(
    held: int | None, digest: str, told: int
) -> None:
    seen = Seen(committed(B, retired={A: 4})).node(A, held, digest=digest)
    after = seen.settle(B, leaving=holding(A))
    assert (after.retired, after.generation) == ({A: told}, 5 if told == 4 else 6)


# -- a database that is older than what happened ----------------------------------------------------------


@pytest.mark.parametrize("where", ["sliver", "deletion", "application", "stray", "retired", "stranger"])
def test_above_all_that_was_heard_everything_is_ordered_anew(where: str) -> None:
    seen = Seen(committed(A, B, retired={C: 4}))
    if where == "sliver":
        seen.node(A, 8)
    elif where == "deletion":
        seen.node(B, gone=8)
    elif where == "application":
        seen.node(A, 3).agent(A, pinger=running(8))
    elif where == "stray":
        seen.node(A, 3).agent(A, stray=running(8), pinger=running(3))
    elif where == "retired":
        seen.node(C, 8)
    else:
        seen.node(D, 8)
    after = seen.settle(A, B, leaving=holding(D) if where == "stranger" else NOTHING)
    retired = {C: 9, D: 9} if where == "stranger" else {C: 9}
    assert (after.generation, after.hosts, after.retired) == (9, {A: 9, B: 9}, retired)
    assert after.placements == (placement(A, 9), placement(B, 9))


def test_what_was_heard_of_the_last_generation_is_no_reason() -> None:
    slice_ = committed(A, hosts={A: 5}, placements=(placement(A, 5),))
    seen = Seen(slice_).node(A, 5).agent(A, pinger=running(5))
    assert seen.settle(A) == slice_


def test_of_a_host_that_is_not_known_nothing_was_heard() -> None:
    far = Host("far.away.org")
    slice_ = committed(far)
    assert Seen(slice_).settle(far) == slice_


# -- placements -------------------------------------------------------------------------------------------


def test_each_application_is_placed_on_each_host() -> None:
    apps = {SECOND: replace(pinger("2.0-1"), name=SECOND, restarts=4, run=Run.STOPPED), APP: pinger()}
    after = Seen(committed(A, applications=apps)).settle(A, B)
    second = placement(A, 6, SECOND, version="2.0-1", restarts=4, run=Run.STOPPED)
    assert after.placements == (placement(A), second, placement(B, 6), replace(second, host=B))


def test_what_people_turned_on_a_host_stays_and_a_restart_everywhere_counts_there_too() -> None:
    mine = placement(A, run=Run.STOPPED, restarts=2)
    slice_ = committed(A, placements=(mine,))
    assert Seen(slice_).settle(A) == slice_
    more = replace(slice_, applications={APP: replace(pinger(), restarts=2)})
    assert Seen(more).settle(A) == more
    more = replace(slice_, applications={APP: replace(pinger(), restarts=3)})
    assert Seen(more).settle(A).placements == (replace(mine, restarts=3, generation=6),)


def test_who_leaves_and_joins_again_is_placed_as_the_slice_says() -> None:
    slice_ = committed(placements=(placement(A, run=Run.STOPPED, restarts=9),))
    assert Seen(slice_).settle(A).placements == (placement(A, 6),)


def test_hosts_have_the_slices_release_or_that_of_a_roll_out() -> None:
    new = Release("1.9-1").name
    slice_ = committed(A, B, C)
    after = Seen(slice_).settle(A, B, C, targets={APP: {A: new, B: Release("1.8-1").name}})
    assert after.placements == (placement(A, 6, version="1.9-1"), placement(B), placement(C))
    assert (after.hosts, after.generation) == ({A: 3, B: 3, C: 3}, 6)
    assert Seen(slice_).settle(A, B, C, targets={SECOND: {A: new}}) == slice_


def test_another_order_of_placements_is_no_change() -> None:
    slice_ = committed(A, B)
    turned = replace(slice_, placements=slice_.placements[::-1])
    assert Seen(turned).settle(A, B).placements is turned.placements
    doubled = replace(slice_, placements=(*slice_.placements, slice_.placements[0]))
    assert Seen(doubled).settle(A, B).placements == slice_.placements


@pytest.mark.parametrize(
    ("generation", "digest", "told"),
    [
        (2, "", 3),
        (2, "other", 3),
        (3, "", 3),
        (3, "mine", 3),
        (3, "other", 6),
        (4, "", 6),
        (4, "mine", 6),
    ],
)
def test_an_agent_that_follows_something_else_is_told_anew(generation: int, digest: str, told: int) -> None:
    slice_ = committed(A)
    if digest == "mine":
        digest = orders.Digests(slice_).of(slice_.placements[0])
    seen = Seen(slice_).node(A, 3).agent(A, pinger=running(generation, digest))
    assert seen.settle(A).placements == (placement(A, told),)


@pytest.mark.parametrize(
    ("generation", "digest", "raised"),
    [(5, "other", True), (5, "", False), (5, orders.REMOVAL, False), (4, "other", False)],
)
def test_what_nobody_wants_and_does_not_go_raises_the_slice_alone(
    generation: int, digest: str, *, raised: bool
) -> None:
    slice_ = committed(A, B)
    seen = Seen(slice_).node(B, 3).agent(B, pinger=running(3), stray=running(generation, digest))
    assert seen.settle(A, B) == (replace(slice_, generation=6) if raised else slice_)


def test_of_several_that_nobody_wants_each_counts() -> None:
    stray = running(5, "other")
    seen = Seen(committed(A)).node(A, 3).agent(A, a=running(5), pinger=running(3), z=stray)
    assert seen.settle(A).generation == 6


# -- what is known of those that end ----------------------------------------------------------------------


def deleting(*where: Host, times: int = 1, said: int = 0) -> SentOrders:
    """The order to delete went out so often."""
    sent = SentOrders()
    for host in where:
        order = Order(verb=Verb.DELETE, host=host, slice=SLICE, generation=4)
        for time in range(times):
            sent.send(sliver_key(SLICE, host), order, now=100.0 * time, said=said)
    return sent


def known(seen: Seen, sent: SentOrders) -> tuple[set[Host], set[Host], set[Host]]:
    found = leavers(seen.slice, seen.toy.fleet, sent)
    return set(found.gone), set(found.stuck), set(found.held)


def test_who_says_so_is_gone_and_who_spoke_after_the_order_too() -> None:
    slice_ = committed(B, retired=dict.fromkeys((A, C, D), 4))
    seen = Seen(slice_).node(A, gone=4).node(B, 3).node(C).node(D, 3)
    assert known(seen, SentOrders()) == ({A}, set(), {B, D})
    assert known(seen, deleting(C, D)) == ({A, C}, set(), {B, D})
    assert known(seen, deleting(C, said=9)) == ({A}, set(), {B, D})


@pytest.mark.parametrize(("held", "times", "stuck"), [(4, 5, {A}), (4, 4, set()), (3, 5, set())])
def test_who_holds_on_at_the_very_number_is_stuck(held: int, times: int, stuck: Iterable[Host]) -> None:
    seen = Seen(committed(B, retired={A: 4})).node(A, held)
    assert known(seen, deleting(A, times=times)) == (set(), stuck, {A})


# -- what is committed ------------------------------------------------------------------------------------


def test_the_change_has_all_of_the_settled_slice_and_of_its_roll_outs() -> None:
    release = Release("1.9-1")
    rollout = Rollout(number=1, before=Release("1.8-1").name, after=release)
    restraint = Restraint(carried="x", stopped=1, stopped_at=9.0)
    slice_ = committed(A, retired={B: 4}, restraint=restraint)
    made = change_of(slice_, Steps(rollouts={APP: rollout}, releases={APP: release}))
    assert made == SliceChange(
        slice=SLICE,
        generation=5,
        hosts={A: 3},
        retired={B: 4},
        placements=(placement(A),),
        rollouts={APP: rollout},
        releases={APP: release},
        restraint=restraint,
    )
    before = committed(C, restraint=Restraint(carried="old"))
    applied = made.applied(before)
    assert applied == replace(
        slice_,
        rollouts={APP: rollout},
        applications={APP: before.applications[APP].at(release)},
    )
    assert Slice(made.slice) == SLICE
