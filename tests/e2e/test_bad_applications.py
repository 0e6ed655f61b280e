"""Applications whose scripts misbehave, each in a slice of its own on one node: a reason, and no harm."""

from __future__ import annotations

import socket
from typing import Any

from broker.server.ports import LOOPBACK, HeldPort
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
GARBAGE = App("garbage", scripts={"status": "#!/bin/sh\necho '{'\nexit 0\n"})
TELLS = App("tells", scripts={"status": '#!/bin/sh\necho \'{"text": "up", "metrics": {"n": 3}}\'\n'})
SPOKEN = App("spoken", scripts={"status": "#!/bin/sh\necho ok,status=failed\nexit 0\n"})


async def failure(stage: Stage, app: App) -> str:
    heard = await stage.states(app.name, "failed", within_s=120)
    return heard.event.pairs["reason"]


async def told(stage: Stage, app: App) -> Event:
    """The first periodic status of an application that its script has said something for."""
    heard = await stage.monitor.wait_for(
        lambda event: (
            # On a busy machine it reports before it was asked for the first time.
            event.field == "status"
            and event.pairs.get("application") == app.name
            and bool(event.pairs.get("text"))
        ),
        within_s=90,
    )
    return heard.event


def serving(name: str, port: int) -> App:
    """An application that wants a port, and has no more to say about it than its server has."""
    start = f"#!/bin/sh\nexec python3 -m http.server --bind {LOOPBACK} {port}\n"
    return App(name, scripts={"start": start, "status": "", "stop": ""})


def listened_on(port: HeldPort) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port.number), timeout=1):
            return True
    except OSError:
        return False


async def test_every_misbehaviour_has_its_reason_and_harms_no_other(stages: Stages) -> None:
    well = App("well")
    async with stages(hosts=1) as stage:
        # Held to the end: nobody but these two gets it, and the first of them still may listen on it.
        port = HeldPort()
        first, second = serving("first", port.number), serving("second", port.number)
        for app in (FAILS, MISSING, HANGS, STATUS_HANGS, MEGABYTE, GARBAGE, TELLS, SPOKEN, first, well):
            await stage.deploy(app.name, app)
        await stage.states("first", "running")
        await stage.eventually(lambda: listened_on(port))
        await stage.deploy(second.name, second)
        assert "7" in await failure(stage, FAILS)
        assert "no start script" in await failure(stage, MISSING)
        assert "within 10 s" in await failure(stage, STATUS_HANGS)
        assert await failure(stage, HANGS)
        await stage.states("megabyte", "running")
        assert 0 < len((await told(stage, MEGABYTE)).pairs["text"]) <= 256
        assert "begins as JSON" in (await told(stage, GARBAGE)).pairs["text"]
        assert (await told(stage, TELLS)).pairs["text"] == "up"
        metrics = await stage.monitor.wait_for(lambda event: event.field == "metrics", within_s=90)
        assert metrics.event.pairs["metric.n"] == "3"
        assert "Address already in use" in await failure(stage, second)
        spoken = await told(stage, SPOKEN)
        assert spoken.pairs["text"] == "ok,status=failed"
        assert spoken.pairs["state"] == "running"
        status = await stage.until(lambda status: status["running"] == 1, "well")
        assert status["failed"] == 0
        failed: Any = await stage.until(lambda status: status["failed"] == 1, "fails")
        assert failed["hosts"][0]["applications"][0]["reason"]
        port.release()
