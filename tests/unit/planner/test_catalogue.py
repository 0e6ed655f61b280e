"""The catalogue: who described what, what is heard of whom, and who does otherwise than it said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dsmt_core.channels import Channel, facts_channel, status_channel
from dsmt_core.events import DEPLOYMENT_STATUS, Event
from dsmt_core.names import DEPLOYMENT_AGENT, SLIVER_MGR, Host, Slice
from dsmt_core.services import SERVICE_DESCRIPTION, Direction
from planner.catalogue import PARTS, Catalogue, Kind, channels_shown, own_use, services_shown
from planner.catalogue import breaches as limits
from planner.catalogue import catalogue as catalogue_limits
from planner.catalogue.breaches import CALM_S
from planner.catalogue.rows import Rows
from planner.silences import Silences, Thing

PINGER = "/com/example/pinger/"
PAIRS = {
    "text": "round-trip times",
    "channel.1": PINGER,
    "field.1": "round-trip",
    "least.1": "1",
    "greatest.1": "30",
    "channel.2": "/com/example/commands/",
    "direction.2": "hears",
}


def said(field: str = "round-trip", channel: str = PINGER, **more: Any) -> Event:
    return Event(
        **{
            "channel": Channel(channel), "field": field, "service": "pinger", "instance": "n1/pinger",
            "boot_id": "b", "seq": 1, "id": "1", "sent_at": 1000.0, **more,
        }
    )  # fmt: skip


def heard(catalogue: Catalogue, event: Event, now: float = 0.0) -> list[tuple[str, bool]]:
    return [
        (str(each.breach.kind), each.raised) for each in catalogue.heard(event, user="operator", now=now)
    ]


@pytest.fixture
def described() -> Catalogue:
    made = Catalogue()
    assert heard(made, said(SERVICE_DESCRIPTION, pairs=PAIRS)) == []
    return made


def test_who_described_nothing_breaks_nothing() -> None:
    catalogue = Catalogue()
    assert heard(catalogue, said()) == []
    (pinger,) = [one for one in services_shown(catalogue, lambda _: True)["services"] if not one["part"]]
    assert (pinger["service"], pinger["described"], pinger["events"]) == ("pinger", False, 1)


def test_a_description_is_shown_with_who_gave_it_and_what_was_heard(described: Catalogue) -> None:
    heard(described, said(), now=7)
    (pinger,) = [one for one in services_shown(described, lambda _: True)["services"] if not one["part"]]
    assert pinger["text"] == "round-trip times"
    assert (pinger["described_by"], pinger["instance"]) == ("operator", "n1/pinger")
    assert [use["direction"] for use in pinger["channels"]] == ["generates", "hears"]
    assert (pinger["events"], pinger["heard_at"]) == (2, 7)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (said(channel="/com/example/other/"), "it did not describe this channel"),
        (said(channel="/com/example/commands/"), "it did not describe this channel"),
        (said("other"), "the field 'other'"),
        (said(payload="http://example.com/mine"), "the payload http://example.com/mine"),
    ],
)
def test_what_was_not_described_is_a_breach_that_is_raised_once(
    described: Catalogue, event: Event, reason: str
) -> None:
    assert heard(described, event) == [("undescribed", True)]
    assert heard(described, event) == []
    (breach,) = described.breaches()
    assert reason in breach.reason
    assert breach.times == 2
    assert described.tick(CALM_S - 1) == []
    (over,) = described.tick(CALM_S + 1)
    assert not over.raised
    assert described.breaches() == []


def test_too_often_and_too_seldom_go_by_the_senders_clock_within_one_life(described: Catalogue) -> None:
    told = [
        heard(described, said(sent_at=at, boot_id=life), now=5)
        for at, life in [
            (1000, "b"), (1000, "b"), (1010, "b"), (1010.95, "b"), (1011.2, "b"), (1042, "b"), (1080, "b"),
            (1080.1, "c"), (1085, "c"),
        ]
    ]  # fmt: skip
    often, seldom = [("too-often", True)], [("too-seldom", True)]
    assert told == [[], [], [], [], often, [], seldom, [], []]


def test_two_instances_and_two_things_have_clocks_of_their_own(described: Catalogue) -> None:
    differ: list[dict[str, Any]] = [{}, {"instance": "n2"}, {"pairs": {"managed": "other"}}]
    for number, more in enumerate(differ):
        assert heard(described, said(sent_at=1000 + number / 10, **more)) == []


def test_a_silence_beyond_the_greatest_time_is_a_breach(described: Catalogue) -> None:
    watch = Silences(now=0)
    watch.heard(said(), now=0, greatest_s=30)
    raised: list[Any] = []
    for now in range(1, 90):
        raised += watch.tick(now)
    (silence,) = raised
    (late,) = described.late(silence.watched.thing, silence.watched.last, 90)
    assert late.breach.kind is Kind.TOO_SELDOM
    unknown = said(channel="/com/example/other/")
    assert described.late(Thing(unknown.channel, "n1", "", ""), unknown, 90) == []


def test_describing_itself_anew_ends_the_breaches(described: Catalogue) -> None:
    heard(described, said("other"))
    assert heard(described, said(SERVICE_DESCRIPTION, pairs=PAIRS)) == []
    anew = PAIRS | {"channel.3": PINGER, "field.3": "other"}
    assert heard(described, said(SERVICE_DESCRIPTION, pairs=anew)) == [("undescribed", False)]
    assert heard(described, said("other")) == []


def test_a_description_that_cannot_be_read_is_a_breach_and_changes_nothing(described: Catalogue) -> None:
    assert heard(described, said(SERVICE_DESCRIPTION, pairs={"text": "?"})) == [("illegal", True)]
    assert described.described["pinger"].description.text == "round-trip times"


def test_in_dsmts_own_name_space_only_the_parts_count() -> None:
    catalogue = Catalogue()
    status = status_channel(Slice("xyz1"), DEPLOYMENT_AGENT, Host("n1"))
    liar = PAIRS | {"channel.1": "/org/dsmt/"}
    heard(catalogue, said(SERVICE_DESCRIPTION, "/com/example/", service="xyz1_mgr", pairs=liar))
    for field in (DEPLOYMENT_STATUS, "status", "holdings", "health"):
        assert heard(catalogue, said(field, status, service="xyz1_mgr")) == []
    for field in ("holdings", "facts", "health"):
        assert heard(catalogue, said(field, facts_channel(Host("n1")))) == []
    strange = status_channel(Slice("xyz1"), SLIVER_MGR, Host("n1"))
    assert heard(catalogue, said("status", strange, service="xyz1_mgr")) == [("undescribed", True)]


def test_what_the_parts_are_described_to_say_stands_in_the_protocol() -> None:
    written = (Path(__file__).parents[3] / "docs/reference/protocol.md").read_text()
    rows = [line for line in written.splitlines() if line.startswith("| ")]
    for part in PARTS:
        for use in part.uses:
            below = use.channel.removeprefix("/org/dsmt/ns/deployment/*/").replace("*", "$host")
            said = [row for row in rows if below in row and f"`{use.field}`" in row]
            assert said or use.direction is Direction.HEARS, (below, use.field)


def test_what_covers_an_event_of_a_part_is_the_first_that_does_of_all() -> None:
    uses = [use for part in PARTS for use in part.uses]
    for channel in {use.channel.replace("*", "n1") for use in uses}:
        for field in {use.field for use in uses}:
            for event in (said(field, channel), said(field, channel, payload="http://example.com/mine")):
                assert own_use(event) is next((use for use in uses if use.covers(event)), None)


def test_channels_are_shown_as_far_as_one_may_hear(described: Catalogue) -> None:
    heard(described, said(), now=3)
    heard(described, said("status", status_channel(Slice("xyz1"), DEPLOYMENT_AGENT, Host("n1"))))
    watch = Silences(now=0)
    watch.heard(said(), now=0, greatest_s=2)
    watch.tick(4)
    watch.tick(8)

    def shown(below: str = "/", allowed: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002
        return channels_shown(
            described,
            watch.silent(),
            below=Channel(below),
            allowed=lambda channel: allowed or not channel.startswith("/org/"),
        )

    assert len(shown()["channels"]) == 2
    (pinger,) = shown(allowed=False)["channels"]
    assert (pinger["channel"], pinger["said_by"], pinger["silent"]) == (PINGER, ["pinger"], 1)
    assert [each["field"] for each in shown(PINGER)["silences"]] == ["round-trip"]
    assert {each["service"] for each in shown("/com/example/")["described"]} == {"pinger"}
    below = shown(f"{PINGER}n1/")
    assert below["channels"] == []
    assert [each["service"] for each in below["described"]] == ["pinger"]


def test_everything_in_it_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BREACHES", 3)
    monkeypatch.setattr(catalogue_limits, "SERVICES", 3)
    catalogue = Catalogue()
    catalogue._pulses._limit = 3
    catalogue.rows = Rows(3)
    for number in range(6):
        name = f"service{number}"
        heard(catalogue, said(SERVICE_DESCRIPTION, service=name, pairs=PAIRS))
        heard(catalogue, said(service=name, instance=name))
        heard(catalogue, said("other", f"/com/example/{number}/", service=name))
    assert len(catalogue.breaches()) == len(catalogue.described) == len(catalogue.rows) == 3
    assert len(catalogue._pulses._last) == 3
    assert catalogue._breaches.left_out == 3
