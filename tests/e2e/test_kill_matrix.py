"""kill -9 of each kind of process, in turn, in the middle of a deployment and after it.

It converges, and no healthy application is restarted: each start of the application leaves a line in its
sliver, and its process stays the same.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from dsmt_core import names
from dsmt_core.names import Host
from lab.sightings import eldest, running_module
from tests.e2e.application import App
from tests.e2e.conftest import Stages
from tests.e2e.stage import Stage

Kill = Callable[[Stage], Awaitable[None]]


async def kill_planner(stage: Stage) -> None:
    await asyncio.to_thread(stage.scene.planner.kill)
    await stage.scene.start_planner()


async def kill_depot(stage: Stage) -> None:
    await killed(stage, stage.scene.depot_pid)


async def kill_container_manager(stage: Stage) -> None:
    await killed(stage, lambda: stage.scene.manager_pid(stage.hosts[0]))


async def kill_agent(stage: Stage) -> None:
    agent = "agents.deployment_agent.main"
    await killed(stage, lambda: next(iter(running_module(stage.scene.pids(stage.hosts[0]), agent)), 0))


async def killed(stage: Stage, pid: Callable[[], int]) -> None:
    """Kill a process as soon as it is there; whoever owns it starts another by itself."""
    old = await stage.eventually(pid)
    os.kill(old, signal.SIGKILL)
    await stage.eventually(lambda: pid() not in {0, old})


async def kill_broker(stage: Stage) -> None:
    await asyncio.to_thread(stage.scene.server.kill)
    await asyncio.to_thread(stage.scene.server.start)


RUNNING = "application running"
MOMENTS = ["sliver requested", "application requested", RUNNING]
# On a machine that a dozen others want.
WITHIN_S = 180.0
KILLS = [kill_planner, kill_depot, kill_container_manager, kill_agent, kill_broker]


def starts(home: Path, host: Host, slice_: str) -> int:
    """How often the application was started in its sliver."""
    return len((home / host / "slivers" / slice_ / "root" / "var" / "starts").read_text().splitlines())


def all_run(count: int) -> Callable[[dict[str, int]], bool]:
    return lambda status: status["running"] == count


async def reached(stage: Stage, slice_: str, moment: str) -> None:
    """Wait for a moment of the deployment of ``slice_``."""
    component = names.SLIVER_MGR if moment.startswith("sliver") else names.DEPLOYMENT_AGENT
    state = moment.rsplit(maxsplit=1)[-1]
    await stage.monitor.wait_for(
        lambda event: (
            event.state == state
            and event.pairs.get("component") == component
            and event.pairs.get("slice") == slice_
        ),
        count=len(stage.hosts) if state == "running" else 1,
        within_s=WITHIN_S,
    )


async def killed_at(stage: Stage, slice_: str, moment: str, kill: Kill) -> None:
    """Place, and kill at that moment: it comes true, and nothing is started twice. Then delete it all."""
    await stage.ask(lambda client: client.set_plan(slice_, "all_nodes", {}))
    await reached(stage, slice_, moment)
    before = {host: eldest(stage.scene.pids(host), "XYZ") for host in stage.hosts}
    await kill(stage)
    await stage.until(all_run(len(stage.hosts)), slice_, within_s=WITHIN_S)
    for host in stage.hosts:
        assert starts(stage.home, host, slice_) == 1
        if moment == RUNNING:
            assert eldest(stage.scene.pids(host), "XYZ") == before[host]
    await stage.ask(lambda client: client.delete(slice_))
    await stage.eventually(
        lambda: (
            not any(
                list((stage.home / host / "slivers").glob("*")) or eldest(stage.scene.pids(host), "XYZ")
                for host in stage.hosts
            )
        )
    )


# One world for a kind of process and all moments: to start it takes longer than what is looked at.
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kill", KILLS)
async def test_a_killed_process_delays_and_harms_nothing(stages: Stages, kill: Kill) -> None:
    async with stages(own_broker=kill is kill_broker) as stage:
        slices = {f"xyz{number}": moment for number, moment in enumerate(MOMENTS)}
        # Before anything is killed: a depot that is away takes no package, and says so.
        for slice_ in slices:
            await stage.ask(lambda client, name=slice_: client.create(name))  # type: ignore[misc]
            await stage.put(slice_, App("XYZ"))
        for slice_, moment in slices.items():
            await killed_at(stage, slice_, moment, kill)
