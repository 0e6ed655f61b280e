"""Brokers on hosts of their own: network name spaces of this machine.

Where these cannot be made it is a failure in CI, and a skip with the reason elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import broker
from broker.bus import Bus, Limits
from broker.topology import history_topology, planner_topology
from dsmt_core.errors import Unavailable
from lab.network import Network
from tests.integration.hosts.cluster import HEARTBEAT_S, HISTORY_BYTES, HISTORY_S, Cluster, clustered

Connect = Callable[..., Any]


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """Switches and hosts of one file, removed in the end."""
    try:
        with Network() as made:
            made.switch("10.99.99")
            yield made
    except Unavailable as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{error}: {error.hint}")


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connects buses that are closed with the test."""
    made: list[Bus] = []

    async def begin(url: str, limits: Limits | None = None) -> Bus:
        bus = broker.connect(url, limits=limits, name="several hosts")
        made.append(bus)
        await bus.start(wait_s=30)
        return bus

    yield begin
    for bus in made:
        await bus.close()


@pytest.fixture(scope="module")
def cluster(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster of one file."""
    with clustered(network, tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
async def planner(cluster: Cluster, connect: Connect) -> Bus:
    """The planner's bus, with its topology in place."""
    bus: Bus = await connect(cluster.urls["DSMT_BROKER"])
    await bus.declare(*planner_topology(HEARTBEAT_S))
    await bus.declare(*history_topology(HISTORY_S, HISTORY_BYTES))
    return bus
