"""Limits of a slice through all layers: set by a person, kept by the node, told to whoever asks."""

from __future__ import annotations

import pytest

from agents.container_manager.limits.finding import found_groups
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
