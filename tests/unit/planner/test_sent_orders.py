"""What was ordered, when it is due again, who asked, and which slice is to be looked at: call by call."""

from __future__ import annotations

from dataclasses import replace

from dsmt_core.commands import Order, Verb
from dsmt_core.names import Application, Host, Slice
from planner.fleet import Fleet
from planner.reconcile import SentOrders
from planner.reconcile.due import NEVER
from planner.reconcile.sent import Key, application_key, report_key, sliver_key
from planner.standing import Exclusion, Standing, bars_at
from tests.unit.planner.toy import APP, SLICE, ToyNode, hosts

N0, N1 = hosts(2)
OTHER = Slice("other")
KEY = application_key(SLICE, N0, APP)
ORDER = Order(verb=Verb.APPCONFIG, host=N0, slice=SLICE, generation=1, application=APP)
DELETE = Order(verb=Verb.DELETE, host=N0, slice=SLICE, generation=2)


def sent(*keys: Key, now: float = 100.0) -> SentOrders:
    """These orders went out."""
    made = SentOrders()
    for key in keys:
        assert made.send(key, ORDER, now=now, said=0)
    return made


def test_keys_tell_orders_apart() -> None:
    nothing = Application("")
    assert application_key(SLICE, N0, APP) == (SLICE, N0, APP, "application")
    assert sliver_key(SLICE, N0) == (SLICE, N0, nothing, "sliver")
    assert report_key(SLICE, N0, "agent") == (SLICE, N0, nothing, "report agent")


# -- repeats ----------------------------------------------------------------------------------------------


def test_an_order_is_repeated_when_it_is_due_each_time_later() -> None:
    made, now, waits = SentOrders(), 100.0, []
    for _ in range(12):
        assert made.send(KEY, ORDER, now=now, said=0)
        due = made.next_due(now)
        assert not made.send(KEY, ORDER, now=due - 0.25, said=0)
        waits.append(due - now)
        now = due
    assert waits == [2.0, 4.0, 8.0, 16.0, *[30.0] * 8]


def test_another_order_is_due_at_once_and_begins_anew() -> None:
    made = sent(KEY)
    made.send(KEY, ORDER, now=102.0, said=0)
    newer = replace(ORDER, generation=2)
    assert made.send(KEY, newer, now=102.5, said=0)
    assert made.next_due(102.5) == 104.5
    assert not made.send(KEY, newer, now=104.25, said=0)


def test_who_asks_is_told_before_it_is_due_and_later_repeats_count_from_then() -> None:
    made = sent(KEY)
    assert made.send(KEY, ORDER, now=100.5, said=0, force=True)
    assert made.next_due(100.5) == 104.5
    # The time that it had before is not told any more.
    assert made.take_due(104.25) == {}
    assert made.take_due(104.5) == {SLICE: {N0}}
    assert made.take_due(104.5) == {}


def test_an_order_that_may_not_be_needed_waits_and_one_under_way_does_not() -> None:
    made = SentOrders()
    made.postpone(KEY, until=105.0)
    assert (made.next_due(100.0), made.is_due(104.75), made.is_due(105.0)) == (105.0, False, True)
    assert not made.send(KEY, ORDER, now=104.75, said=0)
    assert made.send(KEY, ORDER, now=105.0, said=0)
    assert made.next_due(105.0) == 107.0
    made.postpone(KEY, until=200.0)
    assert made.next_due(105.0) == 107.0


def test_the_first_order_after_a_wait_is_no_other_order() -> None:
    made = SentOrders()
    made.postpone(KEY, until=105.0)
    made.postpone(KEY, until=109.0)
    assert made.next_due(100.0) == 105.0
    assert not made.is_under_way(KEY, ORDER, 100.0)


def test_orders_that_are_not_needed_any_more_are_forgotten() -> None:
    second, elsewhere = application_key(SLICE, N0, Application("second")), sliver_key(SLICE, N1)
    made = sent(KEY, second, elsewhere, sliver_key(OTHER, N0))
    made.keep(SLICE, {KEY}, hosts=[N0, Host("stranger")])
    assert made.take_due(102.0) == {SLICE: {N0, N1}, OTHER: {N0}}
    assert made.slices() == {SLICE, OTHER}
    made.keep(SLICE, {elsewhere})
    made.keep(OTHER, set())
    assert made.slices() == {SLICE}
    assert made.send(KEY, ORDER, now=100.25, said=0), "nothing is known of it any more"
    assert made.next_due(100.25) == 102.25
    made.keep(SLICE, ())
    assert (made.slices(), made.next_due(100.0)) == (set(), NEVER)
    made.keep(SLICE, ())


def test_what_is_forgotten_costs_no_memory() -> None:
    made = SentOrders()
    for number in range(2_500):
        key = sliver_key(SLICE, Host(f"h{number}"))
        made.send(key, ORDER, now=100.0, said=0)
        made.keep(SLICE, {key}, hosts=[key.host])
        made.keep(SLICE, ())
        assert len(made._due._heap) <= 1_003


def test_an_order_is_stuck_after_it_was_said_five_times() -> None:
    made, key = SentOrders(), sliver_key(SLICE, N0)
    assert not made.is_stuck(SLICE, N0)
    for times in range(1, 7):
        made.send(key, DELETE, now=100.0 * times, said=0)
        assert made.is_stuck(SLICE, N0) is (times >= 5)
    assert not made.is_stuck(SLICE, N1)


