"""The how-tos, played as they stand: one world, a slice for each, what is typed and what is printed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from depot.rpmgen.tarball import make_tarball
from dsmtc.client import Client, Credentials
from lab.demo.transcript import rpmgen
from tests.documents.blocks import page_of
from tests.documents.pages import ALONE, PLAYED
from tests.documents.play import World, play
from tests.e2e.conftest import Stages
from tests.e2e.stage import ADMIN, PASSWORD, Stage

# They wait for one another's processors more than for anything else.
AT_ONCE = 3


def packages(home: Path) -> list[Path]:
    """Those of pinger, as ``make dev`` has them: the application before its wrapper."""
    folder = home / "packages"
    folder.mkdir()
    tarball = make_tarball(Path("examples/pinger"), "pinger-1.8", home / "pinger-1.8.tgz")
    command = [sys.executable, "-m", "depot.rpmgen.main", *rpmgen(tarball), "--output", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return sorted(folder.glob("*.rpm"), reverse=True)


def world_of(stage: Stage) -> World:
    account = stage.home / "account"
    account.touch(mode=0o600)
    account.write_text(f"account: {ADMIN}\npassword: {PASSWORD}\nrole: admin\n")
    url = stage.scene.planner_url
    return World(
        home=stage.home,
        environment={
            "DSMT_PLANNER": url,
            "DSMT_ACCOUNT_FILE": str(account),
            "WARM": str(stage.home / "warm"),
        },
        packages=packages(stage.home),
        client=lambda: Client(url, Credentials(ADMIN, PASSWORD, role="admin")),
    )


@contextmanager
def loaded(place: Path) -> Iterator[None]:
    """A ``dsmtc`` that is loaded once for all lines, at a socket."""
    words = [sys.executable, "-c", "import sys; from tests.documents.warm import serve; serve(sys.argv[1])"]
    with subprocess.Popen([*words, str(place)], start_new_session=True) as process:
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


async def played(world: World, home: Path) -> list[str]:
    """What went wrong on all pages."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(path: Path) -> list[str]:
        async with free:
            return await play(page_of(path), world, home / path.stem)

    found = await asyncio.gather(*(one(path) for path in PLAYED if path != ALONE))
    return [trouble for each in (*found, await one(ALONE)) for trouble in each]


@pytest.mark.timeout(480)
async def test_what_the_how_tos_show_is_so(stages: Stages, tmp_path: Path) -> None:
    async with stages(hosts=3, own_broker=True) as stage:
        world = await asyncio.to_thread(world_of, stage)
        warm = Path(world.environment["WARM"])
        with loaded(warm):
            await stage.eventually(warm.exists)
            troubles = await played(world, tmp_path / "work")
    assert not troubles, "\n\n".join(troubles)
