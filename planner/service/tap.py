"""What was said lately on the event service, for those who ask over HTTP.

The planner leases `/` once. A ring keeps the last events; each follower has a bounded buffer and is told
how many it lost when it is too slow. Filtering costs the follower, not the sender.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final
from weakref import WeakSet

from dsmt_core.channels import ROOT, Channel, lies_under
from dsmt_core.errors import Full
from dsmt_core.events import Event
from dsmt_core.hearing import of_type
from dsmt_core.history import kept
from dsmt_core.last_values import LastValues
from planner.service.lately import Lately

RING: Final = 10_000
RING_BYTES: Final = 32 << 20
VALUES: Final = 50_000
VALUES_BYTES: Final = 32 << 20
FOLLOWER: Final = 2_000
FOLLOWER_BYTES: Final = 8 << 20
FOLLOWERS: Final = 100


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as a listener hears it.

    Attributes:
        lost: how many the listener lost right before it.
        offset: its place in the history; None when it does not come from there.
    """

    event: Event
    lost: int = 0
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What somebody wants to hear, and may.

    Attributes:
        channel: events at or below it.
        state: only ``deployment-status`` with this state; empty for any event.
        field: only this field; empty for any.
        payload: only this type of payload (attributes have two names for theirs); empty for any.
        service: only from this service; empty for any.
        unkept: only what the history does not keep.
        allowed: whether the caller may hear an event on this channel.
    """

    channel: Channel = ROOT
    state: str = ""
    field: str = ""
    payload: str = ""
    service: str = ""
    unkept: bool = False
    allowed: Callable[[Channel], bool] = lambda _channel: True

    def passes(self, event: Event) -> bool:
        """Whether ``event`` is wanted."""
        return (
            lies_under(event.channel, self.channel)
            and (not self.state or event.state == self.state)
            and (not self.field or event.field == self.field)
            and (not self.payload or of_type(event, self.payload))
            and (not self.service or event.service == self.service)
            and not (self.unkept and kept(event))
            and self.allowed(event.channel)
        )


class Follower:
    """A bounded buffer of events for one listener; the oldest is dropped and counted."""

    def __init__(self, wanted: Filter) -> None:
        self._filter = wanted
        self._waiting = Lately(FOLLOWER, FOLLOWER_BYTES)
        self._lost = 0
        self._news = asyncio.Event()
        self._ended = False

    def offer(self, event: Event) -> None:
        """Give it an event; what the filter does not pass is no news."""
        if not self._filter.passes(event):
            return
        self._lost += self._waiting.append(event)
        self._news.set()

    def miss(self, count: int) -> None:
        """Tell it that events were lost before they reached it."""
        self._lost += count

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self._news.set()

    async def events(self) -> AsyncIterator[Heard]:
        """The events as they come, until the planner ends."""
        ended = False
        while not ended:
            await self._news.wait()
            self._news.clear()
            ended = self._ended
            while self._waiting:
                lost, self._lost = self._lost, 0
                yield Heard(self._waiting.popleft(), lost)


class Tap:
    """Keeps the last events and the last values, and hands each event to the followers.

    Args:
        clock: tells the time, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.values = LastValues(number=VALUES, size=VALUES_BYTES)
        self._clock = clock
        self._ring = Lately(RING, RING_BYTES)
        # Weak: an answer that nobody began to read must not be filled for ever.
        self._followers: WeakSet[Follower] = WeakSet()

    def heard(self, event: Event, lost: int = 0) -> None:
        """Take the next event; ``lost`` were lost before it."""
        self._ring.append(event)
        self.values.hear(event, self._clock())
        # Walking through weak references costs as much as all the rest, and mostly nobody follows.
        for follower in tuple(self._followers) if self._followers else ():
            if lost:
                follower.miss(lost)
            follower.offer(event)

    def recent(self, wanted: Filter, count: int) -> list[Event]:
        """The last ``count`` events that pass, oldest first."""
        newest_first = (event for event in reversed(self._ring) if wanted.passes(event))
        found = [event for event, _ in zip(newest_first, range(count), strict=False)]
        return found[::-1]

    def holding(self, wanted: Filter) -> list[Event]:
        """The values that hold and pass, the one heard longest ago first.

        A follower that begins in the same turn of the event loop hears exactly what changes afterwards.
        """
        return [value.event for value in self.values.holding(self._clock(), wanted.passes)]

    def close(self) -> None:
        """The planner ends: no follower hears anything more."""
        for follower in tuple(self._followers):
            follower.end()

    def follow(self, wanted: Filter) -> Follower:
        """A follower from now on, for as long as somebody holds it.

        Raises:
            Full: there are too many already.
        """
        if len(self._followers) >= FOLLOWERS:
            raise Full(
                f"{FOLLOWERS} listeners follow the events already",
                hint="end one, or lease the channel on the event service itself (GET /v1/bus)",
            )
        follower = Follower(wanted)
        self._followers.add(follower)
        return follower

    def leave(self, follower: Follower) -> None:
        """It does not listen any more."""
        self._followers.discard(follower)
