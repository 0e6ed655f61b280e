"""An agent that is a shell script takes the place of the default one, and gives it back."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from agents.container_manager.slivers import record
from agents.container_manager.slivers.place import Place
from depot.rpmgen.tarball import make_tarball
from dsmt_core.errors import Conflict, NotFound
from dsmt_core.events import DEPLOYMENT_STATUS
from dsmt_core.names import SLIVER_BOOTSTRAP, Slice
from tests.e2e.conftest import Stages
from tests.e2e.stage import Stage

ROOT = Path(__file__).parents[2]
WALK = ["requested", "instantiated", "initialized", "installed", "running"]
SLICE = "s1"


async def put(stage: Stage, example: str, top: str) -> None:
    path = make_tarball(ROOT / "examples" / example, top, stage.home / f"{top}.tgz")
    await stage.ask(lambda client: client.put_package(SLICE, path))


def agent_states(stage: Stage, since: int) -> list[str]:
    """What the bootstrap has said since."""
    return [
        event.state
        for event in stage.heard(since)
        if event.field == DEPLOYMENT_STATUS and event.pairs["component"] == SLIVER_BOOTSTRAP
    ]


def processes(stage: Stage, *words: str) -> list[psutil.Process]:
    """The processes in the sliver whose command line has these words, oldest first."""
    place = Place(Slice(SLICE), stage.hosts[0], stage.home / stage.hosts[0] / "slivers" / SLICE)
    init = record.load(place.init_file)
    assert init is not None
    found = []
    for process in psutil.Process(init.pid).children(recursive=True):
        try:
            line = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if all(word in line for word in words):
            found.append(process)
    return sorted(found, key=lambda process: process.create_time())


async def pid_of(stage: Stage, *words: str) -> int:
    found = await stage.eventually(lambda: processes(stage, *words))
    return int(found[0].pid)


def application(status: Any) -> dict[str, Any]:
    return next(iter(status["hosts"][0]["applications"]), {})


async def test_a_shell_script_as_agent(stages: Stages) -> None:
    async with stages(hosts=1) as stage:
        await stage.ask(lambda client: client.create(SLICE))
        await put(stage, "pinger", "pinger-1.8")
        await stage.ask(lambda client: client.set_plan(SLICE, "all_nodes", {}))
        await stage.states("pinger", "running")
        pinger = await pid_of(stage, "/app/pinger/1.8/pinger")

        with pytest.raises(NotFound, match="no agent"):
            await stage.ask(lambda client: client.set_agent(SLICE, "shell_agent", {}))
        await put(stage, "shell_agent", "shell_agent-1.0")
        before = len(stage.monitor.heard)
        await stage.ask(lambda client: client.set_agent(SLICE, "shell_agent", {"greeting": "good day"}))
        await stage.eventually(lambda: agent_states(stage, before) == WALK)
        with pytest.raises(Conflict, match="is the agent"):
            await stage.ask(lambda client: client.remove_package(SLICE, "shell_agent-1.0.tgz"))
        log = stage.home / stage.hosts[0] / "slivers" / SLICE / "root" / "var" / "log" / "dsmt-agent.log"
        assert "good day" in log.read_text()

        # What the agent before has started runs on, and is held by the new one.
        await stage.until(lambda status: application(status).get("state") == "running", SLICE)
        assert await pid_of(stage, "/app/pinger/1.8/pinger") == pinger

        # Nobody is kept waiting for an answer that never comes.
        for look in (
            lambda client: list(client.logs(SLICE, "pinger")),
            lambda client: client.execute(SLICE, "pinger", stage.hosts[0], ["true"], timeout_s=0),
        ):
            with pytest.raises(Conflict, match="an agent of its own, shell_agent"):
                await stage.ask(look)

        # It carries out orders of its own.
        before = len(stage.monitor.heard)
        await stage.ask(lambda client: client.act(SLICE, "pinger", "restart"))
        await stage.states("pinger", "running", since=before)
        restarted = await pid_of(stage, "/app/pinger/now/pinger")
        assert not psutil.pid_exists(pinger)

        # It is killed, and nothing else is harmed; half an agent does not stay.
        before = len(stage.monitor.heard)
        os.kill(await pid_of(stage, "agent.sh"), signal.SIGKILL)
        await stage.eventually(lambda: agent_states(stage, before) == ["failed", *WALK])
        assert len(processes(stage, "agents.scripted", "orders")) == 1
        assert await pid_of(stage, "/app/pinger/now/pinger") == restarted

        # Another version of it takes over what runs.
        await put(stage, "shell_agent", "shell_agent-1.1")
        before = len(stage.monitor.heard)
        await stage.ask(lambda client: client.set_agent(SLICE, "shell_agent", {"version": "1.1"}))
        await stage.eventually(lambda: agent_states(stage, before) == WALK)
        assert await pid_of(stage, "shell_agent-1.1-")
        assert await pid_of(stage, "/app/pinger/now/pinger") == restarted

        # The default agent ends what it does not know, and begins anew.
        before = len(stage.monitor.heard)
        await stage.ask(lambda client: client.set_agent(SLICE, "deployment-agent", {}))
        await stage.states("pinger", "running", since=before)
        await pid_of(stage, "/app/pinger/1.8/pinger")
        assert not psutil.pid_exists(restarted)
