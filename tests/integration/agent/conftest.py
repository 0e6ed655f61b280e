"""Slivers for the tests of the agent, and packages for them."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agents.container_manager.slivers.bubblewrap import BubblewrapDriver
from agents.container_manager.slivers.process import ProcessDriver
from tests.integration.agent.sliver_world import GOOD, Package, World, made_world, rpms

Made = Callable[..., tuple[Package, ...]]


def memory() -> tuple[str, str]:
    """Where a planner and a node of one small world meet."""
    world = os.urandom(6).hex()
    return f"memory://planner@{world}", f"memory://node@{world}"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A sliver with walls; its agent is a task of the test."""
    if shutil.which("bwrap") is None:
        pytest.skip("bwrap is missing")
    async with made_world(tmp_path, BubblewrapDriver(), memory()) as made:
        yield made


@pytest.fixture
async def open_world(tmp_path: Path) -> AsyncIterator[World]:
    """A sliver without walls."""
    async with made_world(tmp_path, ProcessDriver(), memory()) as made:
        yield made


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Makes RPMs of the application demo, once for each content."""
    kept: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[Package, ...]] = {}

    def made(version: str = "1.0", **scripts: str) -> tuple[Package, ...]:
        wanted = scripts or GOOD
        key = version, tuple(sorted(wanted.items()))
        if key not in kept:
            kept[key] = rpms(tmp_path_factory.mktemp("rpms"), version, wanted)
        return kept[key]

    return made
