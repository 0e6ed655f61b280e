"""Applications whose scripts misbehave, each in a slice of its own on one node: a reason, and no harm."""

from __future__ import annotations

from typing import Any

from dsmt_core.events import Event
from tests.e2e.application import App
from tests.e2e.conftest import Stages
from tests.e2e.stage import Stage

FAILS = App("fails", scripts={"start": "#!/bin/sh\necho no disk >&2\nexit 7\n"})
MISSING = App("missing", scripts={"start": ""})
HANGS = App("hangs", scripts={"start": "#!/bin/sh\nsleep 1000\n", "status": "#!/bin/sh\nexit 3\n"})
STATUS_HANGS = App("statushangs", scripts={"status": "#!/bin/sh\nsleep 1000\n"})
MEGABYTE = App(
    "megabyte", scripts={"status": "#!/bin/sh\nhead -c 1000000 /dev/zero | tr '\\0' x\nexit 0\n"}
)
SPOKEN = App("spoken", scripts={"status": "#!/bin/sh\necho ok,status=failed\nexit 0\n"})


async def failure(stage: Stage, app: App) -> str:
    heard = await stage.states(app.name, "failed", within_s=120)
    return heard.event.pairs["reason"]


async def told(stage: Stage, app: App) -> Event:
    """The first periodic status of an application that its script has said something for."""
    heard = await stage.monitor.wait_for(
        lambda event: (
            event.field == "status" and event.pairs.get("application") == app.name and "text" in event.pairs
        ),
        within_s=90,
    )
    return heard.event


async def test_every_misbehaviour_has_its_reason_and_harms_no_other(stages: Stages) -> None:
    well = App("well")
    async with stages(hosts=1) as stage:
        for app in (FAILS, MISSING, HANGS, STATUS_HANGS, MEGABYTE, SPOKEN, well):
            await stage.deploy(app.name, app)
        assert "7" in await failure(stage, FAILS)
        assert "no start script" in await failure(stage, MISSING)
        assert "within 10 s" in await failure(stage, STATUS_HANGS)
        assert await failure(stage, HANGS)
        await stage.states("megabyte", "running")
        assert 0 < len((await told(stage, MEGABYTE)).pairs["text"]) <= 256
        spoken = await told(stage, SPOKEN)
        assert spoken.pairs["text"] == "ok,status=failed"
        assert spoken.pairs["state"] == "running"
        status = await stage.until(lambda status: status["running"] == 1, "well")
        assert status["failed"] == 0
        failed: Any = await stage.until(lambda status: status["failed"] == 1, "fails")
        assert failed["hosts"][0]["applications"][0]["reason"]
