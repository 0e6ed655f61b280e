"""Scripts as people write them: failing, hanging, missing, talkative."""

from __future__ import annotations

import asyncio
import signal

import pytest

from agents.deployment_agent.decide import Periods
from dsmt_core.commands import Verb
from dsmt_core.events import DEPLOYMENT_STATUS, Event
from tests.integration.agent.conftest import Made
from tests.integration.agent.sliver_world import APP, GOOD, Package, World, order


async def _failed(world: World, packages: Made, *, within_s: float = 60.0, **scripts: str) -> str:
    """Order an application with these scripts; the reason of its first failure."""
    made = packages("1.0", **{**GOOD, **scripts})
    return await _failed_with(world, made, within_s)


async def _failed_with(world: World, made: tuple[Package, ...], within_s: float) -> str:
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until(lambda _: "failed" in world.states(), within_s=within_s)
    return next(_reason(event) for event in world.events if event.state == "failed")


def _reason(event: Event) -> str:
    assert event.field == DEPLOYMENT_STATUS
    return event.pairs["reason"]


async def test_a_start_script_that_fails_is_reported_with_its_last_words(
    world: World, packages: Made
) -> None:
    reason = await _failed(world, packages, start="echo one; echo no disk >&2; exit 7", status="exit 3")
    assert reason == "the start script ended with exit code 7: no disk"
    await world.until(lambda _: world.states().count("failed") == 2)
    walk = ["requested", "instantiated", "initialized", "failed"]
    assert world.states()[:8] == [*walk, "requested", "instantiated", "initialized", "failed"]


async def test_after_five_failures_in_a_row_failed_stays_published(world: World, packages: Made) -> None:
    await _failed(world, packages, start="exit 1")
    await world.until(lambda _: world.states().count("failed") == 5)
    heard = len(world.events)
    await world.until(lambda events: len(events) > heard + 4)
    assert world.states().count("failed") == 5
    assert world.states()[-1] == "failed"


async def test_a_missing_start_script_is_said(world: World, packages: Made) -> None:
    made = packages("1.0", stop="true", status="exit 0")
    assert "has no start script" in await _failed_with(world, made, 60.0)


async def test_a_start_script_that_stays_runs_when_status_says_so(world: World, packages: Made) -> None:
    made = packages("1.0", start="sleep 1000", status="echo up; exit 0")
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states("requested", "instantiated", "initialized", "running")
    await world.order(order(Verb.STOP, 2, made))
    await world.until(lambda _: world.states()[-1] == "terminated")
    assert not (await world.sliver.processes(APP)).pids


async def test_a_status_script_that_hangs_fails_by_time_out(
    world: World, packages: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = Periods(status_s=2.0)
    monkeypatch.setattr("agents.deployment_agent.service.Periods", lambda: brief)
    reason = await _failed(world, packages, status="sleep 1000", within_s=90.0)
    assert reason == "status script did not answer within 2 s"


async def test_a_status_script_that_prints_a_megabyte_is_cut(world: World, packages: Made) -> None:
    made = packages("1.0", **{**GOOD, "status": "head -c 1000000 /dev/zero | tr '\\0' x; exit 0"})
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until(lambda events: any(event.pairs.get("text") for event in events))
    assert world.last("status")["text"] == "x" * 256


async def test_what_a_status_script_prints_stays_text(world: World, packages: Made) -> None:
    made = packages("1.0", **{**GOOD, "status": "printf 'ok,status=failed\\001\\377\\nmore\\n'; exit 0"})
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until(lambda events: any(event.pairs.get("text") for event in events))
    told = world.last("status")
    assert told["text"] == "ok,status=failed\ufffd\ufffd"
    assert told["state"] == "running"
    assert "status" not in told


async def test_without_a_status_script_running_means_that_a_process_lives(
    world: World, packages: Made
) -> None:
    made = packages("1.0", start="sleep 1000 &")
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states("requested", "instantiated", "initialized", "running")
    await world.sliver.signal(APP, signal.SIGKILL)
    await world.until(lambda _: world.states()[4:5] == ["failed"])
    await world.until(lambda _: world.states()[-1] == "running" and len(world.states()) == 9)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_an_application_that_dies_runs_again_long_before_its_next_status(
    world: World, packages: Made, number: int
) -> None:
    made = packages()
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made, status_period=1_000.0))
    await world.until_states("requested", "instantiated", "initialized", "running")
    await asyncio.sleep(0)
    await world.sliver.signal(APP, number)
    await world.until(lambda _: len(world.states()) >= 9)
    assert world.states()[4:] == ["failed", "requested", "instantiated", "initialized", "running"]


async def test_a_stop_script_that_does_nothing_is_followed_by_signals(world: World, packages: Made) -> None:
    ignoring = "trap '' TERM; while :; do sleep 1; done"
    made = packages("1.0", start=f"({ignoring}) &", stop="exit 1", status="exit 0")
    world.node.add(*made)
    await world.start_agent()
    await world.order(order(Verb.APPCONFIG, 1, made))
    await world.until_states("requested", "instantiated", "initialized", "running")
    await world.order(order(Verb.STOP, 2, made))
    await world.until(lambda _: world.states()[-1] == "terminated")
    assert not (await world.sliver.processes(APP)).pids
