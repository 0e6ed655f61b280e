"""The last values: what holds, for how long, what is older, and how many at most."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.channels import Channel
from dsmt_core.events import ATTRIBUTE, Event
from dsmt_core.last_values import Key, LastValues

PINGER = Channel("/com/example/pinger/")


def said(instance: str = "a", seq: int = 1, **more: Any) -> Event:
    values = {
        "channel": PINGER,
        "service": "s",
        "instance": instance,
        "boot_id": f"life of {instance}",
        "seq": seq,
        "id": f"{instance}{seq}",
        "sent_at": 0.0,
        "field": "rtt",
        "value": str(seq),
        "expiry": 10.0,
    }
    return Event(**{**values, **more})


def key(instance: str = "a", field: str = "rtt") -> Key:
    return Key(PINGER, instance, field)


def test_of_each_instance_and_field_the_last_value_is_held() -> None:
    values = LastValues()
    assert values.hear(said(), 0.0)
    assert values.hear(said(seq=2), 1.0)
    assert values.hear(said("b"), 1.0)
    assert values.hear(said(seq=3, field="lost", value="7"), 1.0)
    assert {each: event.value for each, event in values.items()} == {
        key(): "2",
        key("b"): "1",
        key(field="lost"): "7",
    }


def test_a_double_and_one_that_was_overtaken_are_no_news() -> None:
    values = LastValues()
    assert values.hear(said(seq=2), 0.0)
    assert not values.hear(said(seq=2), 5.0)
    assert not values.hear(said(seq=1), 5.0)
    assert values[key()].seq == 2
    assert values.next_end == 10.0


def test_an_instance_that_has_started_again_counts_anew() -> None:
    values = LastValues()
    values.hear(said(seq=9), 0.0)
    assert values.hear(said(seq=1, boot_id="another"), 1.0)
    assert values[key()].value == "1"


def test_a_value_ends_by_the_clock_of_the_hearer_and_a_repeat_keeps_it() -> None:
    values = LastValues()
    values.hear(said(sent_at=1e9), 100.0)
    assert values.next_end == 110.0
    assert not values.forget(109.9)
    values.hear(said(seq=2), 109.9)
    assert not values.forget(110.0)
    assert values.next_end == 119.9
    assert values.forget(119.9)
    assert not values.forget(200.0)
    assert not values
    assert values.next_end == float("inf")


def test_an_expiry_of_nothing_takes_the_value_back() -> None:
    values = LastValues()
    assert not values.hear(said(expiry=0.0), 0.0)
    values.hear(said(seq=2), 0.0)
    assert values.hear(said(seq=3, expiry=0.0), 1.0)
    assert not values


def test_what_is_no_attribute_is_no_value() -> None:
    values = LastValues()
    assert not values.hear(said(payload="http://psepr.org/ns/payload/lease"), 0.0)
    assert values.hear(said(payload=ATTRIBUTE), 0.0)


def test_the_one_heard_least_recently_makes_room() -> None:
    values = LastValues(number=2)
    for instance in ("a", "b"):
        values.hear(said(instance), 0.0)
    values.hear(said("a", 2), 1.0)
    values.hear(said("c"), 2.0)
    assert set(values) == {key("a"), key("c")}
    assert values.dropped == 1


def test_bytes_are_bounded_too() -> None:
    values = LastValues(size=10_000)
    for number in range(50):
        values.hear(said(f"i{number}", pairs={"x": "y" * 1000}), 0.0)
    assert 1 <= len(values) <= 10
    assert values.dropped == 50 - len(values)
    assert key("i49") in values


def test_a_value_that_is_repeated_for_ever_takes_no_more_room() -> None:
    values = LastValues()
    for seq in range(1, 2_000):
        values.hear(said(seq=seq), float(seq))
    assert len(values._ends) < 100
    assert values.next_end == 1_999 + 10.0


def test_the_last_value_of_each_managed_part_holds() -> None:
    values = LastValues()
    for seq, (part, state) in enumerate((("a", "up"), ("b", "up"), ("a", "down")), 1):
        values.hear(said(seq=seq, pairs={"managed": part, "is": state}), 0.0)
    held = {each.managed: event.pairs["is"] for each, event in values.items()}
    assert held == {"a": "down", "b": "up"}


def test_the_one_heard_longest_ago_is_shown_first_if_it_passes_and_holds() -> None:
    values = LastValues()
    for at, instance in enumerate("abc"):
        values.hear(said(instance), float(at))
    values.hear(said("a", 2), 3.0)
    assert [value.event.instance for value in values.holding(10.9, lambda _: True)] == ["b", "c", "a"]
    assert [value.heard_at for value in values.holding(11.5, lambda _: True)] == [2.0, 3.0]
    assert not values.holding(11.5, lambda event: event.field != "rtt")


def test_between_two_lives_the_one_heard_later_is_newer() -> None:
    values = LastValues()
    values.hear(said(seq=1, boot_id="second"), 25.0)
    assert not values.hear(said(seq=9, boot_id="first"), 20.0)
    assert values.hear(said(seq=1, boot_id="third"), 26.0)


def test_what_is_over_is_not_brought_back_by_what_was_said_before() -> None:
    values = LastValues()
    values.hear(said(seq=2), 0.0)
    values.hear(said(seq=3, expiry=0.0), 1.0)
    assert not values.hear(said(seq=2), 2.0)
    values.hear(said(seq=4), 3.0)
    assert values.forget(13.0)
    assert not values.hear(said(seq=4), 14.0)
    assert values.hear(said(seq=5), 15.0)


def test_no_more_that_are_over_are_remembered_than_may_be_held() -> None:
    values = LastValues(number=3)
    for number in range(10):
        values.hear(said(f"i{number}", expiry=0.0), 0.0)
    assert len(values._over) == 3


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), max_size=60))
def test_in_whatever_order_the_newest_of_each_wins(heard: list[tuple[int, int]]) -> None:
    values = LastValues()
    for instance, seq in heard:
        values.hear(said(str(instance), seq), 1.0)
    newest = {str(instance): max(n for i, n in heard if i == instance) for instance, _ in heard}
    assert {each.instance: event.seq for each, event in values.items()} == newest


HEARD = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["x", "y"]),
        st.integers(0, 20).map(float),
        st.integers(0, 10).map(float),
    ),
    max_size=40,
)


@given(HEARD)
def test_it_holds_what_a_plain_table_with_the_same_times_would(heard: list[tuple[Any, ...]]) -> None:
    values, table, now = LastValues(), {}, 0.0
    for seq, (instance, field, wait, expiry) in enumerate(heard, 1):
        now += wait
        values.hear(said(instance, seq, field=field, expiry=expiry), now)
        table[key(instance, field)] = (seq, now + expiry)
        values.forget(now)
        assert {each: event.seq for each, event in values.items()} == {
            each: number for each, (number, end) in table.items() if end > now
        }
