"""Answers are sent compressed to whoever reads gzip: rows that are alike need a sixth of the wire.

A stream stays live: each of its messages goes out whole, so a page hears of a change when it is told. What
is short goes as it is; and no answer with a secret in it is long.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST: Final = 8 << 10
"""A body that is shorter is not worth it."""
# Of the quick ones; 64 KiB of memory for each stream, where the best of all would take four times as much
# for a fifth less on the wire.
_LEVEL: Final = 1
_WINDOW: Final = 13
_MEMORY: Final = 6
_GZIP: Final = 16
# What takes longer than a millisecond is done in a thread, in which zlib keeps nobody waiting.
_ASIDE: Final = 64 << 10
_KINDS: Final = frozenset(
    {
        b"application/json",
        b"application/x-ndjson",
        b"text/event-stream",
        b"text/csv",
        b"text/plain",
        b"text/css",
        b"text/html",
        b"text/javascript",
        b"image/svg+xml",
    }
)


class Packed:
    """Serves what ``app`` answers, compressed where that is worth it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and scope["method"] != "HEAD" and reads_gzip(scope):
            send = _Packing(send)
        await self._app(scope, receive, send)


def reads_gzip(scope: Scope) -> bool:
    """Whether the headers of a request say so."""
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            for one in value.lower().split(b","):
                coding, _, quality = one.replace(b" ", b"").partition(b";q=")
                if coding == b"gzip":
                    return bool(quality.strip(b"0.") or not quality)
    return False


class _Packing:
    """One answer on its way."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._packer: Any = None

    async def __call__(self, message: Message) -> None:
        """Its next message."""
        if message["type"] == "http.response.start":
            headers = dict(message["headers"])
            if message["status"] != 200 or b"content-encoding" in headers or not _suits(headers):
                await self._send(message)
            elif b"content-length" in headers:
                # Whether it comes in one piece, the first one tells.
                self._start = message
            else:
                await self._begin(message)
        elif message["type"] == "http.response.body":
            await self._body(message)
        else:
            await self._send(message)

    async def _body(self, message: Message) -> None:
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._start is not None:
            start, self._start = self._start, None
            if more:
                await self._begin(start)
            elif len(body) < LEAST:
                await self._send(start)
            else:
                packed = await _whole(body)
                await self._send(_packed(start, len(packed)))
                body = packed
        if self._packer is not None:
            body = self._packer.compress(body) + self._packer.flush(
                zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH
            )
        await self._send({**message, "body": body})

    async def _begin(self, start: Message) -> None:
        self._packer = _packer()
        await self._send(_packed(start, None))


async def _whole(body: bytes) -> bytes:
    return _squeezed(body) if len(body) < _ASIDE else await asyncio.to_thread(_squeezed, body)


def _squeezed(body: bytes) -> bytes:
    packer = _packer()
    return bytes(packer.compress(body) + packer.flush())


def _packer() -> Any:
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW + _GZIP, _MEMORY)


def _suits(headers: dict[bytes, bytes]) -> bool:
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip()
    length = headers.get(b"content-length", b"")
    return kind in _KINDS and not (length.isdigit() and int(length) < LEAST)


def _packed(start: Message, length: int | None) -> Message:
    """The beginning of an answer that is compressed; None: its length is not known beforehand."""
    left = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    # A mark of exactly these bytes is one of what they say, from now on.
    headers = [(name, b"W/" + value if name == b"etag" else value) for name, value in left]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    headers += [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
    return {**start, "headers": headers}
