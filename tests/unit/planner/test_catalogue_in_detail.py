"""The catalogue by its values: what each breach says, when it ends, and what people are shown."""

from __future__ import annotations

from typing import Any

import pytest

from dsmt_core.channels import Channel
from dsmt_core.events import ATTRIBUTE, Event
from dsmt_core.names import CONTAINER_MGR, Host, Slice
from dsmt_core.services import SERVICE_DESCRIPTION, Use
from planner.catalogue import (
    PARTS,
    Breach,
    BreachChange,
    Catalogue,
    Kind,
    channels_shown,
    services_shown,
    shown,
    silence_shown,
)
from planner.catalogue.breaches import Breaches, Pulses
from planner.catalogue.parts import is_own, own_use
from planner.catalogue.rows import Row, Rows
from planner.place import Place
from planner.silences import Thing, Watched

PINGER = Channel("/com/example/pinger/")
OTHER = Channel("/com/example/other/")
PAIRS = {
    "text": "round-trip times",
    "channel.1": PINGER,
    "field.1": "round-trip",
    "least.1": "1",
    "greatest.1": "30",
}


def said(field: str = "round-trip", channel: str = PINGER, **more: Any) -> Event:
    return Event(
        **{
            "channel": Channel(channel), "field": field, "service": "pinger", "instance": "n1/pinger",
            "boot_id": "b", "seq": 1, "id": "1", "sent_at": 1000.0, **more,
        }
    )  # fmt: skip


def hear(catalogue: Catalogue, *events: Event, now: float = 5.0) -> list[BreachChange]:
    return [change for event in events for change in catalogue.heard(event, user="ann", now=now)]


def described(**more: str) -> Catalogue:
    catalogue = Catalogue()
    hear(catalogue, said(SERVICE_DESCRIPTION, pairs=PAIRS | more), now=1.0)
    return catalogue


# -- breaches -------------------------------------------------------------------------------------------

WHERE = "pinger", Kind.UNDESCRIBED, PINGER, "f"


def test_a_breach_is_raised_once_and_keeps_its_first_and_last_time() -> None:
    breaches = Breaches()
    first = breaches.raised(WHERE, said(), "one", 10.0)
    assert first == [BreachChange(Breach(*WHERE, "n1/pinger", "one", 10.0, 10.0, 1), raised=True)]
    assert breaches.raised(WHERE, said(instance="n2"), "two", 20.0) == []
    again = Breach(*WHERE, "n2", "two", 10.0, 20.0, 2)
    assert breaches.all() == [again]
    assert breaches.tick(320.0) == []
    assert breaches.tick(320.5) == [BreachChange(again, raised=False)]
    assert breaches.all() == []


def test_each_service_kind_channel_and_field_is_a_breach_of_its_own() -> None:
    breaches = Breaches()
    other = "other", Kind.UNDESCRIBED, PINGER, "f"
    wheres = [WHERE, other, ("pinger", Kind.ILLEGAL, PINGER, "f"), ("pinger", Kind.ILLEGAL, OTHER, "f")]
    for number, where in enumerate(wheres):
        assert len(breaches.raised(where, said(), "", 100.0 * number)) == 1
    ended = breaches.described_anew("pinger")
    assert [(each.breach.kind, each.breach.channel, each.raised) for each in ended] == [
        (Kind.UNDESCRIBED, PINGER, False),
        (Kind.ILLEGAL, PINGER, False),
        (Kind.ILLEGAL, OTHER, False),
    ]
    assert [each.service for each in breaches.all()] == ["other"]
    assert (breaches.described_anew("pinger"), breaches.left_out) == ([], 0)


def test_what_is_beyond_a_thousand_is_counted() -> None:
    breaches = Breaches()
    for number in range(1_002):
        raised = breaches.raised((f"s{number}", Kind.ILLEGAL, PINGER, ""), said(), "", 0.0)
        assert len(raised) == (number < 1_000)
    assert (len(breaches.all()), breaches.left_out) == (1_000, 2)


USE = Use(channel=PINGER, field="round-trip", least_s=1.0, greatest_s=30.0)
SLACK = Use(channel=PINGER, field="round-trip")


