"""Logs and commands through every layer: dsmtc, planner, RabbitMQ with permissions, agents in slivers."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from dsmt_core.events import Event
from tests.e2e.application import START, App
from tests.e2e.conftest import Stages
from tests.e2e.stage import ADMIN, PASSWORD, Stage

PRINTS = START + "echo hello from $DSMT_HOST\ni=0; (while sleep 0.2; do echo line $((i+=1)); done) &\n"
TALKS = App("talks", scripts={"start": PRINTS})


def dsmtc(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as the pi."""
    return subprocess.run(
        [sys.executable, "-m", "dsmtc.main", "--slice", "s1", *words],
        env=environment(stage),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def environment(stage: Stage) -> dict[str, str]:
    return os.environ | {
        "DSMT_PLANNER": stage.scene.planner_url,
        "DSMT_ACCOUNT": ADMIN,
        "DSMT_PASSWORD": PASSWORD,
        "HOME": str(stage.home),
    }


def executed(stage: Stage, count: int) -> list[Event]:
    """What was told of commands, once it is so much: the monitor hears it by a way of its own."""
    heard = [event for event in stage.heard() if event.field == "executed"]
    return heard if len(heard) >= count else []


async def test_people_look_into_slivers(stages: Stages) -> None:
    async with stages(hosts=2) as stage:
        await stage.deploy("s1", TALKS)
        await stage.until(lambda status: status["running"] == 2, "s1")
        one, two = stage.hosts
        logged = await asyncio.to_thread(dsmtc, stage, "logs", "all_nodes", "-n", "1000", "-t")
        assert logged.returncode == 0, logged
        for host in stage.hosts:
            assert any(
                line.startswith(f"{host} | 2") and line.endswith(f"hello from {host}")
                for line in logged.stdout.splitlines()
            )
        await followed(stage)
        ran = await asyncio.to_thread(
            dsmtc, stage, "exec", one, "--", "sh", "-c", "echo $DSMT_HOST; exit 7"
        )
        assert (ran.stdout, ran.returncode) == (f"{one}\n", 7)
        both = await asyncio.to_thread(dsmtc, stage, "exec", "all_nodes", "--", "cat", "/var/pid")
        assert (sorted(line.split()[0] for line in both.stdout.splitlines()), both.returncode) == (
            sorted([one, two]),
            0,
        )
        heard = await stage.eventually(lambda: executed(stage, 4))
        assert [event.pairs["phase"] for event in heard] == ["begins", "ended"] * 2
        assert (heard[0].pairs["by"], heard[0].pairs["hosts"]) == (ADMIN, one)
        assert heard[1].pairs["failed"] == one
        assert "echo $DSMT_HOST" in heard[0].pairs["command"]
        await watched(stage)
        wrong = await asyncio.to_thread(dsmtc, stage, "logs", "nowhere")
        assert (wrong.returncode, "neither a node nor a plan" in wrong.stderr) == (3, True)
        await stage.scene.power_off(two)
        started = asyncio.get_running_loop().time()
        silent = await asyncio.to_thread(dsmtc, stage, "exec", "all_nodes", "--timeout", "1s", "--", "true")
        assert asyncio.get_running_loop().time() - started < 60
        assert (silent.returncode, two in silent.stderr) == (1, True), silent


async def watched(stage: Stage) -> None:
    """A check that nothing passes reaches the agents, is told as a doubt, and ends nothing."""
    before = len(stage.heard())
    chosen = await asyncio.to_thread(dsmtc, stage, "check", "--tcp", "1", "--every", "1s")
    assert "tcp://127.0.0.1:1, every 1 s" in chosen.stdout, chosen
    for host in stage.hosts:
        await stage.monitor.wait_for(
            lambda event, host=host: (  # type: ignore[misc]
                event.pairs.get("hostname") == host and "never passed" in event.pairs.get("reason", "")
            ),
            within_s=60,
        )
    assert not [event for event in stage.heard(before) if event.field == "deployment-status"]
    await stage.until(
        lambda status: (
            status["running"] == 2
            and all("never passed" in host["applications"][0]["reason"] for host in status["hosts"])
        ),
        "s1",
    )


async def followed(stage: Stage) -> None:
    """Lines of both nodes come as they are printed, each once, also across a planner that is killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dsmtc.main", "--slice", "s1", "logs", "--since", "1s", "-f"),
        env=environment(stage),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path.cwd(),
    )
    seen: dict[str, list[int]] = {}
    # What each said first comes too, once, where it has not said much more yet.
    firsts = {f"{host} | hello from {host}\n" for host in stage.hosts}

    async def more(count: int) -> None:
        assert process.stdout is not None
        before = {host: len(lines) for host, lines in seen.items()}
        while len(seen) < 2 or any(
            len(lines) < before.get(host, 0) + count for host, lines in seen.items()
        ):
            line = (await process.stdout.readline()).decode()
            host, _, number = line.partition(" | line ")
            if line in firsts:
                firsts.remove(line)
                continue
            assert number, line
            seen.setdefault(host, []).append(int(number))

    try:
        async with asyncio.timeout(120):
            await more(15)
            await asyncio.to_thread(stage.scene.planner.kill)
            # What is printed meanwhile is nowhere but on the nodes.
            await asyncio.sleep(3)
            await stage.scene.start_planner()
            await more(30)
    finally:
        process.kill()
        _, told = await process.communicate()
    for lines in seen.values():
        assert lines == list(range(lines[0], lines[0] + len(lines)))
    first, *others = told.decode().splitlines()
    assert first.endswith("; going on where it ended as soon as it answers")
    assert others[-1:] == ["what is printed goes on"]
