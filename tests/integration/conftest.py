"""What the tests of several parts share."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from broker.server.private import PrivateBroker
from tests.rabbitmq import private_rabbitmq

# They kill their broker while a queue is just being made, and may get it back without a leader.
KILLING = {"test_trouble", "test_lost_leader", "test_faults_of_the_broker"}
# What starts something for all tests of its module: a planner, a PostgreSQL, a broker.
SHARING = {"test_real_planner", "test_postgresql", *KILLING}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share what their module has started go to one worker; each other to whoever is idle.

    Clusters and regions, with their many brokers, follow each other.
    """
    for item in items:
        if "integration/hosts" in item.path.as_posix():
            item.add_marker(pytest.mark.xdist_group("hosts"))
        elif item.path.stem in SHARING:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateBroker]:
    """One RabbitMQ for all tests of a worker: to start one takes longer than most of them."""
    yield from private_rabbitmq(tmp_path_factory.mktemp("rabbit"))


@pytest.fixture
def server(rabbit: PrivateBroker) -> Iterator[PrivateBroker]:
    """It, for a test that may kill, starve and restart it, and brings it back."""
    yield rabbit
    # After a test that failed halfway the next ones are not to fail too.
    if not rabbit.running:
        rabbit.start()


@pytest.fixture
def vhost(rabbit: PrivateBroker) -> Iterator[str]:
    """A virtual host for one test, in the RabbitMQ that is shared."""
    name = f"test-{secrets.token_hex(6)}"
    rabbit.management.make_vhost(name)
    yield name
    rabbit.management.delete_vhost(name)
