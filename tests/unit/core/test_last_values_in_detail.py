"""The last values: which was said later, when one ends, and what makes room, one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dsmt_core.channels import Channel
from dsmt_core.events import (
    Event,
    Sender,
    memory_of,
)
from dsmt_core.last_values import Key, LastValues, Told, Value


def event(**more: Any) -> Event:
    made = Sender("s", "n1/agent", "b").event(Channel("/a/"), "f", now=1.5, id_="i")
    return replace(made, **more)


@pytest.mark.parametrize(
    ("one", "other", "overtakes"),
    [
        (Told("b", 2, 5.0), Told("b", 1, 9.0), True),
        (Told("b", 2, 5.0), Told("b", 2, 9.0), True),
        (Told("b", 2, 5.0), Told("b", 3, 1.0), False),
        (Told("b", 2, 5.0), Told("c", 9, 4.0), True),
        (Told("b", 2, 5.0), Told("c", 1, 5.0), False),
        (Told("b", 2, 5.0), Told("c", 1, 6.0), False),
        # Without a life, when it was heard decides.
        (Told("", 2, 5.0), Told("", 3, 4.0), True),
        (Told("", 2, 5.0), Told("", 1, 6.0), False),
    ],
)
def test_which_of_two_was_said_later(one: Told, other: Told, overtakes: bool) -> None:  # noqa: FBT001
    assert one.overtakes(other) is overtakes


def value(instance: str, seq: int = 1, **more: Any) -> Event:
    return event(instance=instance, seq=seq, expiry=10.0, **more)


def key(instance: str, managed: str = "") -> Key:
    return Key(Channel("/a/"), instance, "f", managed)


def test_a_value_says_until_when_it_holds() -> None:
    held = Value(value("i", 3), 5.0, 7)
    assert (held.until, held.told) == (15.0, Told("b", 3, 5.0))


def test_as_many_values_are_held_as_are_allowed() -> None:
    values = LastValues(number=2, size=10_000)
    for at, instance in enumerate("ab"):
        assert values.hear(value(instance), float(at))
    assert (list(values), values.dropped, values.next_end) == ([key("a"), key("b")], 0, 10.0)
    values.hear(value("c"), 2.0)
    assert (list(values), values.dropped, values.next_end) == ([key("b"), key("c")], 1, 11.0)
    assert values[key("c")].instance == "c"
    assert len(values) == 2


def test_as_many_bytes_are_held_as_are_allowed() -> None:
    size = memory_of(value("a"))
    values = LastValues(size=2 * size)
    for seq in range(1, 6):
        for instance in "ab":
            values.hear(value(instance, seq), float(seq))
    assert (len(values), values.dropped) == (2, 0)
    values.hear(value("c"), 9.0)
    assert (list(values), values.dropped) == ([key("b"), key("c")], 1)
    # What was taken back or is over takes no room.
    values.hear(replace(value("b", 9), expiry=0.0), 9.0)
    values.hear(value("d"), 9.0)
    assert (list(values), values.dropped) == ([key("c"), key("d")], 1)
    assert values.forget(19.0)
    for instance in "ef":
        values.hear(value(instance), 20.0)
    assert (list(values), values.dropped) == ([key("e"), key("f")], 1)


def test_what_is_over_is_remembered_as_long_as_there_is_room() -> None:
    values = LastValues(number=2)
    for instance in "ab":
        assert not values.hear(replace(value(instance, 5), expiry=0.0), 1.0)
    # Said again, it is remembered longer.
    values.hear(replace(value("a", 6), expiry=0.0), 2.0)
    values.hear(replace(value("c", 5), expiry=0.0), 3.0)
    assert not values.hear(value("a", 4), 4.0)
    assert not values.hear(value("c", 4), 4.0)
    assert values.hear(value("b", 4), 4.0)


def test_a_value_is_another_than_before_or_not() -> None:
    values = LastValues()
    managed = {"managed": "x"}
    assert values.hear(value("a", pairs=managed), 0.0)
    assert list(values) == [key("a", "x")]
    assert not values.hear(value("a", pairs=managed), 1.0)
    assert values.hear(value("a", 2, pairs=managed), 1.0)
    assert values.hear(replace(value("a", 3, pairs=managed), expiry=0.0), 2.0)
    assert not values.hear(replace(value("a", 4, pairs=managed), expiry=0.0), 3.0)
    assert (values.next_end, values.forget(99.0)) == (float("inf"), False)