@pytest.mark.parametrize(
    ("gap", "use", "odd"),
    [
        (0.875, USE, (Kind.TOO_OFTEN, "0.875 s after the one before; the least is 1 s")),
        (0.9375, USE, None),
        (1.0, USE, None),
        (33.5, USE, None),
        (33.75, USE, (Kind.TOO_SELDOM, "33.8 s after the one before; the greatest is 30 s")),
        (0.125, SLACK, None),
        (90.0, SLACK, None),
        (0.0, USE, None),
        (-1.0, USE, None),
    ],
)
def test_the_gap_between_two_events_may_be_a_tenth_and_half_a_second_off(
    gap: float, use: Use, odd: tuple[Kind, str] | None
) -> None:
    pulses = Pulses()
    assert pulses.odd(said(sent_at=1024.0), use, "") is None
    assert pulses.odd(said(sent_at=1024.0 + gap), use, "") == odd


def test_what_comes_a_second_time_moves_nothing_and_another_life_begins_anew() -> None:
    pulses = Pulses()
    for at, life, about, odd in (
        (1000.0, "b", "", False),
        (999.0, "b", "", False),
        (1000.0, "b", "", False),
        (1000.5, "b", "", True),
        (1000.5, "b", "app", False),
        (900.0, "c", "", False),
        (900.25, "c", "", True),
    ):
        assert (pulses.odd(said(sent_at=at, boot_id=life), USE, about) is not None) is odd


def test_the_clock_that_was_looked_at_least_recently_is_forgotten() -> None:
    pulses = Pulses(2)
    for instance, at, odd in (
        ("a", 1000.0, False),
        ("b", 1000.0, False),
        ("a", 1000.5, True),
        ("c", 1000.0, False),
        ("a", 1000.75, True),
        ("b", 1000.5, False),
    ):
        assert (pulses.odd(said(sent_at=at, instance=instance), USE, "") is not None) is odd


# -- what is heard --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (said(channel=OTHER), "it did not describe this channel"),
        (said("f" * 61), f"it did not describe the field '{'f' * 60}' there"),
        (
            said(payload="http://e.org/" + "p" * 80),
            f"it did not describe the payload http://e.org/{'p' * 67} there",
        ),
    ],
)
def test_what_was_not_described_is_told_with_the_place(event: Event, reason: str) -> None:
    catalogue = described()
    (change,) = hear(catalogue, event)
    where = "pinger", Kind.UNDESCRIBED, event.channel, event.field
    assert change == BreachChange(Breach(*where, "n1/pinger", reason, 5.0, 5.0, 1), raised=True)


def test_of_several_uses_of_a_channel_one_covers_the_field() -> None:
    more = {"channel.2": "/com/example/", "field.2": "load", "channel.3": PINGER, "direction.3": "hears"}
    catalogue = described(**more)
    assert hear(catalogue, said("load"), said("load", OTHER)) == []
    (other,) = hear(catalogue, said("other"))
    assert other.breach.reason == "it did not describe the field 'other' there"


def test_a_use_that_names_no_field_covers_all_and_then_the_payload_is_what_differs() -> None:
    catalogue = described(**{"field.1": ""})
    assert hear(catalogue, said("whatever")) == []
    (change,) = hear(catalogue, said("other", payload="http://e.org/x"))
    assert change.breach.reason == "it did not describe the payload http://e.org/x there"


def test_what_may_come_as_often_as_it_likes_is_not_judged() -> None:
    catalogue = described(**{"least.1": "", "greatest.1": ""})
    assert hear(catalogue, said(), said(sent_at=1000.1), said(sent_at=9000.0)) == []


def test_too_often_is_told_with_the_channel_of_the_use() -> None:
    catalogue = described()
    below = f"{PINGER}n1/"
    (change,) = hear(catalogue, said(channel=below), said(channel=below, sent_at=1000.5), now=7.0)
    reason = "0.5 s after the one before; the least is 1 s"
    where = "pinger", Kind.TOO_OFTEN, PINGER, "round-trip"
    assert change == BreachChange(Breach(*where, "n1/pinger", reason, 7.0, 7.0, 1), raised=True)


def test_an_event_that_says_no_time_is_not_judged_by_it() -> None:
    catalogue = described()
    assert hear(catalogue, said(sent_at=0.0), said(sent_at=0.0), said(sent_at=0.5)) == []


@pytest.mark.parametrize("only", ["least.1", "greatest.1"])
def test_one_bound_alone_is_judged(only: str) -> None:
    other = "greatest.1" if only == "least.1" else "least.1"
    catalogue = described(**{other: ""})
    assert hear(catalogue, said(), said(sent_at=1000.5 if only == "least.1" else 1040.0))


def test_a_silence_is_told_with_the_greatest_time() -> None:
    thing = Thing(PINGER, "n1/pinger", "round-trip", "")
    (late,) = described().late(thing, said(), 90.0)
    reason = "n1/pinger has said nothing for longer than 30 s"
    where = "pinger", Kind.TOO_SELDOM, PINGER, "round-trip"
    assert late == BreachChange(Breach(*where, "n1/pinger", reason, 90.0, 90.0, 1), raised=True)
    assert described(**{"greatest.1": ""}).late(thing, said(), 90.0) == []


