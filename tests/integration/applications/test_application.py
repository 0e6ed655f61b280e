"""An application connects by its file of credentials, and follows the file when it names another way."""

from __future__ import annotations

import asyncio
import json
import secrets
from pathlib import Path

import pytest

import broker
from broker.application import application
from broker.server.private import PrivateBroker
from dsmt_core.errors import Denied, NotFound
from tests.integration.applications.conftest import Credentials

CHANNEL = "/com/example/demo/"
WITHIN_S = 60.0


async def test_the_file_that_the_environment_names_is_used(
    credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFound):
        async with application():
            pytest.fail("it was entered")
    monkeypatch.setenv("DSMT_PSEPR", str(credentials()))
    async with application() as me, application(instance="h1/s1/demo/status") as other:
        async with other.view(CHANNEL) as view:
            await me.publish(CHANNEL, "rtt", "1")
            async with asyncio.timeout(WITHIN_S):
                async for now in view.changes():
                    if now.by_instance("rtt"):
                        break
            assert view.by_instance("rtt")["h1/s1/demo"].service == "s1_mgr"
        assert other.instance == "h1/s1/demo/status"


async def test_a_wrong_password_is_told_at_once(
    credentials: Credentials, server: PrivateBroker, vhost: str
) -> None:
    path = credentials(url=f"amqp://application:wrong@127.0.0.1:{server.port}/{vhost}")
    with pytest.raises(Denied):
        async with application(path):
            pytest.fail("it was entered")


def changed(path: Path, url: str) -> None:
    """Write the file anew as a whole, as the agent does."""
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(json.loads(path.read_text()) | {"url": url}))
    new.replace(path)


async def test_another_way_in_the_file_is_followed_by_publisher_and_view(
    credentials: Credentials, server: PrivateBroker
) -> None:
    """As after a change of the password, played with another virtual host."""
    path = credentials()
    moved = f"test-{secrets.token_hex(4)}"
    server.management.make_vhost(moved)
    try:
        async with broker.connected(server.url("planner", moved)) as planner:
            await planner.declare([], [])
            async with application(path) as me, me.view(CHANNEL) as view:
                before = me.bus
                changed(path, server.url("application", moved))
                async with asyncio.timeout(WITHIN_S):
                    while me.bus is before or not view.current:  # noqa: ASYNC110 - nobody tells
                        await asyncio.sleep(0.05)
                async with application(path) as other:
                    await other.publish(CHANNEL, "rtt", "there")
                async with asyncio.timeout(WITHIN_S):
                    async for now in view.changes():
                        if now.by_instance("rtt"):
                            break
                await me.publish(CHANNEL, "rtt", "here too")
    finally:
        server.management.delete_vhost(moved)
