"""An agent that hangs is called silent once, and cleared when it goes on; what ended in order never is."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter

from dsmt_core.health import HEALTH
from lab.sightings import running_module
from tests.e2e.application import App
from tests.e2e.conftest import Stages
from tests.e2e.stage import Stage
from tests.e2e.test_kill_matrix import all_run

# Two and a half status periods of a second, a tick of the planner, and half as much again.
BEYOND_PATIENCE_S = 5.0


def silences(stage: Stage, status: str) -> Counter[tuple[str, str]]:
    """How often each thing was called silent, or not any more."""
    return Counter(
        (event.pairs["field"], event.pairs["about"])
        for event in stage.heard()
        if event.field == "silent" and event.pairs["status"] == status
    )


def untold(stage: Stage) -> Counter[tuple[str, str]]:
    """How often each was called silent and not cleared since."""
    left = silences(stage, "raised")
    left.subtract(silences(stage, "cleared"))
    return left


async def test_an_agent_that_hangs_is_silent_once_and_what_was_deleted_is_not(stages: Stages) -> None:
    async with stages(hosts=1) as stage:
        await stage.deploy("xyz1", App("XYZ"))
        await stage.until(all_run(1), "xyz1")
        (agent,) = running_module(stage.scene.pids(stage.hosts[0]), "agents.deployment_agent.main")
        # What it says each minute is not missed in this time; the status, said each second, is.
        said = ("status", "XYZ")
        await stage.monitor.wait_for(
            lambda event: event.field == "status" and event.emit_rate > 0, within_s=90
        )
        # A busy machine may have made it silent before; what counts is that it is told once from now on.
        await stage.until(lambda status: not status["silences"], "xyz1")
        os.kill(agent, signal.SIGSTOP)
        try:
            status = await stage.until(lambda status: len(status["silences"]) == 1, "xyz1")
            await stage.eventually(lambda: untold(stage)[said] == 1)
            raised = silences(stage, "raised")
            await asyncio.sleep(BEYOND_PATIENCE_S)
            assert silences(stage, "raised") == raised
            assert set(raised) == {said}
        finally:
            os.kill(agent, signal.SIGCONT)
        assert {one["host"] for one in status["silences"]} == {stage.hosts[0]}
        await stage.until(lambda status: not status["silences"], "xyz1")
        await stage.eventually(lambda: not untold(stage)[said])
        assert set(silences(stage, "cleared")) == {said}
        # The parts said nothing that they did not describe, and each told its health.
        assert (await stage.ask(lambda client: client.services()))["breaches"] == []
        assert {event.channel.split("/")[4] for event in stage.heard() if event.field == HEALTH} >= {
            "node",
            "deployment",
        }
        await stage.ask(lambda client: client.delete("xyz1"))
        slivers = stage.home / stage.hosts[0] / "slivers"
        await stage.eventually(lambda: not list(slivers.glob("*")))
        told = silences(stage, "raised")
        await asyncio.sleep(BEYOND_PATIENCE_S)
        assert silences(stage, "raised") == told
        assert set(told) == {said}
