"""What no honest client sends is refused before anybody reads it; and what every answer says to a browser.

A request that two readers could understand in two ways is no request: two lengths, two hosts, a length and
chunks. Answers are for programs: no browser is to show, guess at, frame or keep them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote_to_bytes

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dsmt_core.errors import Denied, Invalid
from planner.api.refusals import answer

HEADERS: Final = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
# Nodes show a token or a key with each of these, and may know the planner by any name.
FOR_NODES: Final = frozenset(
    {"/v1/nodes/join", "/v1/nodes/secret", "/v1/authority", "/v1/authority/challenge"}
)
_ONCE: Final = (b"host", b"content-length", b"transfer-encoding", b"content-type", b"authorization")


class Strict:
    """Refuses what is ambiguous, and has every answer say how it is to be treated.

    Args:
        app: what serves the rest.
        names: by which this planner goes; none: by any. An address always does: only a name can be made to
            lead elsewhere after a browser has trusted it.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str] = ()) -> None:
        self._app = app
        self._names = frozenset(one.lower().rstrip(".") for one in names)

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
        if scope["path"] not in FOR_NODES and not goes_by(host_of(scope), self._names):
            await misdirected(host_of(scope))(scope, receive, answered)
            return
        await self._app(scope, receive, answered)


def host_of(scope: Scope) -> str:
    """The host that a request names, without its port and in small letters; empty for none."""
    for name, value in scope["headers"]:
        if name.lower() == b"host":
            text = value.decode("latin-1").strip().lower()
            host = text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]
            return str(host).rstrip(".")
    return ""


def goes_by(host: str, names: AbstractSet[str]) -> bool:
    """Whether whoever names this host means a planner that goes by these names."""
    if not names or not host or host in names:
        return True
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def misdirected(host: str) -> JSONResponse:
    """The answer to a request for another host."""
    refusal = answer(
        Denied(
            f"this planner does not go by the name {host[:120]}",
            hint=f"name it by its address, or start it with --name {host[:120]}",
        )
    )
    refusal.status_code = 421
    return refusal


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
