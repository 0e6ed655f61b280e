"""The audit log: read by who may look into what an entry is about; kept by an admin."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Final

from fastapi import Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from dsmt_core.audit import Head
from planner.api import models
from planner.api.access import TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.api.texts import Text
from planner.authority.rights import Caller, Right, check, may
from planner.service.planner import Planner
from planner.store.audit import Wish

router = router_at("/audit", "audit")
_LINES: Final = "application/x-ndjson"
_MOST: Final = 1_000
Moment = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]


class AskedEntries(BaseModel):
    """Which entries: the newest so many of which all of this is true; seconds since the epoch."""

    model_config = ConfigDict(extra="forbid")

    since: Moment | None = None
    until: Moment | None = None
    by: Text = ""
    about: Text = ""
    act: Text = ""
    refused: bool = False
    below: Annotated[int, Field(ge=0, lt=1 << 62)] | None = None
    limit: Annotated[int, Field(ge=1, le=_MOST)] = 100


@router.get("")
async def listed(
    caller: TheCaller, planner: ThePlanner, asked: Annotated[AskedEntries, Query()]
) -> list[dict[str, Any]]:
    """Entries, the oldest first."""
    wish = Wish(**asked.model_dump(), slices=_readable(caller, planner), own=caller.account)
    return await planner.audit.listed(wish)


@router.get("/verify")
async def verify(caller: TheCaller, planner: ThePlanner, head: Text = "") -> dict[str, Any]:
    """Look along the whole log; with ``head`` also whether that entry (NUMBER:DIGEST) is in it."""
    check(caller, Right.KEEP_AUDIT)
    known = [Head.of(one) for one in head.split(",") if one]
    return await planner.audit.verified({one.number: one.digest for one in known})


@router.get("/export", response_class=StreamingResponse, responses={200: {"content": {_LINES: {}}}})
async def export(caller: TheCaller, planner: ThePlanner) -> StreamingResponse:
    """The whole log as lines of JSON, which can be verified without a planner."""
    check(caller, Right.KEEP_AUDIT)
    return StreamingResponse(_written(planner.audit.exported(planner.id)), media_type=_LINES)


@router.post("/prune")
async def prune(body: models.AuditPrune, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Remove what was exported up to the entry ``through`` (NUMBER:DIGEST)."""
    check(caller, Right.KEEP_AUDIT)
    return await planner.audit.prune(Head.of(body.through))


def _readable(caller: Caller, planner: Planner) -> list[str] | None:
    """The slices of which the caller may read the entries; None: all there is."""
    if may(caller, Right.KEEP_AUDIT):
        return None
    return [one for one in planner.ledger.wanted.slices if may(caller, Right.READ_AUDIT, one)]


async def _written(records: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    async with aclosing(records) as lines:  # type: ignore[type-var]
        async for line in lines:
            yield f"{json.dumps(line)}\n"
