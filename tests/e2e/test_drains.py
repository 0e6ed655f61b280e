"""Nodes taken out of service under a running slice: real processes, a real broker, and dsmtc."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from typing import Any

from dsmt_core.names import Host
from lab.sightings import eldest
from tests.e2e.application import App
from tests.e2e.conftest import Stages
from tests.e2e.stage import WITHIN_S, Stage
from tests.e2e.test_kill_matrix import all_run
from tests.e2e.test_losses import deploy, placed, running

# The time of a drain that cannot be done: short, for it is waited for.
DEADLINE_S = 4


async def dsmtc(stage: Stage, *words: str) -> tuple[int, str, str]:
    """Exit code, answer and story of a command."""
    own = {"DSMT_PLANNER": stage.scene.planner_url, "HOME": str(stage.home)}
    account = ("--user", stage.scenery.admin, "--password", stage.scenery.password)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dsmtc.main", *words, *account, stdout=PIPE, stderr=PIPE, env=os.environ | own
    )
    async with asyncio.timeout(120):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def standing(stage: Stage, host: Host) -> Any:
    return (await stage.ask(lambda client: client.node(host)))["standing"]


async def shown_alive(stage: Stage, host: Host) -> str:
    """What is told of the excluded nodes; on a busy machine a node is a suspect now and then."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            _, out, _ = await dsmtc(stage, "nodes", "--where", "standing = 'excluded'")
            if any(host in line and "alive" in line for line in out.splitlines()):
                return out


async def test_the_replacement_runs_before_what_is_drained_stops(stages: Stages) -> None:
    async with stages(hosts=3) as stage:
        drained, stays = await deploy(stage, 2)
        before = running(stage, [stays])
        [spare] = [host for host in stage.hosts if host not in {drained, stays}]
        waiting = asyncio.create_task(
            dsmtc(stage, "nodes", "drain", drained, "--reason", "disk swap", "--wait")
        )
        await stage.eventually(lambda: eldest(stage.scene.pids(drained), "XYZ") is None)
        assert eldest(stage.scene.pids(spare), "XYZ") is not None, "the replacement was there before"
        code, out, err = await waiting
        assert code == 0, err
        assert f"node {drained}: draining: disk swap (by {stage.scenery.admin}, since " in out
        assert "its replacement does not run yet" in err
        assert err.rstrip().endswith("nothing is left")
        status = await stage.until(all_run(2), "xyz1")
        assert sorted(placed(status)) == sorted([stays, spare])
        assert running(stage, [stays]) == before, "what stays was not touched"
        assert (await standing(stage, drained))["state"] == "drained"
        # Nothing is placed there until it is given back.
        code, _, _ = await dsmtc(stage, "nodes", "uncordon", drained)
        assert (code, (await standing(stage, drained))["state"]) == (0, "in service")


async def test_a_budget_that_cannot_be_kept_holds_a_drain_until_its_deadline_by_force(
    stages: Stages,
) -> None:
    async with stages(hosts=2) as stage:
        await stage.deploy("xyz1", App("XYZ"))
        await stage.until(all_run(2), "xyz1")
        code, out, _ = await dsmtc(stage, "budget", "xyz1", "--keep", "100%")
        assert code == 0
        assert "this leaves no room: all 2 must run, and the plan has no other node to give" in out
        host = stage.hosts[0]
        before = running(stage, [host])
        drain = ("nodes", "drain", host, "--deadline", f"{DEADLINE_S}s")
        code, _, err = await dsmtc(stage, *drain, "--wait")
        assert code == 7, "the time is over"
        assert "the disruption budget (keep 100%) holds it: 2 of 2 run, at least 2 must" in err
        assert (await standing(stage, host))["late"]
        assert running(stage, [host]) == before, "nothing was stopped"
        status = await stage.ask(lambda client: client.status("xyz1"))
        assert any("over time: draining" in reason for reason in status["waiting_reasons"])
        code, _, err = await dsmtc(stage, *drain, "--force", "--wait")
        assert code == 0, err
        await stage.eventually(lambda: eldest(stage.scene.pids(host), "XYZ") is None)
        await stage.until(lambda status: placed(status) == [stage.hosts[1]], "xyz1")


async def test_an_excluded_node_leaves_every_plan_and_is_still_heard(stages: Stages) -> None:
    async with stages(hosts=2) as stage:
        await stage.deploy("xyz1", App("XYZ"))
        await stage.until(all_run(2), "xyz1")
        host = stage.hosts[0]
        code, _, err = await dsmtc(stage, "nodes", "exclude", host)
        assert (code, "for a reason" in err) == (3, True)
        code, _, _ = await dsmtc(stage, "nodes", "exclude", host, "--reason", "too old")
        assert code == 0
        await stage.until(lambda status: placed(status) == [stage.hosts[1]], "xyz1")
        assert "excluded: too old" in await shown_alive(stage, host)
        _, out, _ = await dsmtc(stage, "plan", "eval", "--plan", "all_nodes", "--slice", "xyz1")
        assert "excluded: too old (by" in out
        await dsmtc(stage, "nodes", "include", host)
        await stage.until(all_run(2), "xyz1")
