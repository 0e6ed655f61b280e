"""An application whose start script fails on one node is moved to another, for real."""

from __future__ import annotations

import asyncio
from typing import Any

from dsmt_core.names import Host
from tests.e2e.application import START, App
from tests.e2e.conftest import Stages
from tests.e2e.stage import WITHIN_S, Stage
from tests.e2e.test_kill_matrix import all_run
from tests.e2e.test_losses import GOOD, placed


async def alive(stage: Stage, host: Host) -> Any:
    """What is told of a node once it is alive; on a busy machine any one is a suspect now and then."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            for told in await stage.ask(lambda client: client.failed_nodes()):
                if (told["host"], told["state"]) == (host, "alive"):
                    return told
            await asyncio.sleep(0.2)


async def test_what_cannot_start_on_one_node_runs_on_another_and_the_node_says_why(stages: Stages) -> None:
    async with stages(hosts=3) as stage:
        bad, other, spare = stage.hosts
        for order, host in enumerate(reversed(stage.hosts)):
            await stage.ask(lambda client, h=host, o=order: client.label(h, {"first": str(o)}))  # type: ignore[misc]
        fails = f'[ "$DSMT_HOST" = {bad} ] && {{ echo "its port is taken" >&2; exit 1; }}\n'
        script = START.replace("#!/bin/sh\n", f"#!/bin/sh\n{fails}", 1)
        await stage.deploy("xyz1", App(scripts={"start": script}), plan="slice_nodes")
        await stage.ask(lambda client: client.define_plan("xyz1", "good", "minus", GOOD))
        rank = {"parent": "good", "by": "first", "order": "desc"}
        await stage.ask(lambda client: client.define_plan("xyz1", "best", "rank", rank))
        limit = {"parent": "best", "count": "2"}
        await stage.ask(lambda client: client.set_plan("xyz1", "limit", limit))
        await stage.until(lambda status: set(placed(status)) == {bad, other}, "xyz1")

        status = await stage.until(
            lambda status: all_run(2)(status) and set(placed(status)) == {other, spare}, "xyz1"
        )
        assert any(bad in said and "its port is taken" in said for said in status["waiting_reasons"])
        told = await alive(stage, bad)
        assert [(one["slice"], one["application"]) for one in told["misfits"]] == [("xyz1", "XYZ")]
        why = await stage.ask(lambda client: client.explain("xyz1", "good", {}, bad))
        assert "failed for this slice: XYZ 1.8-1 does not run here" in why["reason"]
