"""Drivers that really make slivers here, a place for them, and a real RabbitMQ for the node's tests."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.container_manager.images.engine import Engine
from agents.container_manager.images.podman import PodmanDriver
from agents.container_manager.limits.finding import found_groups
from agents.container_manager.limits.groups import Groups
from agents.container_manager.slivers.bubblewrap import BubblewrapDriver
from agents.container_manager.slivers.driver import SliverDriver
from agents.container_manager.slivers.place import Place
from agents.container_manager.slivers.process import ProcessDriver
from dsmt_core.names import Slice
from tests.integration.node import engine as engines
from tests.integration.node.engine import ImageEngine
from tests.integration.node.world import HOST, SLICE, FakePlanner

DRIVERS: dict[str, Callable[[Groups], SliverDriver]] = {
    "bubblewrap": BubblewrapDriver,
    "process": ProcessDriver,
}


PODMAN = "podman"


@pytest.fixture(scope="session")
def engine() -> Iterator[ImageEngine]:
    """A container engine with one image, for all tests of a process."""
    with engines.running() as made:
        yield made


@pytest.fixture(scope="session")
def podman(engine: ImageEngine, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], PodmanDriver]:
    """Makes drivers whose slivers are all of the test's image."""
    directory = tmp_path_factory.mktemp("brought")
    calls = Engine(lambda: engine.socket)
    image = calls.image(engines.IMAGE)
    return lambda: PodmanDriver(calls, directory, image_of=lambda _place: image)


@pytest.fixture(params=[*DRIVERS, PODMAN])
def make_driver(request: pytest.FixtureRequest) -> Callable[[], SliverDriver]:
    """Makes a driver; the next one is that of another life of the manager."""
    if request.param == PODMAN:
        found: Callable[[], SliverDriver] = request.getfixturevalue("podman")
        return found
    return lambda: DRIVERS[request.param](found_groups())


@pytest.fixture
def driver(make_driver: Callable[[], SliverDriver]) -> SliverDriver:
    made = make_driver()
    reason = made.probe()
    if reason and not os.environ.get("CI"):
        pytest.skip(reason)
    assert not reason
    return made


@pytest.fixture
def bubblewrap() -> SliverDriver:
    made = BubblewrapDriver(found_groups())
    reason = made.probe()
    if reason and not os.environ.get("CI"):
        pytest.skip(reason)
    assert not reason
    return made


@pytest.fixture
def place_of(tmp_path: Path) -> Callable[[Slice], Place]:
    return lambda name: Place(name, HOST, tmp_path / "slivers" / name)


@pytest.fixture
def place(place_of: Callable[[Slice], Place], driver: SliverDriver) -> Iterator[Place]:
    where = place_of(SLICE)
    yield where
    driver.destroy(where, grace_s=0.2)


@pytest.fixture
def planner() -> Iterator[FakePlanner]:
    fake = FakePlanner()
    yield fake
    fake.close()


@pytest.fixture
def memory_world() -> str:
    return f"node-{secrets.token_hex(6)}"
