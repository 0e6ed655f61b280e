"""What is said on the event service, as lines of JSON: the last events, or those that come.

Without ``follow``: the last ``count`` that pass (100 unless told), oldest first. With it: from now on, and
after ``count`` of them the answer ends. A follower that was too slow reads a line ``{"lost": N}``.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from dsmt_core.channels import DEPLOYMENT, Channel, lies_under
from dsmt_core.channels import channel as checked_channel
from dsmt_core.journal import record
from dsmt_core.lifecycle import state as checked_state
from dsmt_core.names import Slice
from planner.api.access import TheCaller, ThePlanner
from planner.authority.rights import Caller, Right, check, may
from planner.service.tap import RING, Filter, Follower, Tap

router = APIRouter(tags=["events"])
_LAST: Final = 100
_LINES: Final = "application/x-ndjson"


@router.get("/events", response_class=StreamingResponse, responses={200: {"content": {_LINES: {}}}})
async def events(  # noqa: PLR0913 - one parameter for each of the query's
    caller: TheCaller,
    planner: ThePlanner,
    *,
    channel: str = "/",
    state: str = "",
    field: str = "",
    follow: bool = False,
    count: Annotated[int | None, Query(ge=1, le=1_000_000)] = None,
) -> StreamingResponse:
    """Lines of JSON, one event each."""
    wanted = _filter(caller, channel, state, field)
    if not follow:
        found = planner.tap.recent(wanted, min(count or _LAST, RING))
        return StreamingResponse(iter([_line(record(event)) for event in found]), media_type=_LINES)
    follower = planner.tap.follow(wanted)
    return StreamingResponse(_followed(planner.tap, follower, count), media_type=_LINES)


def _filter(caller: Caller, channel: str, state: str, field: str) -> Filter:
    asked = checked_channel(channel)
    named = _slice_of(asked)
    if named:
        check(caller, Right.READ_SLICE, named)
    return Filter(
        channel=asked,
        state=checked_state(state) if state else "",
        field=field,
        allowed=lambda heard: _may_hear(caller, heard),
    )


def _may_hear(caller: Caller, heard: Channel) -> bool:
    named = _slice_of(heard)
    return not named or may(caller, Right.READ_SLICE, named)


def _slice_of(channel: Channel) -> Slice:
    """The slice whose deployment a channel is about; empty for none."""
    if not lies_under(channel, DEPLOYMENT):
        return Slice("")
    return Slice(channel[len(DEPLOYMENT) :].partition("/")[0])


async def _followed(tap: Tap, follower: Follower, count: int | None) -> AsyncIterator[str]:
    left = count
    try:
        async for heard in follower.events():
            if heard.lost:
                yield _line({"lost": heard.lost})
            yield _line(record(heard.event))
            left = None if left is None else left - 1
            if left == 0:
                return
    finally:
        tap.leave(follower)


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
