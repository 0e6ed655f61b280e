"""The README's three uses of the parts, as it prints them: the same files, run for real."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from agents.container_manager.slivers.choosing import choose
from agents.container_manager.slivers.place import Place
from dsmt_core.names import Host, Slice
from tests.e2e.application import App
from tests.e2e.conftest import Stages
from tests.e2e.test_kill_matrix import all_run

ROOT = Path(__file__).parents[2]
EXAMPLES = ["start_node", "publish_command", "monitor"]
LINES = 10


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_readme_prints_the_examples_and_none_has_more_than_ten_lines() -> None:
    printed = blocks()
    assert printed == [(ROOT / "examples" / f"{name}.py").read_text() for name in EXAMPLES]
    assert all(len([line for line in text.splitlines() if line.strip()]) <= LINES for text in printed)


async def start(name: str, home: Path, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "examples" / f"{name}.py")),
        cwd=home,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
    )


async def test_the_examples_do_what_the_readme_says(stages: Stages) -> None:
    async with stages(hosts=1) as stage:
        broker = await stage.ask(lambda client: client.broker())
        token = await stage.ask(lambda client: client.invite()["token"])
        monitor = await start("monitor", stage.home, DSMT_OPERATOR_BROKER=broker)
        node = await start(
            "start_node", stage.home, DSMT_PLANNER=stage.scene.planner_url, DSMT_NODE_TOKEN=token
        )
        try:
            await stage.deploy("my_slice", App("pinger"))
            await stage.until(all_run(2), "my_slice")
            since = len(stage.monitor.heard)
            command = await start("publish_command", stage.home, DSMT_OPERATOR_BROKER=broker)
            assert await command.wait() == 0
            await stage.states("pinger", "running", since=since)
            assert monitor.stdout is not None
            line = await asyncio.wait_for(monitor.stdout.readline(), 120)
            assert line.startswith(b"/org/dsmt/ns/deployment/my_slice/")
            await stage.ask(lambda client: client.delete("my_slice"))
            await stage.eventually(lambda: not list((stage.home / "node9" / "slivers").glob("*")))
        finally:
            for process in (monitor, node):
                process.terminate()
                await process.wait()
            # The node leaves its slivers running; nothing is left when the test fails before their end.
            for directory in (stage.home / "node9" / "slivers").glob("*"):
                place = Place(Slice(directory.name), Host("node9.example.org"), directory)
                await asyncio.to_thread(choose("auto").driver.destroy, place)
