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
from agents.container_manager.roots.layered import LayeredDriver, keep
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
LAYERED = "layered"


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


class OverTree(LayeredDriver):
    """Every sliver over one tree."""

    def __init__(self, directory: Path, tree: Path) -> None:
        super().__init__(directory, found_groups())
        self._of_all = tree

    def create(self, place: Place) -> None:
        super().create(place)
        keep(place, "busybox", self._of_all)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root file system that has busybox and nothing else."""
    return engines.tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="session")
def layered(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], LayeredDriver]:
    """Makes drivers whose slivers are all over that tree."""
    directory = tmp_path_factory.mktemp("brought")
    return lambda: OverTree(directory, tree)


@pytest.fixture(params=[*DRIVERS, PODMAN, LAYERED])
def make_driver(request: pytest.FixtureRequest) -> Callable[[], SliverDriver]:
    """Makes a driver; the next one is that of another life of the manager."""
    if request.param in {PODMAN, LAYERED}:
        found: Callable[[], SliverDriver] = request.getfixturevalue(request.param)
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
