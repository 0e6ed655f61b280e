"""How much a request may send. Packages are the depot's to bound: they pass through in pieces."""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dsmt_core.errors import Full

BODY_BYTES: Final = 1 << 20
_PACKAGE = re.compile(r"/v1/slices/[^/]+/packages/[^/]+\Z")


class BodyLimit:
    """Refuses a body that is announced, or turns out, to be longer than 1 MiB."""

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
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_BYTES:
                # Whoever announces nothing and sends too much is cut off.
                return {"type": "http.disconnect"}
            return message

        await self._app(scope, counted, send)


def _is_package(scope: Scope) -> bool:
    return scope["method"] == "PUT" and bool(_PACKAGE.match(scope["path"]))


def _refusal() -> JSONResponse:
    error = Full(f"the body is longer than {BODY_BYTES} bytes")
    content = {"code": error.code, "message": error.message, "hint": error.hint}
    return JSONResponse(content, status_code=error.http_status)
