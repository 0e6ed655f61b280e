"""The blast radius: without people few of a slice stop, then they have to agree, to just that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.channels import facts_channel
from dsmt_core.events import Event, Sender
from dsmt_core.names import Host, PlanName
from dsmt_core.nodes import FACTS
from planner.fleet import NodeState
from planner.reconcile import SentOrders
from planner.reconcile.asked import Asked, asked_of
from planner.restraint import CALM_S, FREE, Licence, Restraint, after, licence
from planner.steps import Round
from tests.unit.planner.toy import LIMITED, Toy, hosts, pinger, plan, plans, wanted_slice

NUMBER = 20
COOL = plans(plan("cool", "where", expr="heat < 10"))
senders: dict[Host, Sender] = {}


def told(host: Host, heat: int, boot: str) -> Event:
    sender = senders.setdefault(Host(host + boot), Sender("node", f"{host}/manager", boot))
    return sender.event(facts_channel(host), FACTS, now=0.0, id_="i", pairs={"heat": str(heat)})


def heat(toy: Toy, those: list[Host], degrees: int) -> None:
    """The nodes tell how hot they are."""
    for host in those:
        toy.fleet.fold(told(host, degrees, f"heat{degrees}"), now=toy.now)
    toy.now += 2
    toy.fleet.take_dirty()


@pytest.fixture
def toy() -> Toy:
    """A slice on all of twenty nodes that are cool."""
    toy = Toy(NUMBER, (replace(wanted_slice("cool"), plans=COOL),))
    heat(toy, hosts(NUMBER), 5)
    toy.run()
    assert len(toy.running()) == NUMBER
    return toy


def held(round_: Round) -> set[Host]:
    return {one.host for one in round_.waiting if one.to_agree}


def test_a_share_goes_and_the_rest_waits_for_people_however_long(toy: Toy) -> None:
    hot = sorted(toy.nodes)[:10]
    heat(toy, hot, 50)
    last = toy.run(20)
    assert len(toy.running()) == NUMBER - 2
    for _ in range(5):
        toy.now += 10 * CALM_S
        last = toy.run(5)
    assert len(toy.running()) == NUMBER - 2
    assert held(last) == set(hot) & toy.running()
    assert all("dsmtc agree" in one.reason for one in last.waiting if one.to_agree)


def test_a_planner_that_starts_again_and_again_stops_no_more(toy: Toy) -> None:
    heat(toy, sorted(toy.nodes)[:10], 50)
    for _ in range(5):
        toy.run(5)
        toy.sent = SentOrders()
        toy.now += CALM_S
    assert len(toy.running()) == NUMBER - 2


def test_what_people_agreed_to_goes_and_nothing_else(toy: Toy) -> None:
    heat(toy, sorted(toy.nodes)[:10], 50)
    waits = held(toy.run(20))
    some = frozenset(sorted(waits)[:5])
    toy.change(replace(toy.slice, restraint=replace(toy.slice.restraint, agreed=some)))
    last = toy.run(20)
    assert held(last) == waits - some
    assert len(toy.running()) == NUMBER - 2 - 5
    assert toy.slice.restraint.agreed == frozenset()


def test_what_was_agreed_to_and_need_not_go_any_more_is_not_agreed_to_later(toy: Toy) -> None:
    hot = sorted(toy.nodes)[:10]
    heat(toy, hot, 50)
    waits = held(toy.run(20))
    heat(toy, hot, 5)
    toy.change(replace(toy.slice, restraint=replace(toy.slice.restraint, agreed=frozenset(waits))))
    toy.run(5)
    heat(toy, sorted(waits), 50)
    assert len(held(toy.run(5))) == len(waits)


def test_when_the_cause_goes_away_nothing_is_held_and_a_share_may_go_again_later(toy: Toy) -> None:
    hot = sorted(toy.nodes)[:10]
    heat(toy, hot, 50)
    toy.run(20)
    heat(toy, hot, 6)
    assert not held(toy.run(10))
    assert len(toy.running()) == NUMBER
    heat(toy, hot[:1], 51)
    assert held(toy.run(3)) == set(hot[:1])
    heat(toy, hot[:1], 7)
    toy.run(3)
    toy.now += CALM_S
    toy.run(3)
    heat(toy, hot[:1], 52)
    assert not held(toy.run(3))
    assert len(toy.running()) == NUMBER - 1


def test_within_the_calm_what_else_is_to_go_waits(toy: Toy) -> None:
    one, two, three = sorted(toy.nodes)[:3]
    heat(toy, [one, two], 50)
    toy.run(5)
    assert len(toy.running()) == NUMBER - 2
    heat(toy, [three], 50)
    assert held(toy.run(5)) == {three}


def test_the_slice_is_looked_at_again_when_a_share_may_go_again(toy: Toy) -> None:
    heat(toy, sorted(toy.nodes)[:1], 50)
    toy.run(3)
    since = toy.slice.restraint.stopped_at
    assert toy.slice.restraint.stopped == 1
    assert toy.round().again_at <= since + CALM_S
    toy.now = since + CALM_S
    toy.round()
    assert toy.slice.restraint.stopped == 0


def test_what_people_change_is_carried_out_also_by_a_planner_that_was_killed_before(
    toy: Toy,
) -> None:
    half = ",".join(sorted(toy.nodes)[:10])
    toy.change(replace(toy.slice, plans={**COOL, **plans(plan("cool", "nodes", list=half))}))
    toy.sent = SentOrders()
    assert not held(toy.run(10))
    assert len(toy.running()) == 10


def test_a_restart_is_no_word_about_who_may_go(toy: Toy) -> None:
    heat(toy, sorted(toy.nodes)[:10], 50)
    waits = held(toy.run(20))
    toy.change(replace(toy.slice, applications={pinger().name: replace(pinger("1.9-1"), restarts=1)}))
    assert held(toy.run(10)) == waits


def test_instances_on_nodes_that_failed_are_replaced_however_many_they_are() -> None:
    toy = Toy(12, (replace(wanted_slice(), plan_parameters={"count": "6"}),))
    toy.run()
    for host in sorted(toy.running())[:4]:
        toy.nodes[host].deaf = toy.nodes[host].mute = True
        toy.fleet.judge(host, NodeState.FAILED)
    last = toy.run(20)
    assert not held(last)
    assert len(toy.slice.hosts) == 6


def test_only_what_decides_where_a_slice_is_counts_as_asked_for() -> None:
    slice_ = wanted_slice()
    asked = asked_of(slice_)
    idle = plans(plan("idle", "failed"))
    assert asked_of(replace(slice_, plans={**LIMITED, **idle}, generation=7, agent="other")) == asked
    assert asked_of(replace(slice_, plan_parameters={"count": "4"})) != asked
    assert asked_of(replace(slice_, managed=False)) != asked
    other = plans(plan("good", "all_nodes"))
    assert asked_of(replace(slice_, plans={**LIMITED, **other})) != asked


def test_a_digest_is_made_anew_as_soon_as_anything_that_is_asked_for_is_another_object() -> None:
    slice_, asked = wanted_slice(), Asked()
    others = (
        slice_,
        replace(slice_, generation=7),
        replace(slice_, managed=False),
        replace(slice_, plan=PlanName("good")),
        replace(slice_, plan_parameters={"count": "4"}),
        replace(slice_, plans={**slice_.plans, **plans(plan("good", "all_nodes"))}),
    )
    for one in (*others, *others):
        assert asked.of(one) == asked_of(one)
    asked.forget(slice_.name)
    assert asked.of(slice_) == asked_of(slice_)


def test_a_slice_that_an_older_version_stored_is_restrained() -> None:
    assert not licence(FREE, "x", instances=5).people
    assert after(FREE, "x", stopped=0, is_held=False, now=0.0) == Restraint(carried="x")
    stopped = Restraint(carried="x", stopped=1, stopped_at=5.0)
    assert after(FREE, "x", stopped=1, is_held=False, now=5.0) == stopped


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_never_more_than_one_in_ten_or_one(instances: int, stopped: int) -> None:
    allowed = licence(Restraint(carried="x", stopped=stopped), "x", instances=instances)
    assert allowed.stops + stopped <= max(1, instances // 10, stopped)
    assert allowed == Licence(stops=allowed.stops)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.floats(0, 100)), max_size=30))
def test_in_any_calm_no_more_than_a_share_goes(rounds: list[tuple[int, bool, float]]) -> None:
    restraint, now, gone = Restraint(carried="x"), 1000.0, []
    for leaving, is_held, seconds in rounds:
        now += seconds
        stopped = min(leaving, licence(restraint, "x", instances=20).stops)
        gone += [now] * stopped
        held_back = is_held or leaving > stopped
        restraint = after(restraint, "x", stopped=stopped, is_held=held_back, now=now)
        assert len([at for at in gone if at > now - CALM_S]) <= 2


def test_a_clock_that_was_set_back_begins_the_calm_anew() -> None:
    held = Restraint(carried="x", stopped=1, stopped_at=1_000.0)
    back = after(held, "x", stopped=0, is_held=False, now=500.0)
    assert back == Restraint(carried="x", stopped=1, stopped_at=500.0)
    assert after(back, "x", stopped=0, is_held=False, now=529.0) == back
    assert after(back, "x", stopped=0, is_held=False, now=530.0) == Restraint(carried="x")
