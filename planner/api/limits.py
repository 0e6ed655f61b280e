"""How much a request may send, and how slowly. A package's size is the depot's to bound."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dsmt_core.errors import Full

BODY_BYTES: Final = 1 << 20
SILENCE_S: Final = 30.0
_PACKAGE = re.compile(r"/v1/slices/[^/]+/packages/[^/]+\Z")


class BodyLimit:
    """Refuses a body that is announced, or turns out, to be longer than 1 MiB, or that does not come."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or _is_package(scope):
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > BODY_BYTES:
            await _refusal()(scope, receive, send)
            return
        await self._app(scope, _Bounded(receive), send)


class _Bounded:
    """Hands a body on; whoever sends too much or pauses too long is cut off."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._received = 0
        self._complete = False

    async def __call__(self) -> Message:
        """The next message of the request."""
        if self._complete:
            # What is waited for now is the caller's going away, and that may take its time.
            return await self._receive()
        try:
            async with asyncio.timeout(SILENCE_S):
                message = await self._receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        self._received += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return {"type": "http.disconnect"} if self._received > BODY_BYTES else message


def _is_package(scope: Scope) -> bool:
    return scope["method"] == "PUT" and bool(_PACKAGE.match(scope["path"]))


def _refusal() -> JSONResponse:
    error = Full(f"the body is longer than {BODY_BYTES} bytes")
    content = {"code": error.code, "message": error.message, "hint": error.hint}
    return JSONResponse(content, status_code=error.http_status)
