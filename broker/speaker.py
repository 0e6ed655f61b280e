"""Speaks on PsEPR in the name of a program that is no part of DSMT: an operator's, or an application.

The parts have voices of their own; this one is for the five lines with which others begin.
"""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Mapping

from broker.bus import Bus
from dsmt_core.channels import channel
from dsmt_core.events import Event, Sender


class Speaker:
    """Numbers, dates and publishes the events of one program.

    Args:
        bus: connected.
        service: in whose name it speaks.
        instance: which copy it is; by default this host and a random word.
    """

    def __init__(self, bus: Bus, service: str, *, instance: str = "") -> None:
        life = uuid.uuid4().hex
        self._bus = bus
        self._sender = Sender(service, instance or f"{socket.gethostname()}/{life[:8]}", life)

    async def say(
        self, where: str, field: str, value: str = "", *, pairs: Mapping[str, str] | None = None
    ) -> Event:
        """Publish an attribute, as text or as pairs; returns the event once the broker has confirmed it.

        Raises:
            Invalid: ``where`` is not a channel.
            Unavailable, Full, Denied: see `broker.bus.Bus.publish`.
        """
        event = self._sender.event(
            channel(where),
            field,
            now=time.time(),
            id_=uuid.uuid4().hex,
            value=value,
            pairs=dict(pairs or {}),
        )
        await self._bus.publish(event)
        return event
