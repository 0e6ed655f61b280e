"""From a message to an event that may be believed, or to the reason why not; the same for every adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from dsmt_core.channels import Channel
from dsmt_core.errors import Invalid
from dsmt_core.events import Event
from dsmt_core.rights import Arrival, refusal
from dsmt_core.wire import decode

_REASON_LENGTH: Final = 500


@dataclass(frozen=True, slots=True)
class Message:
    """What came from the broker, as it came.

    Attributes:
        routing_key: the broker hands one that is not UTF-8 over as bytes.
    """

    body: bytes
    content_type: str
    exchange: str
    routing_key: str | bytes
    user_id: str
    redelivered: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that is not believed."""

    reason: str


def read(message: Message, leased: Channel) -> Event | Refused:
    """The event of ``message``, or why it is not believed.

    Args:
        message: as it came.
        leased: the channel that the reader listens on.
    """
    key = message.routing_key
    if not isinstance(key, str):
        return Refused("its routing key is not UTF-8")
    try:
        event = decode(message.body, message.content_type)
        arrival = Arrival(message.exchange, key, message.user_id)
        reason = refusal(event, arrival, leased)
    except Invalid as error:
        return Refused(error.message)
    return Refused(reason) if reason else event


def dead_letter_headers(message: Message, reason: str) -> dict[str, Any]:
    """What is told of a refused message beside its body, for whoever looks into the dead letters."""
    return {
        "reason": reason[:_REASON_LENGTH],
        "exchange": message.exchange,
        "routing-key": key_text(message.routing_key),
        "user-id": message.user_id,
        "content-type": message.content_type[:_REASON_LENGTH],
        "redelivered": message.redelivered,
    }


def key_text(key: str | bytes) -> str:
    """A routing key as text that is legal as a routing key."""
    return key if isinstance(key, str) else "undecodable"
