"""From where a broken stream goes on."""

from __future__ import annotations

from typing import cast

import pytest

from dsmtc.client import EventRecord, Lost
from dsmtc.following import Place


def _event(**more: object) -> EventRecord:
    said = {"channel": "/a/", "instance": "h/a", "boot_id": "b", "seq": 1, "id": "i"}
    return cast("EventRecord", {**said, **more})


def test_it_goes_on_behind_the_last_one_shown() -> None:
    place = Place("first", 100.0)
    place.passed(_event(offset=7))
    place.passed(_event(offset=9))
    place.passed({"lost": 3})
    assert place.since(200.0) == "10"


@pytest.mark.parametrize("since", ["first", "42", "2026-03-01T12:00:00Z", "1700000000.5"])
def test_a_fixed_place_stays_until_something_is_shown(since: str) -> None:
    assert Place(since, 100.0).since(160.0) == since


@pytest.mark.parametrize(
    ("since", "later"),
    [("10m", "660.500s"), ("30s", "90.500s"), ("1.5h", "5460.500s"), ("1d", "86460.500s")],
)
def test_a_time_ago_grows_so_that_nothing_falls_out_in_front(since: str, later: str) -> None:
    place = Place(since, 100.0)
    assert place.since(100.0) == since
    assert place.since(160.5) == later


@pytest.mark.parametrize(("since", "known"), [("42", "42"), ("first", ""), ("10m", ""), ("1700000000", "")])
def test_only_an_offset_depends_on_the_history(since: str, known: str) -> None:
    place = Place(since, 100.0)
    assert place.known() == known
    assert place.is_at([])
    place.passed(_event(offset=7))
    assert place.known() == "7"


def test_the_history_is_the_same_where_the_event_shown_last_is_at_its_offset() -> None:
    place = Place("first", 100.0)
    place.passed(_event(offset=7, seq=3))
    assert place.is_at([_event(offset=7, seq=3), _event(offset=8, seq=4)])
    assert place.is_at([_event(offset=7, seq=3, told_by_a_later_planner=True)])


@pytest.mark.parametrize(
    "found",
    [
        [],
        [{"lost": 1}],
        [_event(offset=8, seq=3)],
        [_event(offset=7, seq=4)],
        [_event(offset=7, seq=3, boot_id="c")],
        [_event(offset=7, seq=3, instance="h2/a")],
        [_event(offset=7, seq=3, id="j")],
    ],
)
def test_it_is_another_where_anything_else_is_found(found: list[EventRecord | Lost]) -> None:
    place = Place("first", 100.0)
    place.passed(_event(offset=7, seq=3))
    assert not place.is_at(found)
