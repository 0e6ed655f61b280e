"""The bus against RabbitMQ in a container, the way testcontainers starts it.

``DSMT_TEST_RABBITMQ_IMAGE`` names an image of a registry (such as ``rabbitmq:4-management``), used with the
engine that is there; without it the test brings an engine and an image of its own.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

import broker
from broker.topology import INGEST, planner_topology
from dsmt_core.channels import facts_channel
from dsmt_core.events import Sender
from dsmt_core.names import Host
from dsmt_core.rights import PLANNER
from tests.integration.broker import container_engine
from tests.integration.broker.container_engine import IMAGE, ContainerEngine

REGISTRY_IMAGE = "DSMT_TEST_RABBITMQ_IMAGE"


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of an image, with an engine that testcontainers finds."""
    if named := os.environ.get(REGISTRY_IMAGE):
        yield named
        return
    if lacking := container_engine.missing():
        if os.environ.get("CI"):
            pytest.fail(f"missing for the containers' test: {', '.join(lacking)}")
        pytest.skip(f"missing: {', '.join(lacking)}; apt-get install podman runc rabbitmq-server")
    # Sockets have short names only, and pytest's folders are long.
    folder = Path("/tmp") / f"dsmt-{uuid.uuid4().hex[:8]}"
    folder.mkdir(mode=0o700)
    engine = ContainerEngine(folder)
    try:
        engine.start()
        engine.build()
        monkeypatch.setenv("DOCKER_HOST", engine.url)
        monkeypatch.setenv("TESTCONTAINERS_CONNECTION_MODE", "docker_host")
        monkeypatch.setenv("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
        yield IMAGE
    finally:
        engine.end()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(240)
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:testcontainers")
async def test_the_bus_works_against_a_container(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from testcontainers.community.rabbitmq import RabbitMqContainer
    from testcontainers.core.config import testcontainers_config

    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)
    container = RabbitMqContainer(image, username=PLANNER, password="of-the-test")
    await asyncio.to_thread(container.start)
    try:
        port = container.get_exposed_port(5672)
        bus = broker.connect(f"amqp://{PLANNER}:of-the-test@127.0.0.1:{port}/%2F")
        try:
            await bus.start(wait_s=30)
            await bus.declare(*planner_topology(60.0))
            sender = Sender("s1_mgr", "planner", uuid.uuid4().hex)
            channel = facts_channel(Host("h1"))
            async with bus.consume(INGEST) as ingest, asyncio.timeout(30):
                events = [
                    sender.event(channel, "facts", now=time.time(), id_=uuid.uuid4().hex) for _ in range(50)
                ]
                await asyncio.gather(*(bus.publish(event) for event in events))
                for event in events:
                    delivery = await anext(ingest)
                    assert delivery.event == event
                    delivery.ack()
        finally:
            await bus.close()
    finally:
        await asyncio.to_thread(container.stop)
