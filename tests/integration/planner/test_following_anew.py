"""A follower whose planner comes back with another history: it says so, and leaves nothing of it out.

The broker is embedded: what it keeps ends with the planner's process, and its offsets begin at 0 again.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.integration.planner.conftest import ADMIN, PASSWORD, Api, Site

PINGER, LATER, OTHER = "/com/example/pinger/", "/com/example/later/", "/com/example/other/"
TOLD = b"the history has begun anew meanwhile; going on from its first event\n"
GOES_ON = b"the stream of events goes on\n"
WITHIN_S = 90.0


@pytest.fixture
def embedded(tmp_path: Path, initialised: Path) -> Iterator[Site]:
    """Where a planner runs whose broker is in its process."""
    urls = {"planner": "memory://planner@following"}
    made = Site(tmp_path / "planner", lambda user: urls.get(user, ""))
    shutil.copytree(initialised, made.data)
    yield made
    made.end()


async def kill(site: Site) -> None:
    site.processes[-1].send_signal(signal.SIGKILL)
    await asyncio.to_thread(site.processes[-1].wait)


async def say(site: Site, channel: str, *values: str) -> None:
    api = Api(site.url)
    try:
        await api.log_in()
        for value in values:
            await api("POST", "/events", {"channel": channel, "field": "count", "value": value})
    finally:
        await api.client.aclose()


@asynccontextmanager
async def following(site: Site, home: Path, channel: str, since: str, *more: str) -> AsyncIterator[Process]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("DSMT_")}
    who = {"DSMT_PLANNER": site.url, "DSMT_ACCOUNT": ADMIN, "DSMT_PASSWORD": PASSWORD, "HOME": str(home)}
    words = [
        "events",
        "--json",
        "--follow",
        "--channel",
        channel,
        "--since",
        since,
        "--timeout",
        "280",
        *more,
    ]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dsmtc.main", *words),
        env=own | who | {"PYTHONUNBUFFERED": "1"},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def shown(follower: Process, count: int) -> list[str]:
    assert follower.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        return [json.loads(await follower.stdout.readline())["value"] for _ in range(count)]


async def told(follower: Process) -> bytes:
    assert follower.stderr is not None
    async with asyncio.timeout(WITHIN_S):
        return await follower.stderr.readline()


async def begun(follower: Process) -> None:
    """Wait until a follower that tells each request has been answered."""
    while b"/v1/events" not in await told(follower):
        pass


async def test_a_history_that_began_anew_is_told_and_shown_from_its_first_event(
    embedded: Site, tmp_path: Path
) -> None:
    await asyncio.to_thread(embedded.start)
    await say(embedded, OTHER, *["x"] * 30)
    await say(embedded, PINGER, "a", "b")
    async with (
        following(embedded, tmp_path, PINGER, "10m") as follower,
        following(embedded, tmp_path, LATER, "20", "--verbose") as without_any,
    ):
        assert await shown(follower, 2) == ["a", "b"]
        await begun(without_any)

        # The new history is shorter than the offsets from which the two go on.
        await kill(embedded)
        assert b"going on where it ended" in await told(follower)
        await asyncio.to_thread(embedded.start)
        await say(embedded, PINGER, "c")
        await say(embedded, LATER, "later")
        assert await shown(follower, 1) == ["c"]
        assert [await told(follower), await told(follower)] == [TOLD, GOES_ON]
        assert await shown(without_any, 1) == ["later"]
        while await told(without_any) != TOLD:
            pass

        # It is longer before the follower looks, and at that offset is something that it does not show.
        follower.send_signal(signal.SIGSTOP)
        await kill(embedded)
        await asyncio.to_thread(embedded.start)
        await say(embedded, PINGER, "d", "e")
        await say(embedded, OTHER, *["x"] * 60)
        follower.send_signal(signal.SIGCONT)
        assert await shown(follower, 2) == ["d", "e"]
        assert b"going on where it ended" in await told(follower)
        assert [await told(follower), await told(follower)] == [TOLD, GOES_ON]
        await say(embedded, PINGER, "f")
        assert await shown(follower, 1) == ["f"]
