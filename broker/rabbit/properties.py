"""The properties of what is published, encoded; the same ones are used again and again.

An event's delivery time-to-live becomes the message's ``expiration``: the broker counts it from when it
took the message, by its own clock. A classic queue looks at it when the message is first in line.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import pika

from broker.rabbit.framing import encoded
from broker.reading import Message
from broker.topology import KEEP
from dsmt_core.wire import MSGPACK

# An application may make its times-to-live up; those of the parts are a handful.
_REMEMBERED: Final = 256
# RabbitMQ refuses more than about 49 days (2^32 ms), and with it the whole channel; so much is without end.
_LONGEST_MS: Final = (1 << 32) - 1


@lru_cache(_REMEMBERED)
def persistent(user: str, content_type: str, ttl_s: float, *, kept: bool) -> bytes:
    """Of what is written to disk.

    Args:
        user: who publishes.
        content_type: of the body.
        ttl_s: seconds for which it may be under way.
        kept: it belongs into the history.
    """
    properties = pika.BasicProperties(
        content_type=content_type,
        delivery_mode=pika.DeliveryMode.Persistent.value,
        user_id=user,
        headers=dict(KEEP) if kept else None,
        expiration=_expiration(ttl_s),
    )
    return encoded(properties)


@lru_cache(_REMEMBERED)
def transient(user: str, ttl_s: float) -> bytes:
    """Of hints: kept in memory only."""
    properties = pika.BasicProperties(
        content_type=MSGPACK,
        delivery_mode=pika.DeliveryMode.Transient.value,
        user_id=user,
        expiration=_expiration(ttl_s),
    )
    return encoded(properties)


def letter(user: str, message: Message) -> bytes:
    """Of a dead letter, see `broker.reading.dead_letter`."""
    properties = pika.BasicProperties(
        content_type=message.content_type,
        delivery_mode=pika.DeliveryMode.Persistent.value,
        user_id=user,
        headers=dict(message.headers),
    )
    return encoded(properties)


def _expiration(ttl_s: float) -> str | None:
    milliseconds = round(ttl_s * 1000)
    return str(milliseconds) if milliseconds <= _LONGEST_MS else None
