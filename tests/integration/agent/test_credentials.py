"""With what an application speaks on PsEPR: a private file in its sliver, kept current by the agent."""

from __future__ import annotations

import asyncio
import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dsmt_core.commands import Verb
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, HOST, SLICE, World, order

SECRET = "a-secret-of-the-broker"
URL = f"amqp://application:{SECRET}@127.0.0.1:5672/dsmt"
# What the start script finds is kept where the test can read it; status and stop are the usual ones.
START = """
env > ${DSMT_ROOT}/var/env
stat -c '%a %u' "$DSMT_PSEPR" > ${DSMT_ROOT}/var/stat
id -u > ${DSMT_ROOT}/var/uid
cat "$DSMT_PSEPR" > ${DSMT_ROOT}/var/psepr.json
dsmt-python -c 'import broker, dsmt_core; print("the SDK is here")' > ${DSMT_ROOT}/var/sdk 2>&1
sleep 1000 & echo $! > ${DSMT_ROOT}/app/pid
"""
STATUS = "kill -0 $(cat ${DSMT_ROOT}/app/pid) 2>/dev/null && echo ok && exit 0; echo gone; exit 3"
WALK = ["requested", "instantiated", "initialized", "running"]


@pytest.fixture(params=["world", "open_world"])
def sliver(request: pytest.FixtureRequest) -> World:
    made: World = request.getfixturevalue(request.param)
    made.config = replace(made.config, application_broker=URL)
    return made


def file_of(world: World) -> Path:
    return world.place.run / f"psepr.{APP}.json"


def values(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text())
    read.pop("sha256")
    return read


async def test_the_scripts_find_their_credentials_in_a_private_file(sliver: World, packages: Made) -> None:
    made = packages(start=START, status=STATUS)
    sliver.node.add(*made)
    await sliver.start_agent()
    await sliver.order(order(Verb.APPCONFIG, 1, made))
    await sliver.until_states(*WALK)
    var = sliver.place.root / "var"
    assert values(var / "psepr.json") == {
        "url": URL,
        "service": f"{SLICE}_mgr",
        "instance": f"{HOST}/{SLICE}/{APP}",
        "slice": SLICE,
        "host": HOST,
        "application": APP,
        # Its broker asks for none.
        "certificate": "",
    }
    mode, owner = (var / "stat").read_text().split()
    assert (mode, owner) == ("600", (var / "uid").read_text().strip())
    assert SECRET not in (var / "env").read_text()
    assert (var / "sdk").read_text() == "the SDK is here\n"
    await sliver.order(order(Verb.UNINSTALL, 2))
    await sliver.until(lambda _: sliver.states()[-1] == "terminated")
    async with asyncio.timeout(60):
        while file_of(sliver).exists():  # noqa: ASYNC110 - a file that goes tells nobody
            await asyncio.sleep(0.02)


async def test_another_address_reaches_the_file_and_nothing_is_restarted(
    world: World, packages: Made
) -> None:
    made = packages()
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states(*WALK)
    assert values(file_of(world))["url"] == ""
    before = (await world.sliver.processes(APP)).pids
    await world.end_agent()
    world.config = replace(world.config, application_broker=URL)
    heard = len(world.events)
    await world.start_agent()
    await world.until(lambda events: any(event.field == "holdings" for event in events[heard:]))
    assert values(file_of(world))["url"] == URL
    assert stat.S_IMODE(file_of(world).stat().st_mode) == 0o600
    assert (await world.sliver.processes(APP)).pids == before
