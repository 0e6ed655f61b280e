"""What no honest client sends is refused before anybody reads it; and what every answer says to a browser.

A request that two readers could understand in two ways is no request: two lengths, two hosts, a length and
chunks. Answers are for programs: no browser is to show, guess at, frame or keep them.
"""

from __future__ import annotations

from collections import Counter
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dsmt_core.errors import Invalid
from planner.api.refusals import answer

HEADERS: Final = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
_ONCE: Final = (b"host", b"content-length", b"transfer-encoding", b"content-type", b"authorization")


class Strict:
    """Refuses what is ambiguous, and has every answer say how it is to be treated."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message.get("headers", ())}
                more = [(name, value) for name, value in HEADERS.items() if name not in said]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        if wrong := fault(scope):
            refusal = answer(Invalid(f"the request is not legal: {wrong}"))
            # What follows on this connection may be a part of this request to somebody else.
            refusal.headers["connection"] = "close"
            await refusal(scope, receive, answered)
            return
        await self._app(scope, receive, answered)


def fault(scope: Scope) -> str:
    """What is wrong with the head of a request; empty: nothing."""
    count = Counter(name.lower() for name, _ in scope["headers"])
    for name in _ONCE:
        if count[name] > 1:
            return f"it has the header {name.decode()} more than once"
    if count[b"content-length"] and count[b"transfer-encoding"]:
        return "it has a length and comes in chunks"
    whole = unquote_to_bytes(scope.get("raw_path", b"") + b"?" + scope.get("query_string", b""))
    if b"\0" in whole:
        return "its path or query has a NUL"
    return ""
