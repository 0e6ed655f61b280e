"""What applications print, for people: kept lines of several nodes by time, and then what comes."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from dsmt_core.calls import LINES_MOST, Answer, Call, Kind
from dsmt_core.errors import DsmtError, Full, Invalid
from dsmt_core.names import Application, Host, Slice
from planner.log_lines import Line, lines_of, merged, written
from planner.service.calls import Calls
from planner.service.places import Places

STREAMS: Final = 16
_WAIT_S: Final = 10.0
_QUEUED: Final = 256
# A piece has up to 48 KiB: so a node is read at half a megabyte a second at most.
_PAUSE_S: Final = 0.1
_AGAIN_S: Final = 2.0
_ALIVE_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which lines.

    Attributes:
        at: a node or a plan; empty: all.
        lines: the last so many of each node.
        since_s: only of the last so many seconds; 0: any.
        follow: and what comes.
    """

    at: str = ""
    lines: int
    since_s: float = 0.0
    follow: bool = False


class Logs:
    """Reads logs.

    Args:
        places: which hosts are meant.
        calls: asks agents.
    """

    def __init__(self, places: Places, calls: Calls) -> None:
        self._places = places
        self._calls = calls
        self._streams = 0
        self._closed = asyncio.Event()

    def close(self) -> None:
        """End every stream."""
        self._closed.set()

    def lines(self, slice_: Slice, name: Application, wish: Wish) -> AsyncGenerator[dict[str, str]]:
        """Lines as they were printed, each with its host; an empty one keeps the stream alive.

        Raises:
            NotFound, Conflict, Full: of `Places.hosts`; or too many are read already.
            Invalid: the wish is not legal.
        """
        if not 1 <= wish.lines <= LINES_MOST:
            raise Invalid(f"{wish.lines} lines", hint=f"from 1 to {LINES_MOST}")
        if not 0 <= wish.since_s < math.inf:
            raise Invalid(f"the lines of {wish.since_s:g} s", hint="a number of seconds from 0 on")
        hosts = self._places.hosts(slice_, name, wish.at)
        if self._streams >= STREAMS:
            raise Full(f"{STREAMS} logs are read already", hint="try again when one has ended")
        logs = [_Log(self._asked(slice_, name, host), host, wish, self._places.trouble) for host in hosts]
        return self._told(logs, follow=wish.follow)

    async def _told(self, logs: Sequence[_Log], *, follow: bool) -> AsyncGenerator[dict[str, str]]:
        self._streams += 1
        try:
            await asyncio.gather(*(log.begin() for log in logs))
            async for line in merged([log.kept() for log in logs]):
                yield written(line)
            if follow:
                async with aclosing(self._followed(logs)) as lines:
                    async for told in lines:
                        yield told
        finally:
            self._streams -= 1

    async def _followed(self, logs: Sequence[_Log]) -> AsyncGenerator[dict[str, str]]:
        lines: asyncio.Queue[Line] = asyncio.Queue(_QUEUED)
        tasks = [asyncio.create_task(log.follow(lines)) for log in logs]
        closed = asyncio.create_task(self._closed.wait())
        try:
            while not closed.done():
                coming = asyncio.create_task(lines.get())
                await asyncio.wait({coming, closed}, timeout=_ALIVE_S, return_when=asyncio.FIRST_COMPLETED)
                if coming.done():
                    yield written(coming.result())
                    continue
                coming.cancel()
                yield {}
        finally:
            for task in (*tasks, closed):
                task.cancel()
            await asyncio.gather(*tasks, closed, return_exceptions=True)

    def _asked(self, slice_: Slice, name: Application, host: Host) -> _Ask:
        async def asked(**more: Any) -> Answer:
            call = Call(
                kind=Kind.LOGS, id=secrets.token_hex(16), host=host, slice=slice_, application=name, **more
            )
            return await self._calls.ask(call, wait_s=call.wait_s)

        return asked


_Ask = Callable[..., Any]


class _Log:
    """The log of one host, read piece by piece.

    Args:
        ask: asks its agent for a piece.
        host: whose.
        wish: which lines.
        trouble_of: why it need not be asked.
    """

    def __init__(self, ask: _Ask, host: Host, wish: Wish, trouble_of: Callable[[Host], str]) -> None:
        self._ask = ask
        self._host = host
        self._wish = wish
        self._trouble_of = trouble_of
        self._place = ""
        self._at = ""
        self._first: list[Line] = []
        self._more = False
        self._began = time.monotonic()

    async def begin(self) -> None:
        """Read the first piece; what is in the way becomes a line."""
        if trouble := self._trouble_of(self._host):
            self._first = [Line(self._host, trouble=trouble)]
            return
        try:
            self._first = await self._piece(**self._beginning())
        except DsmtError as error:
            self._first = [Line(self._host, trouble=error.message)]

    async def kept(self) -> AsyncIterator[Line]:
        """What is there already."""
        for line in self._first:
            yield line
        while self._more:
            try:
                piece = await self._piece(after=self._place)
            except DsmtError as error:
                yield Line(self._host, trouble=error.message)
                return
            for line in piece:
                yield line

    async def follow(self, lines: asyncio.Queue[Line]) -> None:
        """What comes, for ever; a silence is told once."""
        silent = bool(self._first and self._first[-1].trouble)
        while True:
            try:
                piece = await self._piece(**self._onwards(), wait_s=_WAIT_S)
            except DsmtError as error:
                if not silent:
                    await lines.put(Line(self._host, trouble=error.message))
                silent = True
                await asyncio.sleep(_AGAIN_S)
                continue
            silent = False
            for line in piece:
                await lines.put(line)
            await asyncio.sleep(_PAUSE_S)

    def _onwards(self) -> dict[str, Any]:
        if self._place:
            return {"after": self._place}
        # Of a node that was silent until now nothing was told yet.
        return self._beginning(time.monotonic() - self._began)

    def _beginning(self, late_s: float = 0.0) -> dict[str, Any]:
        since_s = self._wish.since_s
        return {"lines": self._wish.lines, "since_s": since_s + late_s if since_s else 0.0}

    async def _piece(self, **asked: Any) -> list[Line]:
        answer: Answer = await self._ask(**asked)
        self._place, self._more = answer.place or self._place, answer.more
        found = [Line(self._host, trouble="some lines are not kept any more")] if answer.lost else []
        found += lines_of(self._host, answer.text, self._at)
        if found:
            self._at = found[-1].at or self._at
        return found
