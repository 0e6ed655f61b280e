"""pika's asyncio connection, with one write for all that is said in one turn of the event loop.

pika hands each frame to the socket by itself: three system calls, and three segments, for each event. Here
the frames of one turn are joined; what waits is bounded by the window of whoever publishes. Messages go
out and come in by `broker.rabbit.framing` where that suffices, else as pika does it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Any, Final

import pika.frame
from pika.adapters.asyncio_connection import AsyncioConnection

from broker.rabbit.framing import Content, Left, content, filling, frame_at, opening

_RECEIVED_BYTES: Final = 64 << 10


class GatheringConnection(AsyncioConnection):  # type: ignore[misc] # pika is untyped here
    """See `pika.adapters.asyncio_connection.AsyncioConnection`."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._frame_buffer = b""
        super().__init__(*arguments, **more)

    @property
    def backlog(self) -> int:
        """Bytes that the socket has not taken yet."""
        transport = self._transport
        return 0 if transport is None else self._gathered_bytes + int(transport.get_write_buffer_size())

    def publish(self, channel: int, exchange: str, key: str, properties: bytes, body: bytes) -> None:
        """The same as ``basic_publish`` of pika's channel number ``channel``, which must be open.

        Args:
            channel: its number.
            exchange: where to.
            key: the routing key.
            properties: as `broker.rabbit.framing.encoded` writes them.
            body: of the message.
        """
        content_frames = filling(channel, properties, body, self._body_max_length)
        self._output_marshaled_frames((opening(channel, exchange, key), content_frames))

    def _proto_connection_made(self, transport: Any) -> None:
        # pika reads 4 KiB at a time: one event in seven lies across two of them, and is looked at twice.
        transport._MAX_RECV_BYTES = _RECEIVED_BYTES  # noqa: SLF001 - pika has no option for it
        super()._proto_connection_made(transport)

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

    def _adapter_emit_data(self, data: bytes) -> None:
        sent = self._sent_at_once(data)
        if sent < len(data):
            super()._adapter_emit_data(data[sent:])

    def _sent_at_once(self, data: bytes) -> int:
        """How many bytes the socket has taken; pika first waits until it would, though it would.

        An agent at rest, whose heartbeats are all that it says, saves a third of its work by that.
        """
        transport = self._transport
        plain = type(transport._sock) is socket.socket  # noqa: SLF001 - pika does not tell
        if not plain or transport.get_write_buffer_size():
            return 0
        try:
            return int(transport._sock.send(data))  # noqa: SLF001 - as above
        except OSError:
            # It is full, or has ended: pika finds that out, too, and knows what to do.
            return 0

    def _on_data_available(self, data_in: bytes) -> None:
        buffer, at = self._frame_buffer + data_in, 0
        try:
            while at < len(buffer):
                found = content(buffer, at)
                if found is Left.UNFINISHED:
                    break
                if isinstance(found, Content) and self._deliver(found):
                    at = found.end
                    continue
                taken, frame = pika.frame.decode_frame(frame_at(buffer, at))
                if frame is None:
                    break
                at += taken
                self._process_frame(frame)
        finally:
            self._frame_buffer = buffer[at:]
            self.bytes_received += at

    def _deliver(self, found: Content) -> bool:
        """Hand a delivery to its consumer; False when pika is to say what becomes of it."""
        channel = self._channels.get(found.channel)
        tag = found.method.consumer_tag
        consumer = None if channel is None else channel._consumers.get(tag)  # noqa: SLF001 - kept by pika alone
        if consumer is None or tag in channel._cancelled:  # noqa: SLF001 - as above
            return False
        self.frames_received += 3
        consumer(channel, found.method, found.properties, found.body)
        return True
