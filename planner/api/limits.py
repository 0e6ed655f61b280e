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
BODY_S: Final = 60.0
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
        bounded = _Bounded(receive)

        async def answered(message: Message) -> None:
            if bounded.cut and message["type"] == "http.response.start":
                # What is left of the body, uvicorn would wait for.
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await self._app(scope, bounded, answered)


class _Bounded:
    """Hands a body on; whoever sends too much, pauses too long or takes too long is cut off."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._received = 0
        self.cut = False
        self._complete = False
        self._until = asyncio.get_running_loop().time() + BODY_S

    async def __call__(self) -> Message:
        """The next message of the request."""
        if self._complete:
            # What is waited for now is the caller's going away, and that may take its time.
            return await self._receive()
        try:
            now = asyncio.get_running_loop().time()
            async with asyncio.timeout(min(SILENCE_S, self._until - now)):
                message = await self._receive()
        except TimeoutError:
            self.cut = True
            return {"type": "http.disconnect"}
        self._received += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        self.cut = self._received > BODY_BYTES
        return {"type": "http.disconnect"} if self.cut else message


def _is_package(scope: Scope) -> bool:
    return scope["method"] == "PUT" and bool(_PACKAGE.match(scope["path"]))


def _refusal() -> JSONResponse:
    error = Full(f"the body is longer than {BODY_BYTES} bytes")
    content = {"code": error.code, "message": error.message, "hint": error.hint}
    return JSONResponse(content, status_code=error.http_status)
