"""The current values on a channel: what holds, for how long, and how many at most."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from broker.values import Key, Values
from dsmt_core.channels import Channel
from dsmt_core.events import ATTRIBUTE, Event

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
    values = Values()
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
    values = Values()
    assert values.hear(said(seq=2), 0.0)
    assert not values.hear(said(seq=2), 5.0)
    assert not values.hear(said(seq=1), 5.0)
    assert values[key()].seq == 2
    assert values.next_end == 10.0


def test_an_instance_that_has_started_again_counts_anew() -> None:
    values = Values()
    values.hear(said(seq=9), 0.0)
    assert values.hear(said(seq=1, boot_id="another"), 1.0)
    assert values[key()].value == "1"


def test_a_value_ends_by_the_clock_of_the_hearer_and_a_repeat_keeps_it() -> None:
    values = Values()
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
    values = Values()
    assert not values.hear(said(expiry=0.0), 0.0)
    values.hear(said(seq=2), 0.0)
    assert values.hear(said(seq=3, expiry=0.0), 1.0)
    assert not values


def test_what_is_no_attribute_is_no_value() -> None:
    values = Values()
    assert not values.hear(said(payload="http://psepr.org/ns/payload/lease"), 0.0)
    assert values.hear(said(payload=ATTRIBUTE), 0.0)


def test_the_one_heard_least_recently_makes_room() -> None:
    values = Values(limit=2)
    for instance in ("a", "b"):
        values.hear(said(instance), 0.0)
    values.hear(said("a", 2), 1.0)
    values.hear(said("c"), 2.0)
    assert set(values) == {key("a"), key("c")}
    assert values.dropped == 1


def test_bytes_are_bounded_too() -> None:
    values = Values(limit_bytes=10_000)
    for number in range(50):
        values.hear(said(f"i{number}", pairs={"x": "y" * 1000}), 0.0)
    assert 1 <= len(values) <= 10
    assert values.dropped == 50 - len(values)
    assert key("i49") in values


def test_a_value_that_is_repeated_for_ever_takes_no_more_room() -> None:
    values = Values()
    for seq in range(1, 2_000):
        values.hear(said(seq=seq), float(seq))
    assert len(values._ends) < 100
    assert values.next_end == 1_999 + 10.0


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
    values, table, now = Values(), {}, 0.0
    for seq, (instance, field, wait, expiry) in enumerate(heard, 1):
        now += wait
        values.hear(said(instance, seq, field=field, expiry=expiry), now)
        table[key(instance, field)] = (seq, now + expiry)
        values.forget(now)
        assert {each: event.seq for each, event in values.items()} == {
            each: number for each, (number, end) in table.items() if end > now
        }
