"""Which agents are there, what an application prints there, and commands that are run as it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from dsmt_core.names import application as application_name
from planner.api import models
from planner.api.access import ChangeSlice, ReadSlice, TheCaller, ThePlanner, asker_of
from planner.api.lasting import LINES, Lasting
from planner.api.routing import router_at
from planner.api.texts import Text
from planner.authority.rights import Right, check
from planner.service.commands import Command
from planner.service.logs import Wish

router = router_at("/slices/{slice}/applications/{application}", "applications")
pings = router_at("/slices/{slice}/ping", "slices")


class AskedAgents(BaseModel):
    """Which agents: of a node or a plan (``at``), else all; and how long they have, seconds."""

    at: Text = ""
    within_s: float = 2.0


class AskedLines(BaseModel):
    """Which lines: of a node or a plan (``at``), the last so many, of so many seconds, and what comes."""

    at: Text = ""
    lines: int = 100
    since_s: float = 0.0
    follow: bool = False


@router.get("/logs", response_class=StreamingResponse, responses={200: {"content": {LINES: {}}}})
async def logs(  # noqa: PLR0913, PLR0917 - what FastAPI puts in
    slice_: ReadSlice,
    application: str,
    request: Request,
    caller: TheCaller,
    planner: ThePlanner,
    asked: Annotated[AskedLines, Query()],
) -> StreamingResponse:
    """Lines of JSON: ``host`` with ``at`` and ``text``, or with ``trouble``."""
    wish = Wish(at=asked.at, lines=asked.lines, since_s=asked.since_s, follow=asked.follow)
    lines = planner.looking_in.logs.lines(slice_, application_name(application), wish)
    asker = asker_of(request, planner, caller, lambda now: check(now, Right.READ_SLICE, slice_))
    return Lasting(_written(lines), asker)


@pings.get("", response_class=StreamingResponse, responses={200: {"content": {LINES: {}}}})
async def ping(
    slice_: ReadSlice, planner: ThePlanner, asked: Annotated[AskedAgents, Query()]
) -> StreamingResponse:
    """Lines of JSON: ``asked``, how many; then each ``host`` with ``ms``, or with ``trouble``."""
    answers = planner.looking_in.pings.ask(slice_, asked.at, asked.within_s)
    return StreamingResponse(_written(answers), media_type=LINES)


@router.post("/exec")
async def execute(
    slice_: ChangeSlice, application: str, caller: TheCaller, planner: ThePlanner, body: models.Execution
) -> dict[str, Any]:
    """Run a command as the application on a node, or on those of a plan."""
    if planner.ledger.slice(slice_).publishers is not None:
        check(caller, Right.RUN_UNSIGNED, slice_)
    command = Command(
        application=application_name(application),
        at=body.at,
        argv=tuple(body.argv),
        timeout_s=body.timeout_s,
    )
    await planner.audit.before()
    results = await planner.looking_in.commands.run(slice_, command, caller.account)
    return {"results": results}


async def _written(lines: AsyncGenerator[dict[str, Any]]) -> AsyncIterator[str]:
    async with aclosing(lines):
        async for line in lines:
            yield f"{json.dumps(line, ensure_ascii=False)}\n" if line else "\n"
