"""One JSON line there, one JSON line back, over a socket in the file system; bounded in size and time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from dsmt_core.errors import DeadlinePassed, Unavailable

# An answer carries at most 64 KiB of output, which JSON may write six times as long.
LINE_BYTES: Final = 1 << 20
CONNECT_S: Final = 5.0


async def ask(path: Path, request: Mapping[str, Any], *, wait_s: float) -> dict[str, Any]:
    """Send ``request`` to the socket at ``path`` and return its answer.

    Raises:
        Unavailable: nobody listens there, or the answer is no answer.
        DeadlinePassed: there was none within ``wait_s`` seconds.
    """
    try:
        async with asyncio.timeout(wait_s):
            async with connected(path, request) as reader:
                return await read(reader)
    except TimeoutError:
        raise DeadlinePassed(f"{path.name} did not answer within {wait_s:g} s") from None
    except OSError as error:
        raise Unavailable(f"{path.name} does not answer: {error.strerror or error}") from error


@contextlib.asynccontextmanager
async def connected(path: Path, request: Mapping[str, Any]) -> AsyncIterator[asyncio.StreamReader]:
    """A connection on which ``request`` was sent; `OSError` when there is none."""
    with _short(path) as short:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_unix_connection(short, limit=LINE_BYTES)
    try:
        writer.write(json.dumps(request).encode() + b"\n")
        await writer.drain()
        yield reader
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def peer(path: Path) -> int:
    """The pid, as this process counts, of who listens at ``path``; `OSError` when nobody does."""
    with _short(path) as short:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_unix_connection(short)
    try:
        connection = writer.get_extra_info("socket")
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[0])
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def read(reader: asyncio.StreamReader) -> dict[str, Any]:
    """The next line as an object.

    Raises:
        Unavailable: the other side has ended, or it sent no object.
    """
    try:
        line = await reader.readline()
        value = json.loads(line) if line else None
    except ValueError as error:
        raise Unavailable("an answer in the sliver cannot be read: too long, or not JSON") from error
    if not isinstance(value, dict):
        raise Unavailable("the other side of a socket in the sliver has ended")
    return value


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name of at most 107 bytes for a socket, whatever its path; a link in its place leads nowhere."""
    place = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{place}"
    finally:
        os.close(place)
