"""Answers that last: lines that come for hours, to whoever may still have them.

Rule: every few seconds who asked is asked again. When the token was revoked or has ended, or a right is
gone, the answer ends; to ask anew says why. Following counts as use of a login: one that is renewed by use
goes on for as long as any.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import ClassVar, Final

import structlog
from fastapi.responses import StreamingResponse
from starlette.types import Send

from dsmt_core.errors import Denied, DsmtError
from planner.authority.rights import Caller

LINES: Final = "application/x-ndjson"
_log = structlog.get_logger(__name__)


class Asker:
    """Who asked for an answer that lasts.

    Args:
        caller: as it began.
        again: who sends the token now; raises `Denied` when nobody is let in with it any more.
        check: raises `Denied` when a caller may not have the answer.

    Attributes:
        caller: as it is now.
    """

    def __init__(
        self, caller: Caller, again: Callable[[], Awaitable[Caller]], check: Callable[[Caller], None]
    ) -> None:
        self.caller = caller
        self._again = again
        self._check = check

    async def still(self) -> bool:
        """Whether it may have the rest."""
        try:
            self.caller = await self._again()
            self._check(self.caller)
        except Denied as error:
            _log.info("an answer ends", account=self.caller.account, reason=error.message)
            return False
        except DsmtError as error:
            # Whether it may, nobody can say now; it could a moment ago, and is asked again soon.
            _log.warning("who follows could not be looked at", reason=error.message)
        return True


class Lasting(StreamingResponse):
    """Lines of JSON, until they end or ``asker`` may not have them any more."""

    every_s: ClassVar[float] = 5.0

    def __init__(self, lines: AsyncIterator[str], asker: Asker) -> None:
        super().__init__(lines, media_type=LINES)
        self._asker = asker

    async def stream_response(self, send: Send) -> None:
        """Send them."""
        sending = asyncio.ensure_future(super().stream_response(send))
        try:
            while not sending.done():
                await asyncio.wait({sending}, timeout=self.every_s)
                if not sending.done() and not await self._asker.still():
                    break
            if sending.done():
                sending.result()
                return
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({sending})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
