"""What the tests of several parts share."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import PurePath

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from broker.server.private import PrivateBroker
from tests.rabbitmq import private_rabbitmq

# They kill their broker while a queue is just being made, and may get it back without a leader.
KILLING = {"test_trouble", "test_lost_leader", "test_faults_of_the_broker"}
# What starts something for all tests of its module: a planner, a PostgreSQL. A worker that had other tests
# between two of them would start it anew for each.
SHARING = {
    "test_audit",
    "test_authority",
    "test_keys",
    "test_postgresql",
    "test_publishers",
    "test_real_planner",
    "test_rpm_signatures",
    "test_tls",
}


class ByWhatIsShared(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Tests that share what their module has started go to one worker; each other to whoever is idle.

    Clusters and regions, with their many brokers, follow each other, and so do those that kill a broker and
    start it again. Not by xdist's marks for groups: it would write them into the tests' ids, which pytest
    lets nobody change any more (xdist 3.8, pytest 9.2).
    """

    def _split_scope(self, nodeid: str) -> str:
        path = PurePath(nodeid.partition("::")[0])
        if path.parent.name == "hosts":
            return "hosts"
        if path.stem in KILLING:
            return "killing"
        return path.stem if path.stem in SHARING else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByWhatIsShared:
    """Who runs which test, with ``-n``."""
    return ByWhatIsShared(config, log)


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
