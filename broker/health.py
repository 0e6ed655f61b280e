"""How one bus is doing, as its owner and an operator want to know it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from broker.reading import Message
from broker.refusals import Refusals


class Link(StrEnum):
    """How the connection to the broker stands."""

    CONNECTED = "connected"
    BLOCKED = "blocked"
    AWAY = "away"
    CLOSED = "closed"


@dataclass(slots=True)
class Health:
    """One bus; counters only grow.

    Attributes:
        refused: deliveries that were not believed; ``refusals`` has which, until they are told.
        denied: its user was refused.
    """

    link: Link = Link.AWAY
    connects: int = 0
    unconfirmed: int = 0
    outbox: int = 0
    dropped: int = 0
    refused: int = 0
    lost: int = 0
    last_error: str = ""
    denied: bool = False
    refusals: Refusals = field(default_factory=Refusals, compare=False)

    def refuse(self, message: Message, reason: str) -> None:
        """A delivery was not believed."""
        self.refused += 1
        self.refusals.note(message, reason)
