"""A real RabbitMQ with its exchanges, and the credentials of an application on it."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

import broker
from broker.bus import Bus
from broker.server.private import PrivateBroker

Credentials = Callable[..., Path]


@pytest.fixture
async def vhost(server: PrivateBroker) -> AsyncIterator[str]:
    """A virtual host with the exchanges, as the planner makes them."""
    name = f"test-{secrets.token_hex(4)}"
    server.management.make_vhost(name)
    async with broker.connected(server.url("planner", name)) as planner:
        await planner.declare([], [])
        yield name
    server.management.delete_vhost(name)


@pytest.fixture
def credentials(server: PrivateBroker, vhost: str, tmp_path: Path) -> Credentials:
    """Writes the file of an instance, as the deployment agent does."""

    def written(instance: str = "h1/s1/demo", *, url: str | None = None) -> Path:
        path = tmp_path / f"psepr.{instance.replace('/', '-')}.json"
        values = {
            "url": server.url("application", vhost) if url is None else url,
            "service": "s1_mgr",
            "instance": instance,
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(values))
        return path

    return written


@pytest.fixture
async def listener(server: PrivateBroker, vhost: str) -> AsyncIterator[Bus]:
    """The bus of another application, to hear and speak with."""
    async with broker.connected(server.url("application", vhost)) as bus:
        yield bus
