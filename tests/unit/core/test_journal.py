"""The record of an event: JSON, and the same event again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from dsmt_core.channels import Channel
from dsmt_core.errors import Invalid
from dsmt_core.events import Event, Sender
from dsmt_core.journal import event_of, record
from tests.unit.core.legal_events import events

SENDER = Sender("s", "i", "b")


@given(events())
def test_every_legal_event_comes_back_out_of_its_line(event: Event) -> None:
    assert event_of(json.loads(json.dumps(record(event)))) == event


def test_what_stands_beside_is_left_out() -> None:
    event = SENDER.event(Channel("/a/"), "f", now=1.0, id_="i", pairs={"a": "1"})
    assert event_of(record(event) | {"offset": 7, "snapshot": True}) == event


@pytest.mark.parametrize(
    "wrong",
    [
        {"lost": 3},
        {"channel": 5},
        {"seq": "x"},
        {"pairs": 1},
        {"extra": {"n": {"$base64": "§"}}},
        {"ttl": -1},
    ],
)
def test_what_is_no_record_is_told(wrong: dict[str, Any]) -> None:
    event = SENDER.event(Channel("/a/"), "f", now=1.0, id_="i")
    with pytest.raises(Invalid):
        event_of(record(event) | wrong)


def test_half_a_record_is_told() -> None:
    with pytest.raises(Invalid):
        event_of({"channel": "/a/"})
