"""One private RabbitMQ for the session, and a virtual host for each stage."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker.server.private import PrivateBroker
from tests.e2e.stage import ADMIN, PASSWORD, Stage

Stages = Callable[..., Stage]
# Whichever of these began last, all others would wait for it.
LONG = {"test_kill_matrix", "test_demo", "test_bad_applications"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest begin first; apart from that the order stays random."""
    items.sort(key=lambda item: item.path.stem not in LONG)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateBroker]:
    with PrivateBroker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a planner that has never run; each stage begins with a copy."""
    data = tmp_path_factory.mktemp("initialised") / "planner"
    command = [sys.executable, "-m", "planner.main", "init", "--data", str(data), "--admin", ADMIN]
    subprocess.run(
        command, env=os.environ | {"DSMT_PASSWORD": PASSWORD}, check=True, capture_output=True, timeout=120
    )
    return data


@pytest.fixture
def stages(request: pytest.FixtureRequest, tmp_path: Path) -> Stages:
    """Makes stages: ``stages(kind, hosts=N)``; ``own_broker=True`` for tests that kill it."""

    def make(kind: str = "rabbitmq", *, hosts: int = 2, own_broker: bool = False) -> Stage:
        home = tmp_path / kind
        home.mkdir()
        if kind == "embedded":
            return Stage(kind, home, hosts=hosts)
        shutil.copytree(request.getfixturevalue("initialised"), home / "planner")
        if own_broker:
            return Stage(kind, home, hosts=hosts)
        server: PrivateBroker = request.getfixturevalue("server")
        vhost = f"test-{secrets.token_hex(4)}"
        server.management.make_vhost(vhost)
        return Stage(kind, home, hosts=hosts, server=server, vhost=vhost)

    return make
