"""From a message to an event that may be believed, or to the reason why not; the same for every adapter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from dsmt_core.channels import Channel
from dsmt_core.errors import Invalid
from dsmt_core.events import Event
from dsmt_core.rights import DEAD, Arrival, refusal
from dsmt_core.wire import BODY_BYTES, decode

DEAD_LETTER: Final = "application/octet-stream"
_REASON_LENGTH: Final = 500
# The broker puts it into the headers of what a queue has handed on.
_DEATH: Final = "x-death"


class Message(NamedTuple):
    """What came from the broker, as it came; a tuple, because one is made for each delivery.

    Attributes:
        routing_key: the broker hands one that is not UTF-8 over as bytes.
        expires_at: when the embedded broker gives it up, by the monotonic clock.
    """

    body: bytes
    content_type: str
    exchange: str
    routing_key: str | bytes
    user_id: str
    redelivered: bool = False
    headers: Mapping[str, Any] = MappingProxyType({})
    expires_at: float = math.inf


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that is not believed."""

    reason: str


def read(message: Message, leased: Channel, most: int = BODY_BYTES) -> Event | Refused:
    """The event of ``message``, or why it is not believed.

    Args:
        message: as it came.
        leased: the channel that the reader listens on.
        most: bytes of body.
    """
    key = message.routing_key
    if not isinstance(key, str):
        return Refused("its routing key is not UTF-8")
    if _DEATH in message.headers:
        # No queue of ours hands on what expires: somebody's own repeats what others said, in their name.
        return Refused("it comes out of another queue, where it expired")
    try:
        event = decode(message.body, message.content_type, most)
        arrival = Arrival(message.exchange, key, message.user_id)
        reason = refusal(event, arrival, leased)
    except Invalid as error:
        return Refused(error.message)
    except Exception as error:  # noqa: BLE001 - whatever strangers send, the rest goes on
        return Refused(f"it cannot be read: {type(error).__name__}")
    return Refused(reason) if reason else event


def dead_letter(message: Message, reason: str, user: str) -> Message:
    """A refused message as it goes to the dead letters: its body, and in the headers all else.

    Args:
        message: as it came.
        reason: why it is not believed.
        user: who refuses it.
    """
    headers = {
        "reason": reason[:_REASON_LENGTH],
        "exchange": message.exchange,
        "routing-key": _key_text(message.routing_key),
        "user-id": message.user_id,
        "content-type": message.content_type[:_REASON_LENGTH],
        "redelivered": message.redelivered,
    }
    return Message(message.body, DEAD_LETTER, DEAD, _key_text(message.routing_key), user, headers=headers)


def _key_text(key: str | bytes) -> str:
    return key if isinstance(key, str) else "undecodable"