def test_what_a_node_said_after_it_was_told_to_delete_counts() -> None:
    fleet, node = Fleet(), ToyNode(N0)
    made, key = SentOrders(), sliver_key(SLICE, N0)
    assert not made.heard_since(SLICE, N0, fleet)
    made.postpone(key, until=105.0)
    fleet.join(N0, now=100.0)
    fleet.fold(node.holdings(), now=100.0)
    assert not made.heard_since(SLICE, N0, fleet)
    made.send(key, DELETE, now=105.0, said=1)
    # A postponed order keeps what the node had said when it was put off.
    made.keep(SLICE, ())
    made.send(key, DELETE, now=105.0, said=1)
    assert not made.heard_since(SLICE, N0, fleet)
    fleet.fold(node.holdings(), now=106.0)
    assert made.heard_since(SLICE, N0, fleet)
    assert not made.heard_since(SLICE, N1, fleet)
    made.send(key, replace(DELETE, verb=Verb.CREATE), now=107.0, said=1)
    assert not made.heard_since(SLICE, N0, fleet)


# -- who asks ---------------------------------------------------------------------------------------------


def test_who_asks_is_owed_an_answer_once() -> None:
    fleet, node, made = Fleet(), ToyNode(N0), SentOrders()
    fleet.join(N0, now=100.0)
    nobody = Slice("")
    assert not made.owes(nobody, N0, fleet)
    made.answered(nobody, N0, fleet)
    for _ in range(2):
        fleet.fold(node.holdings(asks=True), now=100.0)
        assert made.owes(nobody, N0, fleet)
        assert not made.owes(SLICE, N0, fleet)
        made.answered(nobody, N0, fleet)
        assert not made.owes(nobody, N0, fleet)


def test_who_was_answered_is_looked_at_in_the_next_round_once() -> None:
    made = SentOrders()
    made.revisit(SLICE, N0)
    made.revisit(SLICE, N1)
    made.revisit(OTHER, N0)
    assert made.take_due(100.0) == {SLICE: {N0, N1}, OTHER: {N0}}
    assert made.take_due(100.0) == {}


# -- pauses -----------------------------------------------------------------------------------------------


def test_a_pause_and_a_look_come_to_their_time() -> None:
    made = SentOrders()
    made.pause(SLICE, 110.0)
    made.look_again(OTHER, 105.0)
    assert (made.timed(104.75), made.is_due(104.75), made.next_due(100.0)) == (set(), False, 105.0)
    assert (made.timed(105.0), made.is_due(105.0), made.next_due(105.0)) == ({OTHER}, True, 110.0)
    assert (made.timed(110.0), made.next_due(110.0)) == ({SLICE, OTHER}, NEVER)
    made.calm(SLICE)
    made.look_again(OTHER, NEVER)
    made.calm(SLICE)
    made.look_again(OTHER, NEVER)
    assert (made.timed(999.0), made.is_due(999.0), made.next_due(100.0)) == (set(), False, NEVER)


def test_slices_that_are_not_there_any_more_are_forgotten_whole() -> None:
    made = sent(KEY, sliver_key(OTHER, N0))
    for name in (SLICE, OTHER):
        made.pause(name, 110.0)
        made.look_again(name, 120.0)
    made.forget([SLICE, Slice("unknown")])
    assert (made.slices(), made.timed(120.0)) == ({OTHER}, {OTHER})
    made.forget([OTHER])
    assert (made.slices(), made.timed(120.0), made.next_due(100.0)) == (set(), set(), NEVER)


def test_other_bars_are_news_once() -> None:
    made = SentOrders()
    bars = bars_at({N0: Standing(excluded=Exclusion(by="ann", since=0.0))}, 1.0)
    told = [made.bars_changed({}), made.bars_changed(bars), made.bars_changed(bars), made.bars_changed({})]
    assert told == [False, True, False, True]


def test_it_listens_from_the_first_round_on_or_from_the_first_after_it_was_deaf() -> None:
    made = SentOrders()
    for now in (100.0, 101.0):
        made.listens(now)
    assert made.listening_since == 100.0
    made.deafened()
    assert made.listening_since == NEVER
    made.listens(105.0)
    assert made.listening_since == 105.0


# -- a round that is only thought of ----------------------------------------------------------------------


def test_a_copy_knows_what_concerns_its_slice_and_changes_nothing_here() -> None:
    made = sent(KEY, sliver_key(OTHER, N0))
    made.send(KEY, ORDER, now=102.0, said=0)
    made.pause(SLICE, 110.0)
    made.pause(OTHER, 111.0)
    made.listens(90.0)
    bars = bars_at({N0: Standing(excluded=Exclusion(by="ann", since=0.0))}, 1.0)
    made.bars_changed(bars)
    copy = made.fork(SLICE)
    assert (copy.is_thought, made.is_thought, copy.listening_since) == (True, False, 90.0)
    assert (copy.slices(), copy.timed(200.0), copy.bars_changed(bars)) == ({SLICE}, {SLICE}, False)
    assert copy.next_due(102.0) == 106.0
    assert copy.send(KEY, ORDER, now=106.0, said=0)
    copy.calm(SLICE)
    copy.keep(SLICE, ())
    assert (made.slices(), made.timed(110.0)) == ({SLICE, OTHER}, {SLICE})
    assert made.take_due(106.0) == {SLICE: {N0}, OTHER: {N0}}


def test_a_copy_owes_nobody_who_was_answered_here() -> None:
    fleet, node, made = Fleet(), ToyNode(N0), SentOrders()
    fleet.join(N0, now=100.0)
    fleet.fold(node.holdings(asks=True), now=100.0)
    made.answered(Slice(""), N0, fleet)
    copy = made.fork(SLICE)
    assert not copy.owes(Slice(""), N0, fleet)
    fleet.fold(node.holdings(asks=True), now=100.0)
    copy.answered(Slice(""), N0, fleet)
    assert made.owes(Slice(""), N0, fleet)
