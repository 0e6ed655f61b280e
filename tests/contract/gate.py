"""A way to take the broker away from one test while others go on using it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from broker.server.ports import HeldPort

UP = "up"
DOWN = "down"
WAYS = (UP, DOWN)


class Gate:
    """A TCP forwarder between clients and a broker, with the faults of a network.

    It can be shut (the broker is away), hold what goes up to the broker or down from it without a word (a
    black hole), and break off in the middle of a frame.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._held = HeldPort()
        self._server: asyncio.Server | None = None
        self._shuts = 0
        self._streams: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._flows = {way: asyncio.Event() for way in WAYS}
        self._breaks: set[str] = set()
        self.broken = 0
        self.port = self._held.number
        self.release()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._shuts += 1
        for pump in list(self._pumps):
            pump.cancel()
        for stream in list(self._streams):
            stream.transport.abort()
        # Else a thousand reconnections leave the own streams of the gate behind, which looks like a leak.
        self._streams.clear()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def hold(self, *ways: str) -> None:
        """Forward nothing any more these ways; nobody is told."""
        for way in ways:
            self._flows[way].clear()

    def release(self) -> None:
        """Forward everything again, also what was held."""
        for flow in self._flows.values():
            flow.set()

    def break_off(self, way: str) -> None:
        """Forward half of the next that goes this way, then drop both ends of that connection."""
        self._breaks.add(way)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shuts = self._shuts
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        if shuts != self._shuts:
            # Shut in the meantime: this one must not slip through.
            writer.transport.abort()
            up_writer.transport.abort()
            return
        self._streams |= {writer, up_writer}
        for way, source, sink in ((UP, reader, up_writer), (DOWN, up_reader, writer)):
            task = asyncio.create_task(self._pump(way, source, sink))
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _pump(self, way: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(1 << 16):
                await self._flows[way].wait()
                # A heartbeat has 8 bytes; what is longer holds a frame that half of it does not end.
                if way in self._breaks and len(data) > 20:
                    self._breaks.discard(way)
                    self.broken += 1
                    sink.write(data[: len(data) // 2 + 1])
                    await sink.drain()
                    break
                sink.write(data)
                await sink.drain()
        sink.close()
        self._streams.discard(sink)