def test_a_description_that_cannot_be_read_is_told_with_the_reason() -> None:
    catalogue = Catalogue()
    event = said(SERVICE_DESCRIPTION, pairs={"text": "?"})
    (change,) = hear(catalogue, event)
    reason = "the description of pinger names no channel"
    where = "pinger", Kind.ILLEGAL, PINGER, SERVICE_DESCRIPTION
    assert change == BreachChange(Breach(*where, "n1/pinger", reason, 5.0, 5.0, 1), raised=True)
    assert dict(catalogue.described) == {}


def test_below_the_parts_channels_nobody_else_says_anything() -> None:
    (change,) = hear(Catalogue(), said("strange", "/org/dsmt/ns/planner/status/"))
    assert change.breach.reason == "no part of DSMT says this there"
    assert change.breach.channel == "/org/dsmt/ns/planner/status/"
    assert is_own(Channel("/org/dsmt/"))
    assert not is_own(Channel("/org/dsmtx/"))


def test_who_described_itself_least_recently_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.catalogue.catalogue.SERVICES", 2)
    catalogue = Catalogue()
    for service in ("a", "b", "a", "c"):
        hear(catalogue, said(SERVICE_DESCRIPTION, service=service, pairs=PAIRS))
    assert list(catalogue.described) == ["a", "c"]


def test_the_health_of_a_part_is_described_with_its_greatest_time() -> None:
    use = own_use(said("health", "/org/dsmt/ns/node/n1/facts/"))
    assert use is not None
    assert (use.greatest_s, use.channel) == (300.0, "/org/dsmt/ns/node/*/facts/")
    holdings = own_use(said("holdings", "/org/dsmt/ns/node/n1/facts/"))
    assert holdings is not None
    assert holdings.greatest_s == 0.0
    assert own_use(said("health", "/org/dsmt/ns/node/n1/facts/", payload="http://e.org/x")) is None
    assert own_use(said("nothing", "/org/dsmt/ns/node/n1/facts/")) is None


# -- rows -----------------------------------------------------------------------------------------------


def test_a_row_counts_what_is_heard_and_keeps_the_last() -> None:
    rows = Rows()
    rows.heard(said("a", emit_rate=10.0), 1.0)
    rows.heard(said("b", instance="n2", emit_rate=20.0), 2.0)
    assert list(rows) == [Row(PINGER, "pinger", "n2", 2, 2.0, {"a", "b"}, 20.0)]


def test_sixteen_fields_are_kept_and_the_row_heard_least_recently_goes() -> None:
    rows = Rows(2)
    for number in range(17):
        rows.heard(said(f"f{number}"), 1.0)
    assert [row.fields for row in rows] == [{f"f{number}" for number in range(16)}]
    for service in ("a", "pinger", "b"):
        rows.heard(said(service=service), 2.0)
    assert [row.service for row in rows] == ["pinger", "b"]
    assert len(rows) == 2


# -- what people are shown ------------------------------------------------------------------------------

SHOWN_USE = {
    "channel": PINGER,
    "direction": "generates",
    "payload": ATTRIBUTE,
    "field": "round-trip",
    "least_s": 1.0,
    "greatest_s": 30.0,
}
SHOWN_BREACH = {
    "service": "pinger",
    "kind": "undescribed",
    "channel": OTHER,
    "field": "round-trip",
    "instance": "n1/pinger",
    "reason": "it did not describe this channel",
    "since": 5.0,
    "last": 6.0,
    "times": 2,
}


def busy() -> Catalogue:
    catalogue = described()
    hear(catalogue, said(channel=OTHER), now=5.0)
    hear(catalogue, said(channel=OTHER), now=6.0)
    hear(catalogue, said("x", "/net/z/", service="z"), said("x", "/net/a/", service="a"), now=4.0)
    hear(catalogue, said("health", "/org/dsmt/ns/node/n1/facts/", service=CONTAINER_MGR), now=3.0)
    return catalogue


