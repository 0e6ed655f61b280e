"""What the tests of several parts share."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from broker.server.private import PrivateBroker
from tests.rabbitmq import private_rabbitmq


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
