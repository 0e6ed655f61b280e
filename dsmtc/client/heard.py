"""What the planner heard on PsEPR, as types: events, services, channels, and what is silent.

The names are those of ``docs/reference/protocol.md``, section 4. Times and periods are in seconds, times
since the epoch.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict, final


@final
class Lost(TypedDict):
    """How many events a follower lost because it was too slow."""

    lost: int


@final
class EventRecord(TypedDict):
    """One event, as `dsmt_core.journal.record` writes it.

    Attributes:
        own_value: there are pairs, and ``value`` is a text of its own.
        offset: its place in the history, when it comes from there.
        snapshot: it was said before, and holds.
    """

    channel: str
    service: str
    instance: str
    payload: str
    field: str
    value: str
    pairs: dict[str, str]
    sent_at: float
    id: str
    boot_id: str
    seq: int
    ttl: float
    expiry: float
    emit_rate: float
    schema: str
    to_service: NotRequired[str]
    to_instance: NotRequired[str]
    traceparent: NotRequired[str]
    own_value: NotRequired[bool]
    extra: NotRequired[dict[str, object]]
    offset: NotRequired[int]
    snapshot: NotRequired[bool]


class SilenceShown(TypedDict):
    """What should have been said and was not; ``period`` and times in seconds."""

    channel: str
    instance: str
    service: str
    field: str
    about: str
    host: str
    slice: str
    heard_at: float
    since: float
    period: float


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


class Bus(TypedDict):
    """Where programs connect to PsEPR; the URL has a password in it."""

    broker: str
