"""pika's asyncio connection, with one write for all that is said in one turn of the event loop.

pika hands each frame to the socket by itself: three system calls, and three segments, for each event. Here
the frames of one turn are joined; what waits is bounded by the window of whoever publishes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pika.adapters.asyncio_connection import AsyncioConnection


class GatheringConnection(AsyncioConnection):  # type: ignore[misc] # pika is untyped here
    """See `pika.adapters.asyncio_connection.AsyncioConnection`."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        super().__init__(*arguments, **more)

    @property
    def backlog(self) -> int:
        """Bytes that the socket has not taken yet."""
        transport = self._transport
        return 0 if transport is None else self._gathered_bytes + int(transport.get_write_buffer_size())

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._write)
        self._gathered.extend(marshaled_frames)
        self._gathered_bytes += sum(map(len, marshaled_frames))

    def _write(self) -> None:
        frames, self._gathered, self._gathered_bytes = self._gathered, [], 0
        # The connection may have ended since; whoever waits for an answer is told so by pika.
        if self._transport is not None:
            super()._output_marshaled_frames([b"".join(frames)])
