"""With which values an application is started: scripts in a real sliver read them, and agents adopt."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dsmt_core.commands import Order, Verb
from dsmt_core.configuration import Configuration
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, World, order

# What the start script finds is kept where the test can read it.
START = """
printf '%s' "$DSMT_CONFIG_GREETING" > ${DSMT_ROOT}/var/greeting
cat "$DSMT_CONFIG" > ${DSMT_ROOT}/var/config.json
sleep 1000 & echo $! > ${DSMT_ROOT}/app/pid
"""
STATUS = 'kill -0 $(cat ${DSMT_ROOT}/app/pid) 2>/dev/null && echo "$DSMT_CONFIG_GREETING" && exit 0; exit 3'
WALK = ["requested", "instantiated", "initialized", "running"]
HELLO = Configuration.of({"greeting": 'hello, "Wörld"\n$HOME', "level": "3"})
HI = Configuration.of({"greeting": "hi"})


@pytest.fixture(params=["world", "open_world"])
def sliver(request: pytest.FixtureRequest) -> World:
    made: World = request.getfixturevalue(request.param)
    return made


async def begun(world: World, packages: Made) -> None:
    made = packages(start=START, status=STATUS)
    world.node.add(*made)
    await world.start_agent()
    await world.order(configured(packages, HELLO, 1))
    await world.until_states(*WALK)


def configured(packages: Made, configuration: Configuration, generation: int) -> Order:
    made = packages(start=START, status=STATUS)
    return order(Verb.APPCONFIG, generation, made, configuration=configuration)


def read(world: World) -> tuple[str, Any]:
    """What the start script has found: a variable, and the values of the file."""
    var = world.place.root / "var"
    return (var / "greeting").read_text(), json.loads((var / "config.json").read_text())["values"]


async def test_the_scripts_find_the_values_and_another_configuration_starts_it_anew(
    sliver: World, packages: Made
) -> None:
    await begun(sliver, packages)
    assert read(sliver) == (HELLO.values["greeting"], HELLO.values)
    before = (await sliver.sliver.processes(APP)).pids
    await sliver.until(lambda _: sliver.last("holdings").get(f"configuration.{APP}") == HELLO.digest)
    await sliver.order(configured(packages, HI, 2))
    await sliver.until_states(*WALK, *WALK)
    assert read(sliver) == ("hi", HI.values)
    assert not before & (await sliver.sliver.processes(APP)).pids
    running = [event.pairs.get("configuration") for event in sliver.events if event.state == "running"]
    assert running[-2:] == [HELLO.digest, HI.digest]
    await sliver.until(lambda _: sliver.last("status").get("text") == "hi")
    await sliver.order(order(Verb.UNINSTALL, 3))
    await sliver.until(lambda _: sliver.states()[-1] == "terminated")


@pytest.mark.parametrize("record", ["kept", "torn"])
async def test_an_agent_that_comes_back_restarts_nothing_for_the_same_configuration(
    world: World, packages: Made, record: str
) -> None:
    await begun(world, packages)
    before = (await world.sliver.processes(APP)).pids
    await world.end_agent()
    if record == "torn":
        (world.paths.own / "applications.json").write_text("{")
    heard = len(world.events)
    await world.start_agent()
    await world.order(configured(packages, HELLO, 2))
    await world.until(lambda events: any(event.field == "status" for event in events[heard:]))
    said = f"application.{APP}"
    await world.until(lambda _: world.last("holdings").get(said, "").startswith("2 running"))
    assert (await world.sliver.processes(APP)).pids == before
    assert world.last("holdings")[f"configuration.{APP}"] == HELLO.digest
