"""What holds now, and each event once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.channels import Channel
from dsmt_core.events import Event, Sender
from planner.last_values import LastValues
from planner.once import Once

PINGER = Channel("/com/example/pinger/")


def event(sender: Sender, field: str = "f", *, channel: Channel = PINGER, **more: object) -> Event:
    return sender.event(channel, field, now=0.0, id_=f"{sender.instance}", **more)


def everything(_event: Event) -> bool:
    return True


def test_the_last_value_of_each_instance_field_and_managed_part_holds() -> None:
    one, two = Sender("s", "one", "b"), Sender("s", "two", "b")
    said = [
        event(one, "round-trip", value="1"),
        event(two, "round-trip", value="2"),
        event(one, "round-trip", value="3"),
        event(one, "loss", value="0"),
        event(one, "state", pairs={"managed": "a", "is": "up"}),
        event(one, "state", pairs={"managed": "b", "is": "up"}),
        event(one, "state", pairs={"managed": "a", "is": "down"}),
        event(one, "round-trip", channel=Channel("/com/other/"), value="4"),
    ]
    values = LastValues()
    for at, each in enumerate(said):
        values.heard(each, float(at))
    assert values.holding(10.0, everything) == [said[i] for i in (1, 2, 3, 5, 6, 7)]
    assert values.holding(10.0, lambda each: each.field == "loss") == [said[3]]


def test_a_value_that_is_over_is_forgotten() -> None:
    values = LastValues()
    sender = Sender("s", "i", "b")
    short, long = event(sender, "short", expiry=5.0), event(sender, "long", expiry=60.0)
    values.heard(short, 100.0)
    values.heard(long, 100.0)
    assert values.holding(104.9, everything) == [short, long]
    assert values.holding(105.0, everything) == [long]
    assert len(values) == 1


def test_an_older_value_never_replaces_a_newer() -> None:
    values = LastValues()
    sender, next_life = Sender("s", "i", "one"), Sender("s", "i", "two")
    first, second, third = event(sender), event(sender), event(next_life)
    values.heard(second, 10.0)
    values.heard(first, 20.0)
    assert values.holding(30.0, everything) == [second]
    values.heard(third, 25.0)
    values.heard(second, 10.0)
    assert values.holding(30.0, everything) == [third]


def test_the_one_heard_longest_ago_makes_room() -> None:
    values = LastValues(number=3)
    said = [event(Sender("s", str(number), "b")) for number in range(5)]
    for at, each in enumerate(said):
        values.heard(each, float(at))
    assert values.holding(5.0, everything) == said[2:]
    heavy = LastValues(size=11_000)
    for at, each in enumerate(event(Sender("s", str(n), "b"), value="x" * 4_000) for n in range(5)):
        heavy.heard(each, float(at))
    assert len(heavy) == 2


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=60))
def test_in_whatever_order_the_newest_of_each_wins(heard: list[tuple[int, int]]) -> None:
    senders = [Sender("s", str(number), "b") for number in range(4)]
    said = [[event(sender) for _ in range(10)] for sender in senders]
    values = LastValues()
    for instance, number in heard:
        values.heard(said[instance][number], 1.0)
    newest = {instance: max(n for i, n in heard if i == instance) for instance, _ in heard}
    held = {each.instance: each for each in values.holding(2.0, everything)}
    assert held == {str(instance): said[instance][number] for instance, number in newest.items()}


def test_an_event_is_new_once() -> None:
    once = Once()
    sender = Sender("s", "i", "b")
    first, second = event(sender), event(sender)
    assert [once.is_new(each) for each in (second, first, second, first)] == [True, True, False, False]
    assert once.is_new(event(Sender("s", "i", "another life")))


def test_without_a_life_the_id_tells_and_without_both_nothing() -> None:
    once = Once()
    named = event(Sender("s", "i", ""))
    assert [once.is_new(named), once.is_new(named)] == [True, False]
    nameless = Sender("s", "", "").event(PINGER, "f", now=0.0, id_="")
    assert [once.is_new(nameless), once.is_new(nameless)] == [True, True]


def test_only_the_last_are_known() -> None:
    once = Once(limit=2)
    sender = Sender("s", "i", "b")
    said = [event(sender) for _ in range(3)]
    assert all(once.is_new(each) for each in said)
    assert once.is_new(said[0])
    assert not once.is_new(said[2])
