"""``GET /v1/fleet``: the fleet as it is, then what changes, as server-sent events.

Each event is one JSON object: ``begin`` (forget what you know; who you are, what you may, the columns),
``rows`` (each replaces the one of its key), ``live`` (that was all there is), ``now`` (how the planner is,
and how long ago nodes were heard), ``end`` (why it ends). Docs: docs/reference/protocol.md.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Final

from fastapi import Request
from fastapi.responses import StreamingResponse

from dsmt_core.errors import DsmtError
from dsmt_core.names import Slice
from planner.api.access import TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.authority.rights import Caller, Right, check, may
from planner.service.planner import Planner
from planner.viewer import rows
from planner.viewer.ages import ages
from planner.viewer.feed import Feed, Viewed
from planner.viewer.rows import NO_HOST, Key

router = router_at("", "fleet")

GATHER_S: Final = 0.2
PORTION: Final = 500
NOW_S: Final = 5.0
RIGHTS_S: Final = 5.0
_SSE: Final = "text/event-stream"
_MANAGE: Final = Right.MANAGE_NODES
_COLUMNS: Final = {
    "node": rows.NODE_COLUMNS,
    "sliver": rows.SLIVER_COLUMNS,
    "slice": rows.SLICE_COLUMNS,
    "layer": rows.LAYER_COLUMNS,
    "application": rows.APPLICATION_COLUMNS,
}


@router.get("/fleet", response_class=StreamingResponse, responses={200: {"content": {_SSE: {}}}})
async def fleet(
    request: Request, caller: TheCaller, planner: ThePlanner, *, follow: bool = False
) -> StreamingResponse:
    """The fleet and its slices, as far as the caller may look; with ``follow`` also what changes."""
    check(caller, Right.LIST_NODES)
    authorization = request.headers.get("authorization", "")
    looking = Looking(planner, request.app.state.feed, caller, authorization)
    return StreamingResponse(_written(looking.events(follow=follow)), media_type=_SSE)


class Looking:
    """One page that looks, with the eyes of one caller.

    Args:
        planner: at what.
        feed: tells what has changed.
        caller: who looks.
        authorization: with what; looked at again once in a while.
    """

    def __init__(self, planner: Planner, feed: Feed, caller: Caller, authorization: str) -> None:
        self._planner = planner
        self._feed = feed
        self._caller = caller
        self._authorization = authorization
        self._you: dict[str, Any] = {}
        self._names: set[Slice] = set()
        self._visible: set[Slice] = set()

    async def events(self, *, follow: bool) -> AsyncGenerator[dict[str, Any] | str]:
        """What the page is told, each a JSON object or the text of one."""
        page = self._feed.open()
        try:
            async for event in self._all(page):
                yield event
            if follow:
                async for event in self._onwards(page):
                    yield event
        finally:
            self._feed.close(page)

    async def _onwards(self, page: Viewed) -> AsyncIterator[dict[str, Any] | str]:
        clock = asyncio.get_running_loop().time
        told = checked = clock()
        while not self._feed.ended:
            await asyncio.sleep(GATHER_S)
            self._feed.look()
            if clock() - checked >= RIGHTS_S or self._planner.ledger.wanted.slices.keys() != self._names:
                checked = clock()
                if news := await self._rights_now(page):
                    yield news
                    if "end" in news:
                        return
            async for event in self._news(page):
                yield event
            if clock() - told >= NOW_S:
                told = clock()
                yield {"now": self._now()}

    async def _news(self, page: Viewed) -> AsyncIterator[dict[str, Any] | str]:
        if page.begins:
            async for event in self._all(page):
                yield event
        while keys := page.take(PORTION):
            if text := self._rows(keys):
                yield text
            await asyncio.sleep(0)

    async def _all(self, page: Viewed) -> AsyncIterator[dict[str, Any] | str]:
        """Everything there is, in portions: what changes meanwhile is told afterwards."""
        self._feed.look()
        page.begins = False
        self._look_at_rights()
        yield {"begin": {"now": self._now(), "you": self._you, "columns": _COLUMNS}}
        keys = self._feed.keys()
        for first in range(0, len(keys), PORTION):
            if text := self._rows(keys[first : first + PORTION]):
                yield text
            # The planner's other work goes on.
            await asyncio.sleep(0)
        yield {"live": self._now()}

    def _rows(self, keys: list[Key]) -> str:
        shown = ",".join(self._feed.row(key) for key in keys if not key[1] or key[1] in self._visible)
        return f'{{"rows":[{shown}]}}' if shown else ""

    async def _rights_now(self, page: Viewed) -> dict[str, Any]:
        """Look at the login and its rights anew: what the page is to be told, empty for nothing."""
        try:
            self._caller = await self._planner.gate.caller(self._authorization)
        except DsmtError as error:
            return {"end": error.message}
        you, saw = self._you, self._visible
        self._look_at_rights()
        # Slivers of a slice that is gone go with it.
        gone = [{"gone": [NO_HOST, name]} for name in sorted(saw - self._visible)]
        page.note(self._feed.keys(self._visible - saw))
        return {"you": self._you, "rows": gone} if gone or you != self._you else {}

    def _look_at_rights(self) -> None:
        """Who the caller is, what it may change, and what it may see from now on."""
        caller, names = self._caller, self._planner.ledger.wanted.slices.keys()
        self._names = set(names)
        self._visible = {name for name in names if may(caller, Right.READ_SLICE, name)}
        self._you = {
            "account": caller.account,
            "role": caller.role.value,
            "nodes": may(caller, Right.MANAGE_NODES),
            "nodes_of_sites": [site for site in sorted(caller.sites) if may(caller, _MANAGE, site=site)],
            "slices": [name for name in sorted(self._visible) if may(caller, Right.CHANGE_SLICE, name)],
            "all_slices": len(self._visible) == len(names),
        }

    def _now(self) -> dict[str, Any]:
        health = self._planner.health()
        now = self._planner.clock()
        return {
            "at": round(now, 3),
            "link": health["link"],
            "trouble": health["trouble"],
            "heard": ages(self._planner.fleet.columns.heard, now),
        }


async def _written(events: AsyncGenerator[dict[str, Any] | str]) -> AsyncIterator[str]:
    async with aclosing(events):
        async for event in events:
            text = event if isinstance(event, str) else json.dumps(event, separators=(",", ":"))
            yield f"data: {text}\n\n"
