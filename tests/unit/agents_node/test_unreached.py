"""A node tells why it does not reach the broker, once a reason."""

from __future__ import annotations

import asyncio

import pytest

from agents.container_manager.unreached import Reasons, tell
from broker.bus import Health, Link


def away(reason: str) -> Health:
    health = Health()
    health.link, health.last_error = Link.AWAY, reason
    return health


def connected() -> Health:
    health = away("refused")
    health.link = Link.CONNECTED
    return health


def test_each_reason_is_told_once_and_not_at_the_first_look() -> None:
    reasons = Reasons()
    looks = [away("mq1"), away("mq1"), away("mq2"), away("mq1"), away("mq2")]
    assert [reasons.next(look) for look in looks] == ["", "mq1", "mq2", "", ""]


def test_who_was_connected_tells_it_again() -> None:
    reasons = Reasons()
    looks = [away("mq1"), away("mq1"), connected(), away("mq1"), away("mq1")]
    assert [reasons.next(look) for look in looks] == ["", "mq1", "", "", "mq1"]


def test_reasons_that_are_new_each_time_are_not_told_without_end() -> None:
    reasons = Reasons()
    told = [reasons.next(away(str(number))) for number in range(1_000)]
    assert 0 < sum(map(bool, told)) < 20


async def test_it_is_logged_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    health = away("mq1.example.org:5671 does not speak TLS")
    task = asyncio.create_task(tell(health, look_s=0.001))
    async with asyncio.timeout(10):
        while not caplog.messages:  # noqa: ASYNC110 - somebody else writes it
            await asyncio.sleep(0.001)
    task.cancel()
    assert caplog.messages == [
        "the broker is not reachable: mq1.example.org:5671 does not speak TLS; trying goes on"
    ]
