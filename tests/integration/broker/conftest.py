"""A RabbitMQ that tests may kill, starve and restart."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import broker
from broker.bus import Bus, Limits
from broker.server.private import PrivateBroker
from broker.topology import planner_topology
from dsmt_core.channels import Channel
from dsmt_core.events import Event, Sender
from tests.integration.conftest import KILLING
from tests.rabbitmq import private_rabbitmq

LIMITS = Limits(retry_first_s=0.05, retry_most_s=0.5, connect_s=5.0, close_s=5.0)

Connect = Callable[..., Any]


def knows_after_a_kill(server: PrivateBroker, queue: str) -> bool:
    """Whether the broker would know the leader of a quorum queue again after a kill.

    RabbitMQ 3.10 keeps the names of its quorum queues in a file that it writes with a delay of 3 s: killed
    within it, it brings the queue back without a leader.
    """
    names = next((server.data_dir / "data").glob("*/quorum/*/names.dets"), None)
    return names is not None and queue.encode() in names.read_bytes()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateBroker]:
    """A RabbitMQ for the tests of one file."""
    yield from private_rabbitmq(tmp_path_factory.mktemp("rabbitmq"))


@pytest.fixture
def server(request: pytest.FixtureRequest) -> PrivateBroker:
    """The one that all share, but not for files after which it might have queues without a leader."""
    made: PrivateBroker = request.getfixturevalue("own" if request.path.stem in KILLING else "rabbit")
    return made


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connects buses that are closed with the test."""
    made: list[Bus] = []

    async def begin(url: str, limits: Limits = LIMITS) -> Bus:
        bus = broker.connect(url, limits=limits, name="integration test")
        made.append(bus)
        await bus.start(wait_s=60)
        return bus

    yield begin
    for bus in made:
        await bus.close()


@pytest.fixture
async def planner(server: PrivateBroker, connect: Connect) -> Bus:
    """The planner's bus, with its topology in place."""
    bus: Bus = await connect(server.planner_url)
    await bus.declare(*planner_topology(60.0))
    return bus


@pytest.fixture
def make() -> Callable[..., Event]:
    """Makes the next event of one sender."""
    sender = Sender("s1_mgr", "h1.example.org/test", uuid.uuid4().hex)

    def event(channel: Channel, field: str = "status", **more: Any) -> Event:
        return sender.event(channel, field, now=time.time(), id_=uuid.uuid4().hex, **more)

    return event
