"""What is said on the event service, as lines of JSON: what was, what holds, and what comes.

Without ``follow``: the last ``count`` that pass (100 unless told), oldest first. With it: from now on, and
after ``count`` of them the answer ends. ``since`` begins in the history, ``snapshot`` with the values that
hold now; either ends there, or with ``follow`` goes on without gap or repeat. A line from the history has
its ``offset``. A follower that was too slow reads a line ``{"lost": N}``.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Annotated, Any, Final

from fastapi import Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from dsmt_core.channels import Channel
from dsmt_core.channels import channel as checked_channel
from dsmt_core.errors import Invalid
from dsmt_core.history import since as read_since
from dsmt_core.journal import record
from dsmt_core.lifecycle import state as checked_state
from planner.api.access import TheCaller, ThePlanner, asker_of
from planner.api.lasting import LINES, Asker, Lasting
from planner.api.routing import router_at
from planner.authority.speaking import check_hears, may_hear
from planner.service.planner import Planner
from planner.service.tap import RING, Filter, Follower, Heard, Tap

router = router_at("", "events")
_LAST: Final = 100


class Asked(BaseModel):
    """What is asked for; see the protocol."""

    channel: str = "/"
    type: str = ""
    service: str = ""
    state: str = ""
    field: str = ""
    since: str = ""
    snapshot: bool = False
    follow: bool = False
    count: int | None = Field(default=None, ge=1, le=1_000_000)


@router.get("/events", response_class=StreamingResponse, responses={200: {"content": {LINES: {}}}})
async def events(
    request: Request, caller: TheCaller, planner: ThePlanner, asked: Annotated[Asked, Query()]
) -> StreamingResponse:
    """Lines of JSON, one event each."""
    channel = checked_channel(asked.channel)
    check_hears(caller, channel)
    asker = asker_of(request, planner, caller, lambda now: check_hears(now, channel))
    return Lasting(await _lines(planner, _filter(asker, channel, asked), asked), asker)


async def _lines(planner: Planner, wanted: Filter, asked: Asked) -> AsyncIterator[str]:
    if asked.since:
        if asked.snapshot:
            raise Invalid(
                "since and snapshot are two beginnings",
                hint="since for what was said, snapshot for what holds now",
            )
        beginning = read_since(asked.since, now=planner.clock())
        heard = await planner.replays.begin(wanted, beginning, follow=asked.follow)
        return _written(heard, asked.count)
    # A snapshot and its follower begin in one turn of the event loop: nothing comes in between.
    follower = planner.tap.follow(wanted) if asked.follow else None
    first = _held(planner.tap, wanted) if asked.snapshot else []
    if follower is not None:
        return _written(_followed(planner.tap, follower), asked.count, first)
    if not asked.snapshot:
        first = [_line(record(one)) for one in planner.tap.recent(wanted, min(asked.count or _LAST, RING))]
    return _written(None, asked.count, first)


def _filter(asker: Asker, channel: Channel, asked: Asked) -> Filter:
    return Filter(
        channel=channel,
        state=checked_state(asked.state) if asked.state else "",
        field=asked.field,
        payload=asked.type,
        service=asked.service,
        allowed=lambda one: may_hear(asker.caller, one),
    )


def _held(tap: Tap, wanted: Filter) -> list[str]:
    return [_line(record(event) | {"snapshot": True}) for event in tap.holding(wanted)]


async def _followed(tap: Tap, follower: Follower) -> AsyncGenerator[Heard]:
    try:
        async for heard in follower.events():
            yield heard
    finally:
        tap.leave(follower)


async def _written(
    heard: AsyncGenerator[Heard] | None, count: int | None, first: Sequence[str] = ()
) -> AsyncIterator[str]:
    """The lines of ``first``, then of what is heard, at most ``count`` events."""
    for line in first[:count]:
        yield line
    left = None if count is None else count - len(first)
    if heard is None or (left is not None and left <= 0):
        return
    async with aclosing(heard):
        async for one in heard:
            if one.lost:
                yield _line({"lost": one.lost})
            place = {} if one.offset is None else {"offset": one.offset}
            yield _line(record(one.event) | place)
            left = None if left is None else left - 1
            if left == 0:
                return


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
