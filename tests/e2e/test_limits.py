"""Limits of a slice through all layers: set by a person, kept by the node, told to whoever asks."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from agents.container_manager.limits.finding import found_groups
from agents.container_manager.slivers.bubblewrap import BubblewrapDriver
from dsmt_core.limits import Network
from tests.e2e.application import App
from tests.e2e.conftest import Stages

EATS = "exec python3 -c 'x = b\"a\" * (300 << 20); import time; time.sleep(1000)'"
GREEDY = App(
    "greedy",
    scripts={"start": f"#!/bin/sh\n{EATS} >/dev/null 2>&1\n", "status": "", "stop": ""},
)


@pytest.mark.skipif("memory" not in found_groups().enforced, reason="no cgroup limits memory here")
async def test_what_is_over_its_memory_limit_fails_alone_with_the_reason(stages: Stages) -> None:
    async with stages(hosts=1) as stage:
        await stage.ask(lambda client: client.create("s1"))
        await stage.ask(lambda client: client.set_limits("s1", {"memory": "96M"}))
        for app in (App("well"), GREEDY):
            await stage.put("s1", app)
        await stage.ask(lambda client: client.set_plan("s1", "all_nodes", {}))
        failed = await stage.states("greedy", "failed", within_s=120)
        assert failed.event.pairs["reason"] == "over its memory limit of 96M"

        def both(status: dict[str, int]) -> bool:
            return (status["running"], status["failed"]) == (1, 1)

        status = await stage.until(both, "s1")
        reasons = {one["application"]: one["reason"] for one in status["hosts"][0]["applications"]}
        assert reasons["greedy"] == "over its memory limit of 96M"
        assert not [
            event
            for event in stage.heard()
            if event.pairs.get("managed") == "well" and event.state == "failed"
        ]
        shown = await stage.ask(lambda client: client.limits("s1"))
        assert shown["text"] == "memory 96M"
        assert shown["hosts"][0]["limits-enforced"].startswith("memory=cgroup")


LOOKS = """#!/bin/sh
python3 - <<'EOF'
import socket
try:
    socket.create_connection(("127.0.0.1", PORT), timeout=2)
    print("it reaches the node")
except OSError:
    print("apart")
EOF
"""


@pytest.mark.skipif(
    bool(BubblewrapDriver().probe() or BubblewrapDriver().lacks(Network.OWN)),
    reason="no network of a sliver's own here",
)
async def test_a_network_of_its_own_is_ordered_of_a_node_that_can_give_it(stages: Stages) -> None:
    with socket.create_server(("127.0.0.1", 0)) as service:
        looks = LOOKS.replace("PORT", str(service.getsockname()[1]))
        async with stages(hosts=1) as stage:
            await stage.ask(lambda client: client.create("s1"))
            await stage.ask(lambda client: client.set_limits("s1", {"network": "own"}))
            await stage.put("s1", App("well", scripts={"status": looks}))
            await stage.ask(lambda client: client.set_plan("s1", "all_nodes", {}))

            def has_said(status: Any) -> bool:
                # What it says comes later than that it runs.
                return status["running"] == 1 and bool(status["hosts"][0]["applications"][0]["text"])

            status = await stage.until(has_said, "s1")
            assert status["hosts"][0]["applications"][0]["text"] == "apart"
            async with asyncio.timeout(60):
                while True:
                    shown = await stage.ask(lambda client: client.limits("s1"))
                    if shown["hosts"] and shown["hosts"][0].get("limits-enforced"):
                        break
                    await asyncio.sleep(0.2)
            assert shown["hosts"][0]["limits-enforced"] == "network=own"
