"""A new version that starts and is not well: the one before is back, with neither broker nor depot.

The agent's broker is a real one behind a gate that is shut as soon as the order was heard; the application
is processes in a real sliver. What counts is found on the disk and among the processes, not in events.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agents.container_manager.slivers.bubblewrap import BubblewrapDriver
from agents.deployment_agent.decide import Periods
from broker.server.private import PrivateBroker
from dsmt_core.commands import Verb
from tests.contract.gate import Gate
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, Package, World, made_world, order, package, tarball

WALK = ["requested", "instantiated", "initialized", "running"]
BACK_S = 90.0
NOTES = 'echo "$DSMT_VERSION" >> /var/starts'
ALIVE = 'kill -0 $(cat /app/pid) 2>/dev/null && echo "$DSMT_VERSION" && exit 0; exit 3'
GOOD = {"start": f"{NOTES}; sleep 1000 & echo $! > /app/pid", "status": ALIVE}
ILL = {
    # Well each time that it is asked, and gone before it has proved well.
    "it ends again and again": (
        {"start": f"{NOTES}; sleep 1 & echo $! > /app/pid", "status": ALIVE},
        "it has stopped: the status script ended with exit code 3",
    ),
    "it never becomes healthy": (
        {**GOOD, "status": 'test "$DSMT_VERSION" = 1.0 && exit 0; echo warming up; exit 1'},
        "the status script ended with exit code 1: warming up",
    ),
}


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """The times of the agent, as far as they are waited for here."""
    periods = Periods(proof_s=2.0, grace_s=3.0)
    monkeypatch.setattr("agents.deployment_agent.service.Periods", lambda: periods)


@pytest.fixture
async def gate(rabbit: PrivateBroker) -> AsyncIterator[Gate]:
    made = Gate(rabbit.port)
    await made.open()
    yield made
    await made.shut()


@pytest.fixture
async def world(tmp_path: Path, rabbit: PrivateBroker, vhost: str, gate: Gate) -> AsyncIterator[World]:
    through = rabbit.url("node", vhost).replace(f":{rabbit.port}/", f":{gate.port}/")
    urls = rabbit.url("planner", vhost), through
    async with made_world(tmp_path, BubblewrapDriver(), urls) as made:
        yield made


def _tar(world: World, version: str, scripts: dict[str, str]) -> tuple[Package, ...]:
    made = package(tarball(world.place.directory / f"demo-{version}.tgz", version, scripts))
    world.node.add(made)
    return (made,)


def _starts(world: World) -> list[str]:
    return (world.place.root / "var" / "starts").read_text().split()


async def _comes_true(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(BACK_S):
        while not what():  # noqa: ASYNC110 - it is files that are waited for
            await asyncio.sleep(0.05)


async def _one_is_left(world: World) -> None:
    """The start script itself ends a moment after it has noted its start."""
    async with asyncio.timeout(BACK_S):
        while len((await world.sliver.processes(APP)).pids) != 1:  # noqa: ASYNC110 - processes tell nobody
            await asyncio.sleep(0.05)


async def _proved(world: World, packages: tuple[Package, ...], version: str) -> None:
    """This version runs, and has for longer than it takes to prove well."""
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, packages, version=version))
    await world.until_states(*WALK)
    heard = len(world.events)
    await world.until(lambda events: sum(e.field == "status" for e in events[heard:]) > 3)


async def _alone(world: World, gate: Gate, version: str) -> None:
    """Wait until this version was started, and take broker and depot away."""
    await _comes_true(lambda: version in _starts(world))
    world.node.refused |= dict.fromkeys(world.node._files, "the depot is away")
    await gate.shut()


@pytest.mark.parametrize("how", ILL)
async def test_what_is_not_well_goes_back_without_the_network(world: World, gate: Gate, how: str) -> None:
    scripts, reason = ILL[how]
    await _proved(world, _tar(world, "1.0", GOOD), "1.0")
    await world.order(order(Verb.UPDATE, 2, _tar(world, "2.0", scripts), version="2.0"))
    await _alone(world, gate, "2.0")
    await _comes_true(lambda: _starts(world)[-1] == "1.0")
    await _one_is_left(world)
    # It is told when somebody hears it.
    await gate.open()
    await world.until(lambda _: world.last("status").get("gave-up") == f"2.0 {reason}")
    await world.until(lambda _: world.last("status").get("state") == "running")
    assert _starts(world)[-1] == "1.0"
    versions = world.place.root / "app" / "demo"
    await _comes_true(lambda: sorted(path.name for path in versions.iterdir()) == ["1.0"])


async def test_an_rpm_that_is_not_well_goes_back_without_the_network(
    world: World, gate: Gate, packages: Made
) -> None:
    scripts, reason = ILL["it ends again and again"]
    made, ill = packages("1.0", **GOOD), packages("2.0", **scripts)
    world.node.add(*made, *ill)
    await _proved(world, made, "1.0-1")
    await world.order(order(Verb.UPDATE, 2, ill, version="2.0-1"))
    await _alone(world, gate, "2.0-1")
    await _comes_true(lambda: _starts(world)[-1] == "1.0-1")
    assert (world.place.root / "usr-local" / "demo" / "data").read_text() == "1.0"
    await gate.open()
    await world.until(lambda _: world.last("status").get("gave-up") == f"2.0-1 {reason}")
