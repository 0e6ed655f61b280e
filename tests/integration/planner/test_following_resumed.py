"""``dsmtc events --since … --follow`` while the planner is killed and comes back: no gap, no repeat."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE
from pathlib import Path

import broker
from dsmt_core.channels import Channel
from dsmt_core.events import Sender
from tests.integration.planner.conftest import ADMIN, PASSWORD, Site

PINGER = Channel("/com/example/pinger/")


async def test_a_follower_goes_on_where_it_ended_when_the_planner_is_back(
    site: Site, tmp_path: Path
) -> None:
    first = await asyncio.to_thread(site.start)
    sender = Sender("pinger", "h/pinger", "boot")
    own = {name: value for name, value in os.environ.items() if not name.startswith("DSMT_")}
    command = [sys.executable, "-m", "dsmtc.main", "events", "--json", "--count", "9"]
    command += ["--since", "10m", "--follow", "--channel", str(PINGER), "--timeout", "90"]
    who = {
        "DSMT_PLANNER": site.url,
        "DSMT_ACCOUNT": ADMIN,
        "DSMT_PASSWORD": PASSWORD,
        "HOME": str(tmp_path),
    }
    async with broker.connected(site.urls("operator")) as bus:

        async def say(count: int) -> None:
            for _ in range(count):
                await bus.publish(sender.event(PINGER, "count", now=time.time(), id_="i"))

        await say(3)
        follower = await asyncio.create_subprocess_exec(
            *command, env=own | who | {"PYTHONUNBUFFERED": "1"}, stdout=PIPE, stderr=PIPE
        )
        try:
            assert follower.stdout is not None
            assert follower.stderr is not None
            lines = [await follower.stdout.readline() for _ in range(3)]
            first.send_signal(signal.SIGKILL)
            await asyncio.to_thread(first.wait)
            # Told once, however often it tries; what is said meanwhile is in the history.
            told = await follower.stderr.readline()
            await say(3)
            await asyncio.to_thread(site.start)
            lines += [await follower.stdout.readline() for _ in range(3)]
            await say(3)
            rest, more = await asyncio.wait_for(follower.communicate(), 60)
        finally:
            if follower.returncode is None:
                follower.kill()
                await follower.wait()
    assert follower.returncode == 0, more
    shown = [json.loads(line) for line in [*lines, *rest.splitlines()]]
    assert [event["seq"] for event in shown] == list(range(1, 10))
    assert told.decode().endswith("; going on where it ended as soon as it answers\n")
    assert more == b"the stream of events goes on\n"