def test_services_are_shown_parts_first_then_the_described_then_who_was_heard() -> None:
    answer = services_shown(busy(), lambda _channel: True)
    parts, others = answer["services"][: len(PARTS)], answer["services"][len(PARTS) :]
    assert [each["service"] for each in parts] == [part.service for part in PARTS]
    assert {(each["part"], each["described"]) for each in parts} == {(True, True)}
    heard = {each["service"]: (each["events"], each["heard_at"]) for each in parts}
    assert heard.pop(CONTAINER_MGR) == (1, 3.0)
    assert set(heard.values()) == {(0, 0.0)}
    assert others == [
        {
            "service": "pinger",
            "text": "round-trip times",
            "part": False,
            "described": True,
            "channels": [SHOWN_USE],
            "described_by": "ann",
            "instance": "n1/pinger",
            "described_at": 1.0,
            "events": 3,
            "heard_at": 6.0,
        },
        *(
            {
                "service": name,
                "text": "",
                "part": False,
                "described": False,
                "channels": [],
                "events": 1,
                "heard_at": 4.0,
            }
            for name in ("a", "z")
        ),
    ]
    assert (answer["breaches"], answer["left_out"]) == ([SHOWN_BREACH], 0)


def test_of_what_one_may_not_hear_nothing_is_counted_or_shown() -> None:
    answer = services_shown(busy(), lambda channel: channel not in {OTHER, "/net/a/"})
    counted = {each["service"]: each["events"] for each in answer["services"]}
    assert (counted["pinger"], counted["z"], "a" in counted) == (1, 1, False)
    assert answer["breaches"] == []


def test_more_services_than_are_shown_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "SHOWN", 1)
    answer = services_shown(busy(), lambda channel: channel.startswith("/net/"))
    assert [each["service"] for each in answer["services"][len(PARTS) :]] == ["pinger", "a"]
    assert answer["left_out"] == 1


WATCHED = Watched(
    Thing(PINGER, "n1/pinger", "round-trip", "app"),
    said(),
    Place(Slice("xyz1"), Host("n1")),
    period=10.0,
    heard=3.0,
    silent_since=28.0,
)
SHOWN_SILENCE = {
    "channel": PINGER,
    "instance": "n1/pinger",
    "service": "pinger",
    "field": "round-trip",
    "about": "app",
    "host": "n1",
    "slice": "xyz1",
    "heard_at": 3.0,
    "since": 28.0,
    "period": 10.0,
}


def test_a_silence_is_shown() -> None:
    assert silence_shown(WATCHED) == SHOWN_SILENCE


def channels(
    below: str, *silent: Watched, catalogue: Catalogue | None = None, hidden: str = ""
) -> dict[str, Any]:
    return channels_shown(
        catalogue or busy(), silent, below=Channel(below), allowed=lambda channel: channel != hidden
    )


def test_channels_are_shown_with_who_says_what() -> None:
    catalogue = busy()
    hear(catalogue, said("b", service="z", emit_rate=9.0), said("a", service="k", emit_rate=2.0), now=8.0)
    answer = channels("/com/example/", WATCHED, WATCHED, catalogue=catalogue)
    assert answer["channels"] == [
        {
            "channel": OTHER,
            "said_by": ["pinger"],
            "fields": ["round-trip"],
            "events": 2,
            "heard_at": 6.0,
            "period": 0.0,
            "silent": 0,
        },
        {
            "channel": PINGER,
            "said_by": ["k", "pinger", "z"],
            "fields": ["a", "b", SERVICE_DESCRIPTION],
            "events": 3,
            "heard_at": 8.0,
            "period": 9.0,
            "silent": 2,
        },
    ]
    assert answer["described"] == [{"service": "pinger", **SHOWN_USE}]
    assert answer["silences"] == [SHOWN_SILENCE, SHOWN_SILENCE]
    assert answer["left_out"] == 0


def test_of_channels_that_one_may_not_hear_neither_events_nor_silences_are_shown() -> None:
    answer = channels("/com/", WATCHED, hidden=PINGER)
    assert [each["channel"] for each in answer["channels"]] == [OTHER]
    assert answer["silences"] == []
    assert channels("/net/", WATCHED)["silences"] == []


def test_what_covers_a_channel_is_shown_for_it_though_it_is_above() -> None:
    catalogue = described(**{"channel.2": "/com/", "direction.2": "hears"})
    told = channels(f"{PINGER}n1/", catalogue=catalogue)["described"]
    assert told == [{"service": "pinger", **SHOWN_USE}]
    both = channels("/com/", catalogue=catalogue)["described"]
    assert [each["direction"] for each in both] == ["generates", "hears"]


def test_more_channels_and_silences_than_are_shown_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "SHOWN", 1)
    answer = channels("/com/", WATCHED, WATCHED, WATCHED)
    assert [each["channel"] for each in answer["channels"]] == [OTHER]
    assert (len(answer["silences"]), answer["left_out"]) == (1, 3)
    assert channels("/net/a/", WATCHED)["left_out"] == 0
