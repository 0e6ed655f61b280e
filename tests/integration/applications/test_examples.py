"""The few lines that the how-to prints: the same files, run for real."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from tests.integration.applications.conftest import Credentials

ROOT = Path(__file__).parents[3]
HOW_TO = ROOT / "docs" / "how-to" / "use-psepr-from-an-application.md"
EXAMPLES = ["app_publish", "app_lease", "app_view"]
WITHIN_S = 60.0


async def started(name: str, path: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "examples" / f"{name}.py")),
        env=os.environ | {"DSMT_PSEPR": str(path)},
        stdout=asyncio.subprocess.PIPE,
    )


def test_the_how_to_prints_the_examples_and_each_use_takes_five_lines() -> None:
    printed = re.findall(r"```python\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    assert printed == [(ROOT / "examples" / f"{name}.py").read_text() for name in EXAMPLES]
    for text in printed:
        body = text.partition("async def main() -> None:\n")[2].partition("\n\n\nasyncio.run")[0]
        assert 1 <= len(body.splitlines()) <= 5


async def test_what_one_publishes_the_others_print(credentials: Credentials) -> None:
    readers = {
        "app_lease": b"h1/s1/demo load cpu=0.7\n",
        "app_view": b"{'h1/s1/demo': 'cpu=0.7'}\n",
    }
    running = [await started(name, credentials("h2/s1/reader")) for name in readers]
    lines = [
        asyncio.create_task(until(process, said))
        for process, said in zip(running, readers.values(), strict=True)
    ]
    try:
        async with asyncio.timeout(WITHIN_S):
            # Nobody tells when the others listen: it is published until both have heard it.
            while not all(line.done() for line in lines):
                publisher = await started("app_publish", credentials())
                assert await publisher.wait() == 0
            for line in lines:
                await line
    finally:
        for process in running:
            process.kill()
            await process.communicate()


async def until(process: asyncio.subprocess.Process, said: bytes) -> None:
    """Read what a process prints until it says so; a view begins empty, and prints that."""
    assert process.stdout is not None
    while (line := await process.stdout.readline()) != said:
        assert line == b"{}\n"
