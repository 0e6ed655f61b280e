"""What a receiver asks of an event: is it for me, of my type, does it still hold?

Two clocks belong to an event, and no two are compared. ``ttl`` is counted by the broker, from when it took
the event. ``expiry`` counts from when the value was heard, by the clock of the hearer.

Source: field list of the public PsEPR clients.
"""

from __future__ import annotations

from dataclasses import dataclass

from dsmt_core.events import ATTRIBUTE_TYPES, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """What a lease is to hear of its channel; what is empty asks for nothing.

    Attributes:
        payload: only this type, an XML namespace; attributes have two names for theirs.
        state: only a ``deployment-status`` of this state.
        service: in whose name is listened. What is narrowed to somebody else is then not heard. Without a
            name nothing is narrowed away: whoever watches hears what is said to others, too.
        instance: which copy of ``service`` it is; empty hears what is narrowed to any copy of it.
    """

    payload: str = ""
    state: str = ""
    service: str = ""
    instance: str = ""

    def hears(self, event: Event) -> bool:
        """Whether ``event`` is wanted."""
        if self.payload and not of_type(event, self.payload):
            return False
        if self.state and event.state != self.state:
            return False
        return not self.service or meant_for(event, self.service, self.instance or event.to_instance)


def meant_for(event: Event, service: str, instance: str) -> bool:
    """Whether ``event`` is for this receiver; one that names no service is for everybody.

    Args:
        event: as decoded.
        service: in whose name the receiver listens.
        instance: which copy of the service it is.
    """
    if not event.to_service:
        return not event.to_instance
    return event.to_service == service and event.to_instance in {"", instance}


def of_type(event: Event, payload: str) -> bool:
    """Whether its payload is of this type, an XML namespace; attributes have two names for theirs."""
    if payload in ATTRIBUTE_TYPES:
        return event.payload in ATTRIBUTE_TYPES
    return event.payload == payload
