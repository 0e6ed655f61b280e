"""What is checked before anything is sent; the same for every adapter.

A message that the broker refuses closes its channel and leaves those before it unconfirmed, so what
can be known beforehand is refused here.
"""

from __future__ import annotations

from dsmt_core.errors import Denied
from dsmt_core.events import Event
from dsmt_core.rights import may_speak
from dsmt_core.wire import BODY_BYTES, MSGPACK, encode


def checked(
    event: Event, exchange: str, *, user: str, content_type: str = MSGPACK, most: int = BODY_BYTES
) -> tuple[str, bytes]:
    """The routing key and the body of ``event``.

    Raises:
        Invalid: it is not legal, its routing key is too long, or no codec has this content type.
        Full: its body has more than ``most`` bytes.
        Denied: ``user`` may not speak there.
    """
    if not may_speak(user, exchange, event.channel):
        raise Denied(f"{user} may not speak on {event.channel} of {exchange}")
    body = encode(event, content_type, most)
    return event.key, body
