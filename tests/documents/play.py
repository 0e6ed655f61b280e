"""Plays pages in a world that runs, each in a slice of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsmt_core.errors import NotFound
from dsmtc.client import Client
from lab.scene import HOSTS
from tests.documents.blocks import Page
from tests.documents.printed import lacking
from tests.documents.script import Step, script_of, steps_of

ROOT: Final = Path(__file__).parents[2]
SLICE: Final = "my_slice"
WITHIN_S: Final = 150.0


@dataclass(frozen=True, slots=True)
class World:
    """What runs.

    Attributes:
        home: the directory of the world, as `lab.scene.Scenery.home`.
        environment: makes ``dsmtc`` speak to it.
        packages: those of pinger: the application, the wrapper.
        client: makes a client of it, with the first account.
    """

    home: Path
    environment: dict[str, str]
    packages: Sequence[Path]
    client: Callable[[], Client]


async def play(page: Page, world: World, work: Path) -> list[str]:
    """Play a page; what went wrong, one text each."""
    name = page.name.replace("-", "_")
    await asyncio.to_thread(_prepare, page, world, name)
    try:
        return await _played(page, world, work, name)
    finally:
        # What it left running would cost the pages after it their time.
        await asyncio.to_thread(_clear, world, name)


async def _played(page: Page, world: World, work: Path, name: str) -> list[str]:
    steps = steps_of(page)
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script_of(steps, page.pingers).replace(SLICE, name)),
        cwd=_place(work, world),
        env=_environment(world, work, name),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            said, _ = await process.communicate()
    except TimeoutError:
        said = b"it takes too long"
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        return [_failed(page, steps, work, said.decode())]
    return [trouble for step in steps for trouble in _compared(page, step, work, name)]


def _prepare(page: Page, world: World, name: str) -> None:
    with world.client() as client:
        client.create(name)
        if not page.pingers:
            return
        for package in world.packages:
            client.put_package(name, package)
        hosts = ",".join(HOSTS[: page.pingers])
        client.define_plan(name, "only3", "nodes", {"list": hosts})
        client.set_plan(name, "only3", {})


def _clear(world: World, name: str) -> None:
    with world.client() as client, suppress(NotFound):
        client.delete(name)


def _place(work: Path, world: World) -> Path:
    """The directory in which the lines are typed: as the project's folder, but what they write is ours."""
    work.mkdir(parents=True)
    (work / "examples").symlink_to(ROOT / "examples")
    (work / "build").mkdir()
    (work / "home").mkdir()
    (work / "build" / "dev").symlink_to(world.home)
    return work


def _environment(world: World, work: Path, name: str) -> dict[str, str]:
    return {
        **os.environ,
        **world.environment,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(work / "home"),
        "DSMT_HOME": str(work / "dsmtc"),
        "ROOT": str(ROOT),
        "WORK": str(work),
        "WORLD": str(world.home),
        "DSMT_SLICE": name,
        "COLUMNS": "160",
        "NO_COLOR": "1",
    }


def _failed(page: Page, steps: Sequence[Step], work: Path, said: str) -> str:
    begun = (work / "steps").read_text().split() if (work / "steps").exists() else ["0", ""]
    at = steps[min(int(begun[-2]), len(steps) - 1)] if begun[-2].isdigit() else steps[-1]
    outs = [work / "begin.out", work / f"{at.number}.out", *sorted(work.glob("*.stays*.out"))]
    ends = [f"--- {out.name}\n{out.read_text(errors='replace')[-1_500:]}" for out in outs if out.exists()]
    return "\n".join([f"{page.name}.md:{at.line}: failed:", at.shell, *ends, said[-1_000:]])


def _compared(page: Page, step: Step, work: Path, name: str) -> list[str]:
    if not step.expected:
        return []
    outs = [work / f"{step.number}.out", *sorted(work.glob(f"{step.number}.stays*.out"))]
    printed = "".join(out.read_text(errors="replace") for out in outs)
    missing = lacking([line.replace(SLICE, name) for line in step.expected], printed)
    if not missing:
        return []
    return [f"{page.name}.md:{step.line}: {step.shell.strip()}\nlacks {missing}\n--- {printed}"]
