"""The line between a browser and the planner, which can be cut, or go dead without a word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_CHUNK = 1 << 16


class Line:
    """Passes connections on to ``to``, a URL.

    Attributes:
        url: where it listens.
    """

    def __init__(self, to: str) -> None:
        target = urlsplit(to)
        self._to = (target.hostname or "", target.port or 0)
        self._flowing: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self.url = ""

    def die(self) -> None:
        """What is open now says nothing more and is not closed; what is opened from now on flows."""
        for task in self._flowing:
            task.cancel()

    def cut(self) -> None:
        """Close what is open, and whatever is opened, until it is mended."""
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        """Let connections through again."""
        self._is_cut = False

    async def passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, for as long as it is open."""
        self._writers.add(writer)
        if self._is_cut:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(*self._to)
        self._writers.add(back)
        for one, other in ((reader, back), (there, writer)):
            task = asyncio.create_task(_flow(one, other))
            self._flowing.add(task)
            task.add_done_callback(self._flowing.discard)

    def end(self) -> None:
        """Leave nothing open."""
        self.cut()
        self.die()


async def _flow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    writer.close()


@asynccontextmanager
async def line(to: str) -> AsyncIterator[Line]:
    """A line that ends with the block."""
    made = Line(to)
    server = await asyncio.start_server(made.passed, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        made.end()
