"""From where a broken stream goes on."""

from __future__ import annotations

from typing import cast

import pytest

from dsmtc.client import EventRecord
from dsmtc.following import Place


def _event(**more: int) -> EventRecord:
    return cast("EventRecord", {"channel": "/a/", **more})


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
