"""Messages as AMQP 0-9-1 frames, without an object for each part of each message.

pika makes a method, three frames and their callbacks of every delivery, and encodes every publication
anew, though all but the body repeats. Here the ordinary case is done by offsets and from memory. What is
not ordinary (a body of several frames, say) is left to pika, which also codes the properties.

Source: AMQP 0-9-1 specification, 2.3.5 (frames), 4.2.6 (content), class basic.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from struct import Struct
from typing import Any, Final, NamedTuple

import pika
import pika.frame

_METHOD: Final = Struct(">BHII")
_HEADER: Final = Struct(">BHIHHQ")
_FRAME: Final = Struct(">BHI")
_DELIVERY: Final = Struct(">QB")
_END: Final = pika.spec.FRAME_END
_END_BYTE: Final = bytes([_END])
# What a frame has around its payload: seven bytes and one; what a header has before its properties.
_AROUND: Final = 8
_BEFORE_PROPERTIES: Final = 12
# Who publishes where, and with which properties, repeats from message to message.
_REMEMBERED: Final = 1 << 15
_KINDS_OF_PROPERTIES: Final = 1 << 10
_LONGEST_REMEMBERED: Final = 512


class Method(NamedTuple):
    """What `pika.spec.Basic.Deliver` says, by the same names."""

    consumer_tag: str
    delivery_tag: int
    redelivered: bool
    exchange: str | bytes
    routing_key: str | bytes


class Content(NamedTuple):
    """A delivery that is there as a whole.

    Attributes:
        channel: its number.
        properties: `pika.BasicProperties`; deliveries share them, so they are only to be read.
        end: where in the buffer the next frame begins.
    """

    channel: int
    method: Method
    properties: Any
    body: bytes
    end: int


class Left(Enum):
    """Why there is no delivery."""

    UNFINISHED = "more of it is on its way"
    OTHER = "it is no delivery, or none of the ordinary kind"


def content(buffer: bytes, at: int) -> Content | Left:
    """The delivery that begins at ``at``: its method, its header and one body frame in a row."""
    if at + _METHOD.size > len(buffer):
        return Left.OTHER
    kind, channel, length, index = _METHOD.unpack_from(buffer, at)
    if kind != pika.spec.FRAME_METHOD or index != pika.spec.Basic.Deliver.INDEX:
        return Left.OTHER
    header = at + _AROUND + length
    places = _places(buffer, channel, header)
    if isinstance(places, Left):
        return places
    body, end = places
    method = _method(buffer, at + _METHOD.size, header - 1)
    if method is None or not buffer[header - 1] == buffer[body - 1] == buffer[end - 1] == _END:
        return Left.OTHER
    properties = _properties(buffer[header + _HEADER.size : body - 1])
    return Content(channel, method, properties, buffer[body + _FRAME.size : end - 1], end)


def frame_at(buffer: bytes, at: int) -> bytes:
    """The frame that begins at ``at``, or what is there of it, without all that follows."""
    if at + _FRAME.size > len(buffer):
        return buffer[at:]
    _, _, length = _FRAME.unpack_from(buffer, at)
    return buffer[at : at + _AROUND + length]


@lru_cache(_REMEMBERED)
def opening(channel: int, exchange: str, key: str) -> bytes:
    """The frame of ``basic.publish``; its content follows.

    Args:
        channel: its number.
        exchange: where to.
        key: the routing key, at most 255 bytes.
    """
    method = pika.spec.Basic.Publish(exchange=exchange, routing_key=key)
    frame: bytes = pika.frame.Method(channel, method).marshal()
    return frame


def filling(channel: int, properties: bytes, body: bytes, longest: int) -> bytes:
    """The frames of a message's content.

    Args:
        channel: its number.
        properties: as `encoded` writes them.
        body: of the message.
        longest: how many bytes of body a frame may have.
    """
    size = _BEFORE_PROPERTIES + len(properties)
    head = _HEADER.pack(pika.spec.FRAME_HEADER, channel, size, pika.BasicProperties.INDEX, 0, len(body))
    pieces = [head, properties, _END_BYTE]
    for start in range(0, len(body), longest):
        part = body[start : start + longest]
        pieces += (_FRAME.pack(pika.spec.FRAME_BODY, channel, len(part)), part, _END_BYTE)
    return b"".join(pieces)


def encoded(properties: pika.BasicProperties) -> bytes:
    """``properties`` as they stand in a header frame."""
    return b"".join(properties.encode())


def _places(buffer: bytes, channel: int, header: int) -> tuple[int, int] | Left:
    """Where the body that belongs to the header at ``header`` begins, and where it ends."""
    size = len(buffer)
    if header + _HEADER.size > size:
        return Left.UNFINISHED
    kind, number, length, _class, _weight, body_size = _HEADER.unpack_from(buffer, header)
    # Without a body nothing follows that could be waited for.
    if kind != pika.spec.FRAME_HEADER or number != channel or not body_size:
        return Left.OTHER
    body = header + _AROUND + length
    if body + _FRAME.size > size:
        return Left.UNFINISHED
    if _FRAME.unpack_from(buffer, body) != (pika.spec.FRAME_BODY, channel, body_size):
        return Left.OTHER
    end = body + _AROUND + body_size
    return (body, end) if end <= size else Left.UNFINISHED


def _method(buffer: bytes, at: int, end: int) -> Method | None:
    """The arguments of ``basic.deliver``; None when they do not fill the frame."""
    consumer = at + 1 + buffer[at]
    tag, flags = _DELIVERY.unpack_from(buffer, consumer)
    exchange = consumer + _DELIVERY.size + 1
    key = exchange + buffer[exchange - 1] + 1
    if key + buffer[key - 1] != end:
        return None
    words = buffer[at + 1 : consumer].decode(), _text(buffer[exchange : key - 1]), _text(buffer[key:end])
    return Method(words[0], tag, bool(flags & 1), *words[1:])


def _text(word: bytes) -> str | bytes:
    try:
        return word.decode()
    except UnicodeDecodeError:
        return word


def _properties(written: bytes) -> Any:
    return _known(written) if len(written) <= _LONGEST_REMEMBERED else _decoded(written)


@lru_cache(_KINDS_OF_PROPERTIES)
def _known(written: bytes) -> Any:
    return _decoded(written)


def _decoded(written: bytes) -> Any:
    return pika.BasicProperties().decode(written)
