"""What can be asked of the planner about the event service: services, channels, and to publish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, cast
from urllib.parse import urlencode

from dsmtc.client.answers import EventRecord, SilenceShown
from dsmtc.client.caller import Caller


class UseShown(TypedDict):
    """What a service says or hears on one channel; 0 seconds: not said."""

    channel: str
    direction: str
    payload: str
    field: str
    least_s: float
    greatest_s: float


class DescribedUse(UseShown):
    """The same, with whose it is."""

    service: str


class ServiceShown(TypedDict):
    """A service: what it says of itself, and what is heard of it.

    Attributes:
        part: it is one of DSMT's own.
        described: it has described itself.
        events, heard_at: how many were heard in its name since the planner began to listen, and when last.
    """

    service: str
    text: str
    part: bool
    described: bool
    channels: list[UseShown]
    events: int
    heard_at: float


class BreachShown(TypedDict):
    """A service does otherwise than it said."""

    service: str
    kind: str
    channel: str
    field: str
    instance: str
    reason: str
    since: float
    last: float
    times: int


class Services(TypedDict):
    """All services, and who does otherwise than it said."""

    services: list[ServiceShown]
    breaches: list[BreachShown]
    left_out: int


class ChannelShown(TypedDict):
    """A channel on which something was heard; ``silent``: how much of it is silent now."""

    channel: str
    said_by: list[str]
    fields: list[str]
    events: int
    heard_at: float
    period: float
    silent: int


class Channels(TypedDict):
    """Channels that were heard, channels that are described, and what is silent."""

    channels: list[ChannelShown]
    described: list[DescribedUse]
    silences: list[SilenceShown]
    left_out: int


class PsEPR(Caller):
    """The event service, as the planner sees it."""

    def services(self) -> Services:
        """Every service, as far as the caller may hear it."""
        return cast("Services", self.call("GET", "/v1/services"))

    def channels(self, below: str = "/") -> Channels:
        """Every channel at or below ``below``, as far as the caller may hear it."""
        return cast("Channels", self.call("GET", f"/v1/channels?{urlencode({'below': below})}"))

    def publish(self, said: Mapping[str, object]) -> EventRecord:
        """Publish one event in the caller's name.

        Args:
            said: ``channel``, ``field``, ``value``, ``pairs``, ``payload``, ``service``, ``to_service``,
                ``to_instance``, and in seconds ``ttl``, ``expiry``, ``emit_rate``; or ``xml`` alone.

        Returns:
            The event as it was sent.

        Raises:
            Invalid, Full: it is not legal, or too large.
            Denied: the caller may not speak there.
        """
        return cast("EventRecord", self.call("POST", "/v1/events", dict(said)))
