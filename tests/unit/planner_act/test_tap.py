"""What was said lately, for those who ask over HTTP."""

from __future__ import annotations

import pytest

from dsmt_core.channels import Channel
from dsmt_core.errors import Full
from dsmt_core.events import Event, Sender
from planner.service import tap as tap_module
from planner.service.tap import Filter, Heard, Tap

SENDER = Sender("s", "i", "b")


def event(channel: str, field: str = "f", **pairs: str) -> Event:
    return SENDER.event(Channel(channel), field, now=0.0, id_="x", pairs=pairs)


def test_the_last_that_pass_come_oldest_first() -> None:
    tap = Tap(lambda: 0.0)
    for number in range(10):
        tap.heard(event("/a/" if number % 2 else "/b/", value=str(number)))
    found = tap.recent(Filter(channel=Channel("/a/")), 3)
    assert [one.pairs["value"] for one in found] == ["5", "7", "9"]
    assert tap.recent(Filter(allowed=lambda _: False), 3) == []


def test_a_filter_knows_field_and_state() -> None:
    running = event("/a/", "deployment-status", status="running")
    assert Filter(state="running").passes(running)
    assert not Filter(state="failed").passes(running)
    assert not Filter(field="status").passes(running)


async def test_a_slow_follower_is_told_how_many_it_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap_module, "FOLLOWER", 3)
    tap = Tap(lambda: 0.0)
    follower = tap.follow(Filter())
    tap.heard(event("/a/"), lost=2)
    for number in range(5):
        tap.heard(event("/a/", value=str(number)))
    tap.close()
    heard: list[Heard] = [one async for one in follower.events()]
    assert [(one.event.pairs.get("value"), one.lost) for one in heard] == [("2", 5), ("3", 0), ("4", 0)]


def test_there_are_only_so_many_followers_and_forgotten_ones_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tap_module, "FOLLOWERS", 2)
    tap = Tap(lambda: 0.0)
    kept = [tap.follow(Filter()), tap.follow(Filter())]
    with pytest.raises(Full):
        tap.follow(Filter())
    tap.leave(kept.pop())
    kept.append(tap.follow(Filter()))
    kept.clear()
    tap.follow(Filter())


async def test_large_events_fill_the_ring_and_a_follower_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap_module, "FOLLOWER_BYTES", 250_000)
    monkeypatch.setattr(tap_module, "RING_BYTES", 350_000)
    tap = Tap(lambda: 0.0)
    follower = tap.follow(Filter())
    for number in range(6):
        tap.heard(event("/a/", value=str(number), ballast="x" * 100_000))
    tap.heard(event("/b/", ballast="x" * 1_000_000))
    tap.close()
    assert [one.channel for one in tap.recent(Filter(), 10)] == ["/b/"]
    (only,) = [one async for one in follower.events()]
    assert (only.event.channel, only.lost) == ("/b/", 6)
