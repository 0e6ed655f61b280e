"""Services, channels, silences and health as people read them."""

from __future__ import annotations

from typing import Any, cast

from dsmtc.client import Node
from dsmtc.client.heard import BreachShown, Channels, Services
from dsmtc.rendering.catalogue import breaches, channels, services
from dsmtc.rendering.machines import node, nodes
from dsmtc.rendering.status import changes, status_view
from dsmtc.rendering.table import lines
from tests.unit.dsmtc.test_rendering import HOSTILE, a_status

USE = {
    "channel": "/com/example/pinger/", "direction": "generates", "payload": "p", "field": "round-trip",
    "least_s": 1.0, "greatest_s": 30.0,
}  # fmt: skip
BREACH = {
    "service": "pinger", "kind": "too-often", "channel": "/com/example/pinger/", "field": "round-trip",
    "instance": "n1", "reason": "0.1 s after the one before", "since": 90.0, "last": 100.0, "times": 3,
}  # fmt: skip
SILENCE = {
    "channel": "/c/", "instance": "n1/xyz1/agent", "service": "xyz1_mgr", "field": "status", "about": "XYZ",
    "host": "n1", "slice": "xyz1", "heard_at": 80.0, "since": 90.0, "period": 4.0,
}  # fmt: skip
PLANNER = {
    "link": "connected", "connects": 1, "unconfirmed": 0, "outbox": 0, "dropped": 2, "refused": 0,
    "lost": 0, "lag_s": 0.012, "trouble": "", "watched": 1, "unwatched": 0,
}  # fmt: skip
HEALTH = {"link": "connected", "dropped": 3, "heard_at": 95.0}


def some_services(**changed: Any) -> Services:
    mine = {
        "service": "pinger", "text": "times", "part": False, "described": True, "channels": [USE],
        "events": 7, "heard_at": 98.0,
    }  # fmt: skip
    other = {**mine, "service": "other", "described": False, "channels": [], "heard_at": 0.0, "events": 0}
    return cast("Services", {"services": [mine, other], "breaches": [], "left_out": 0, **changed})


def test_a_service_is_told_with_its_channels_and_how_often_it_speaks() -> None:
    written = lines(services(some_services(), 100.0))
    assert written[1].split() == ["pinger", "times", "7", "2s"]
    assert written[2].split() == ["generates", "/com/example/pinger/", "round-trip", "1..30s"]
    assert written[3].split() == ["other", "not", "described", "-", "-"]
    assert "pinger" in lines(services(some_services(breaches=[BREACH], left_out=4), 100.0))[-2]
    assert lines(services(some_services(left_out=4), 100.0))[-1] == "and 4 services more"


def test_breaches_say_who_how_and_where() -> None:
    (_, line) = lines(breaches([cast("BreachShown", BREACH)], 100.0))
    assert line.split()[:2] == ["pinger", "too-often"]
    assert "0.1 s after" in line
    assert lines(breaches([], 100.0)) == ["every service does what it described"]


def test_channels_show_what_was_heard_what_is_described_and_what_is_silent() -> None:
    heard = {
        "channel": "/c/", "said_by": ["pinger"], "fields": ["a", "b"], "events": 3, "heard_at": 40.0,
        "period": 4.0, "silent": 1,
    }  # fmt: skip
    shown = {
        "channels": [heard],
        "described": [{"service": "pinger", **USE, "greatest_s": 0.0}],
        "silences": [SILENCE],
        "left_out": 2,
    }
    written = lines(channels(cast("Channels", shown), 100.0))
    assert written[1].split() == ["/c/", "pinger", "a", "b", "3", "1m", "4s", "1"]
    assert written[4].split() == [
        "/com/example/pinger/",
        "pinger",
        "generates",
        "round-trip",
        "at",
        "least",
        "1s",
    ]
    assert written[7].split() == ["n1/xyz1/agent", "status", "XYZ", "4s", "20s", "/c/"]
    assert written[-1] == "and 2 more; --below narrows them"
    nothing = {"channels": [], "described": [], "silences": [], "left_out": 0}
    assert lines(channels(cast("Channels", nothing), 1.0)) == ["nothing was heard there"]


def test_status_tells_the_planners_health_and_what_is_unwell_and_silent() -> None:
    status = a_status(planner=PLANNER, silences=[SILENCE], host={"unwell": ["agent: 3 events dropped"]})
    written = lines(status_view(status, 100.0))
    assert "planner: broker connected, lag 12 ms, 2 dropped, 0 refused, 0 lost" in written
    assert "unwell: node1: agent: 3 events dropped" in written
    assert "silent: n1 XYZ status: heard 20s ago, comes every 4s" in written
    failing = a_status(planner={**PLANNER, "trouble": "the disk is full"})
    assert any("rounds fail: the disk is full" in line for line in lines(status_view(failing, 100.0)))


def test_many_silences_are_counted_and_hostile_names_are_harmless() -> None:
    status = a_status(silences=[{**SILENCE, "host": f"{HOSTILE}{n}"} for n in range(25)])
    written = lines(status_view(status, 100.0))
    assert "silent: and 15 more; --json tells all" in written
    assert not any("\x1b" in line for line in written)


def test_a_silence_that_begins_or_ends_is_a_change() -> None:
    before, after = a_status(), a_status(silences=[SILENCE], host={"unwell": ["agent: late"]})
    assert changes(before, after)[:2] == ["unwell node1: agent: late", "n1 XYZ status silent"]
    assert changes(after, before)[:2] == ["unwell node1: agent: late gone", "n1 XYZ status gone"]


def test_a_node_shows_what_is_not_well_and_its_health() -> None:
    shown = {
        "host": "n1", "state": "alive", "heard_at": 99.0, "period": 1.0, "slivers": [], "facts": {},
        "evidence": [{"what": "alive: well", "when": 1.0, "by": "tracker"}],
        "health": HEALTH, "unwell": ["3 events dropped"],
    }  # fmt: skip
    assert lines(nodes([cast("Node", shown)], 100.0))[1].endswith("3 events dropped; alive: well")
    written = lines(node(cast("Node", shown), 100.0))
    assert "HEALTH   5s AGO" in written
    assert "dropped  3" in written
