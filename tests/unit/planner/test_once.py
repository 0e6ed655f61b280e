"""Each event once."""

from __future__ import annotations

from dsmt_core.channels import Channel
from dsmt_core.events import Event, Sender
from planner.once import Once

PINGER = Channel("/com/example/pinger/")


def event(sender: Sender) -> Event:
    return sender.event(PINGER, "f", now=0.0, id_=f"{sender.instance}")


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
