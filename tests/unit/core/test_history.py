"""What is kept, and how the beginning of a replay is read."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.channels import Channel, facts_channel, heartbeat_channel, status_channel
from dsmt_core.errors import Invalid
from dsmt_core.events import Event, Sender
from dsmt_core.history import Beginning, Since, kept, since
from dsmt_core.names import DEPLOYMENT_AGENT, Host, Slice

NOW = 1_800_000_000.0
SENDER = Sender("s_mgr", "h/agent", "boot")
HOST = Host("h")
STATUS = status_channel(Slice("s"), DEPLOYMENT_AGENT, HOST)
PINGER = Channel("/com/example/pinger/")


def event(channel: Channel, field: str = "status", *, sent_at: float = NOW, rate: float = 0.0) -> Event:
    return SENDER.event(channel, field, now=sent_at, id_="i", emit_rate=rate)


@pytest.mark.parametrize(
    ("said", "is_kept"),
    [
        (event(STATUS, "deployment-status"), True),
        (event(STATUS, "status", rate=60.0), False),
        (event(heartbeat_channel(HOST), "heartbeat"), False),
        (event(facts_channel(HOST), "facts"), False),
        (event(facts_channel(HOST), "holdings"), False),
        (event(Channel("/org/dsmt/ns/health/planner/"), "health"), False),
        (event(PINGER, "round-trip", rate=5.0), True),
        (event(PINGER, "health"), True),
        (event(Channel("/org/dsmt/nsx/"), "health"), True),
    ],
)
def test_kept_is_all_but_what_the_parts_repeat(said: Event, *, is_kept: bool) -> None:
    assert kept(said) is is_kept


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("first", Since()),
        ("0", Since(offset=0)),
        ("999999999", Since(offset=999_999_999)),
        ("1000000000", Since(time=1e9)),
        ("1764201600.25", Since(time=1_764_201_600.25)),
        ("30s", Since(time=NOW - 30)),
        ("1.5m", Since(time=NOW - 90)),
        ("2h", Since(time=NOW - 7200)),
        ("1d", Since(time=NOW - 86_400)),
        ("999999999d", Since(time=0.0)),
        ("2026-03-01", Since(time=1_772_323_200.0)),
        ("2026-03-01T12:00", Since(time=1_772_366_400.0)),
        ("2026-03-01 12:00:00", Since(time=1_772_366_400.0)),
        ("2026-03-01T12:00:00.5Z", Since(time=1_772_366_400.5)),
        ("2026-03-01T13:00:00+01:00", Since(time=1_772_366_400.0)),
        ("2026-03-01T07:30:00-0430", Since(time=1_772_366_400.0)),
        ("2024-02-29", Since(time=1_709_164_800.0)),
    ],
)
def test_a_beginning_is_read(text: str, meant: Since) -> None:
    assert since(text, now=NOW) == meant


@pytest.mark.parametrize(
    "text",
    [
        *("", "last", "-1", "1.5", "10x", "s", "1e3", "\u0663", "10 m", "first\n", "1" * 16),
        *("2026-13-01", "2026-00-01", "2026-02-29", "0000-01-01"),
        *("2026-03-01T24:00", "2026-03-01T12:60", "2026-03-01T12:00:61", "2026-03-01T12:00Q"),
    ],
)
def test_what_is_no_beginning_is_told(text: str) -> None:
    with pytest.raises(Invalid) as error:
        since(text, now=NOW)
    assert "first" in error.value.hint


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001
def test_iso_8601_is_read_as_the_library_writes_it(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    read = since(aware.isoformat(), now=NOW).time
    assert read == pytest.approx(aware.timestamp(), abs=1e-5)


@given(st.text(max_size=40))
def test_any_text_is_a_beginning_or_invalid(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert isinstance(since(text, now=NOW), Since)


def test_what_lies_before_an_offset_is_skipped() -> None:
    beginning = Beginning(Since(offset=2))
    assert [beginning.reached(event(PINGER), offset) for offset in range(4)] == [False, False, True, True]


def test_only_the_leading_events_before_a_time_are_skipped() -> None:
    beginning = Beginning(Since(time=NOW))
    times = [NOW - 2, NOW - 1, NOW, NOW - 1, NOW + 1]
    found = [beginning.reached(event(PINGER, sent_at=at), offset) for offset, at in enumerate(times)]
    assert found == [False, False, True, True, True]


def test_with_both_the_time_counts_behind_the_offset() -> None:
    beginning = Beginning(Since(offset=1, time=NOW))
    times = [NOW + 1, NOW - 1, NOW + 1]
    found = [beginning.reached(event(PINGER, sent_at=at), offset) for offset, at in enumerate(times)]
    assert found == [False, False, True]
