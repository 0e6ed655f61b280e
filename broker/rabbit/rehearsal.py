"""A peer that agrees to everything, for one connection of this very process: a rehearsal without a broker.

It speaks as much of AMQP 0-9-1 as a bus needs to connect, declare, consume and publish with confirms. It
stores nothing, routes nothing and asks for no password: what was done against it once has been done, so
that a fork of this process finds it done. It is no broker, and listens to nobody but this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pika.exceptions
import pika.frame
from pika import spec

from broker.rabbit.framing import encoded, filling
from dsmt_core.events import Event
from dsmt_core.wire import MSGPACK, encode

_CHUNK: Final = 1 << 16
_FRAME_MAX: Final = 131_072
_CHANNELS: Final = 2047
_HEARTBEAT_S: Final = 60
_ENDS_S: Final = 1.0
_ABLE: Final = dict.fromkeys(
    ("publisher_confirms", "basic.nack", "consumer_cancel_notify", "connection.blocked"), True
)
# An answer that needs nothing but the question.
_ANSWERS: Final[dict[type[Any], Callable[[], Any]]] = {
    spec.Connection.Open: spec.Connection.OpenOk,
    spec.Connection.Close: spec.Connection.CloseOk,
    spec.Channel.Open: spec.Channel.OpenOk,
    spec.Channel.Close: spec.Channel.CloseOk,
    spec.Exchange.Declare: spec.Exchange.DeclareOk,
    spec.Queue.Bind: spec.Queue.BindOk,
    spec.Basic.Qos: spec.Basic.QosOk,
    spec.Confirm.Select: spec.Confirm.SelectOk,
}


class Peer:
    """Serves one connection of this process, on a port of its own.

    Args:
        orders: events that each consumer is given at once, and the exchange and the user that they
            come from.

    Attributes:
        published: how many messages it has confirmed.
        news: set whenever that has grown.
    """

    def __init__(self, orders: Sequence[tuple[Event, str, str]] = ()) -> None:
        self._orders = orders
        self._server: asyncio.Server | None = None
        self._tags: dict[int, int] = {}
        self._served = asyncio.Event()
        self.published = 0
        self.news = asyncio.Event()

    async def start(self) -> int:
        """Listen; the port, on 127.0.0.1."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Listen no more; the connection's end was begun by the other side."""
        if self._server is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ENDS_S):
                    await self._served.wait()
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # Any process of the machine may connect; what strangers say is not even read.
            if _is_of_this_process(writer.get_extra_info("peername")):
                await self._answer_all(reader, writer)
                self._served.set()
        finally:
            writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer = b""
        while chunk := await reader.read(_CHUNK):
            buffer += chunk
            while buffer:
                taken, frame = pika.frame.decode_frame(buffer)
                if frame is None:
                    break
                buffer = buffer[taken:]
                writer.write(b"".join(self._answers(frame)))
            await writer.drain()

    def _answers(self, frame: Any) -> list[bytes]:
        if isinstance(frame, pika.frame.ProtocolHeader):
            return [_said(0, spec.Connection.Start(server_properties={"capabilities": _ABLE}))]
        if isinstance(frame, pika.frame.Heartbeat):
            return [pika.frame.Heartbeat().marshal()]
        if not isinstance(frame, pika.frame.Method):
            return []
        return self._answers_to(frame.channel_number, frame.method)

    def _answers_to(self, number: int, method: Any) -> list[bytes]:
        match method:
            case spec.Connection.StartOk():
                answer = spec.Connection.Tune(_CHANNELS, _FRAME_MAX, _HEARTBEAT_S)
            case spec.Basic.Publish():
                answer = self._confirmed(number)
            case spec.Queue.Declare():
                answer = spec.Queue.DeclareOk(method.queue, 0, 0)
            case spec.Basic.Consume():
                return self._consumed(number, method.consumer_tag)
            case spec.Basic.Cancel():
                answer = spec.Basic.CancelOk(method.consumer_tag)
            case _:
                make = _ANSWERS.get(type(method))
                answer = make and make()
        return [_said(number, answer)] if answer is not None else []

    def _confirmed(self, number: int) -> Any:
        self._tags[number] = self._tags.get(number, 0) + 1
        self.published += 1
        self.news.set()
        return spec.Basic.Ack(self._tags[number])

    def _consumed(self, number: int, tag: str) -> list[bytes]:
        said = [_said(number, spec.Basic.ConsumeOk(tag))]
        for place, (event, exchange, user) in enumerate(self._orders, 1):
            properties = pika.BasicProperties(content_type=MSGPACK, user_id=user)
            said.append(_said(number, spec.Basic.Deliver(tag, place, False, exchange, event.key)))
            said.append(filling(number, encoded(properties), encode(event), _FRAME_MAX - 8))
        return said


def _said(number: int, method: Any) -> bytes:
    frame: bytes = pika.frame.Method(number, method).marshal()
    return frame


def _is_of_this_process(address: Any) -> bool:
    """Whether one of this process's own sockets has that address."""
    for name in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        with contextlib.suppress(OSError):
            # A copy of what is no socket would belong to nobody.
            if stat.S_ISSOCK(os.fstat(name).st_mode):
                with socket.socket(fileno=os.dup(name)) as own:
                    if own.getsockname() == address:
                        return True
    return False
