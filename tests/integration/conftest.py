"""What the tests of several parts share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker.server.private import PrivateBroker
from tests.rabbitmq import private_rabbitmq


@pytest.fixture(scope="session")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateBroker]:
    """One RabbitMQ for all tests that leave it as it is, each in a virtual host of its own."""
    yield from private_rabbitmq(tmp_path_factory.mktemp("rabbit"))
