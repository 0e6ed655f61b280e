"""Sends a content, or one range of it, piece by piece; also one that is still on its way.

Rule of this file: a reader that pauses too long, or takes too long in all, is cut off; and what cannot be
read to its end is cut short, never filled up: the reader sees by the length that something is missing.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from depot.ranges import Beyond, Span, span
from dsmt_core.errors import DsmtError

_PIECE_BYTES: Final = 1 << 18

_log = structlog.get_logger("depot")


class Content(Protocol):
    """Bytes of a known digest and number."""

    @property
    def digest(self) -> str:
        """SHA-256, hex."""

    @property
    def size(self) -> int:
        """Bytes."""

    async def read(self, begin: int, most: int) -> bytes:
        """Some bytes from ``begin`` on, as soon as there are any; at most ``most``.

        Raises:
            DsmtError, OSError: they cannot be had.
        """

    def close(self) -> None:
        """Nobody reads it any more."""


class FileContent:
    """A file; who reads it reads it to the end, also when it is deleted meanwhile. Opening it blocks.

    Raises:
        FileNotFoundError: it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        self.digest = path.name
        self.size = os.fstat(self._file).st_size

    async def read(self, begin: int, most: int) -> bytes:
        """See `Content`."""
        return await asyncio.to_thread(os.pread, self._file, most, begin)

    def close(self) -> None:
        """See `Content`."""
        os.close(self._file)


@dataclass(slots=True)
class Sender:
    """Sends contents.

    Attributes:
        silence: how long a reader may pause, seconds.
        whole: how long it may take in all, seconds.
        sent: bytes of contents so far.
    """

    silence: float = 30.0
    whole: float = 1800.0
    sent: int = 0


def answer(content: Content, request: Request, sender: Sender) -> Response:
    """The answer to a GET or HEAD of ``content``, which is closed in the end."""
    tag = f'"{content.digest}"'
    headers = {
        "etag": tag,
        "x-content-sha256": content.digest,
        "accept-ranges": "bytes",
        # The content of a digest never changes.
        "cache-control": "private, max-age=31536000, immutable",
    }
    known = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        content.close()
        return Response(status_code=304, headers=headers)
    size = content.size
    try:
        part = span(
            request.headers.get("range", ""), request.headers.get("if-range", ""), size=size, tag=tag
        )
    except Beyond:
        content.close()
        return Response(status_code=416, headers=headers | {"content-range": f"bytes */{size}"})
    if part is not None:
        headers["content-range"] = f"bytes {part.begin}-{part.end - 1}/{size}"
    return _Sent(content, part or Span(0, size), headers, sender, status=206 if part else 200)


class _Sent(Response):
    """Streams a span of a content."""

    def __init__(
        self, content: Content, part: Span, headers: dict[str, str], sender: Sender, *, status: int
    ) -> None:
        super().__init__(
            status_code=status,
            headers=headers | {"content-length": str(part.end - part.begin)},
            media_type="application/octet-stream",
        )
        self._content = content
        self._part = part
        self._sender = sender

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; return without the last piece when that cannot be had or is not taken."""
        try:
            async with asyncio.timeout(self._sender.whole):
                await send(
                    {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
                )
                if scope["method"] == "HEAD":
                    await send({"type": "http.response.body"})
                    return
                # Whoever goes away while nothing can be sent is noticed by this.
                await _until_gone(receive, self._body(send))
        except TimeoutError:
            _log.warning("a slow reader was cut off", digest=self._content.digest)
        except (DsmtError, OSError) as error:
            _log.warning("cut short", digest=self._content.digest, reason=str(error))
        finally:
            self._content.close()

    async def _body(self, send: Send) -> None:
        at, end = self._part.begin, self._part.end
        while at < end:
            piece = await self._content.read(at, min(_PIECE_BYTES, end - at))
            if not piece:
                raise OSError("it is shorter than it was")
            at += len(piece)
            self._sender.sent += len(piece)
            async with asyncio.timeout(self._sender.silence):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})


async def _until_gone(receive: Receive, work: Awaitable[None]) -> None:
    body = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({body, gone}, return_when=asyncio.FIRST_COMPLETED)
        if body.done():
            await body
    finally:
        for task in (body, gone):
            task.cancel()
        await asyncio.gather(body, gone, return_exceptions=True)


async def _gone(receive: Callable[[], Awaitable[object]]) -> None:
    while True:
        message = await receive()
        if isinstance(message, dict) and message.get("type") == "http.disconnect":
            return
