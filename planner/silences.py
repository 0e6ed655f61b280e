"""Silences: what should have been said and was not, raised once, and cleared when it is heard again.

What repeats says how often (``emit_rate``), or its service has described the greatest time between two
events. Two and a half periods without a word are a silence. The watch doubts itself first, as the
failed-node tracker does: while it was deaf, and at its start, all clocks begin anew. What has ended in
order is forgotten. What is said on a node that people work on may fall silent: its clocks begin anew when
they have done.

A heap holds one entry for each thing that is watched, at a time not later than when it may be called
silent; hearing a thing only notes the time, so 100,000 things cost what becomes due and no more.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import count
from typing import Final, NamedTuple

from dsmt_core.channels import Channel
from dsmt_core.events import Event
from dsmt_core.names import Host, Slice
from planner.place import NO_HOST, NO_SLICE, Place, is_of, place_of

# Two chances were missed, and half a period more for jitter of the sender and of the broker.
PATIENCE: Final = 2.5
THINGS: Final = 200_000
# A tick that comes this much after the last one was slept through.
LAG_S: Final = 5.0
# A silence that nobody ended for so long is nobody's concern any more.
KEPT_S: Final = 7 * 86_400.0


class Thing(NamedTuple):
    """What is watched: one field of one instance on one channel, about one thing."""

    channel: Channel
    instance: str
    field: str
    about: str


@dataclass(slots=True)
class Watched:
    """One thing that is watched.

    Attributes:
        last: the event that was heard last.
        place: where it belongs.
        period: seconds between its events.
        heard: when the last one was heard.
        silent_since: when it was called silent; None while it is not.
        mark: tells the entry of the heap that counts.
    """

    thing: Thing
    last: Event
    place: Place
    period: float
    heard: float
    silent_since: float | None = None
    mark: int = 0


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence was raised, or cleared; ``reason`` is a plain sentence."""

    watched: Watched
    raised: bool
    reason: str


def about_of(event: Event) -> str:
    """What an event is about, where one instance says the same field of several things."""
    return event.pairs.get("managed") or event.pairs.get("application", "")


class Silences:
    """Watches; one task owns it. All times are seconds of one clock that does not go back.

    Args:
        now: it begins to listen now.
        limit: how many things are watched; what is beyond is counted in ``unwatched``.
    """

    def __init__(self, *, now: float, limit: int = THINGS) -> None:
        self._limit = limit
        self._watched: dict[Thing, Watched] = {}
        self._due: list[tuple[float, int, Watched]] = []
        self._places: dict[Place, set[Thing]] = {}
        self._silent: dict[Thing, Watched] = {}
        self._excused: dict[Host, float] = {}
        self._excusing: AbstractSet[Host] = frozenset()
        self._listening_since = now
        self._ticked = now
        self._marks = count(1)
        self._changes: list[Silence] = []
        self.unwatched = 0

    def __len__(self) -> int:
        return len(self._watched)

    def heard(
        self, event: Event, *, now: float, greatest_s: float = 0.0, place: Place | None = None
    ) -> None:
        """Something was said.

        Args:
            event: as delivered.
            now: when.
            place: where it belongs; by default as `place_of` says.
            greatest_s: the greatest time between two such events as its service described; 0: not said.
        """
        period = event.emit_rate or greatest_s
        thing = Thing(event.channel, event.instance, event.field, about_of(event))
        watched = self._watched.get(thing)
        if period <= 0:
            # It is not repeated any more, which is an end in order.
            if watched is not None:
                self._forget(watched, "it is not repeated any more")
        elif watched is not None:
            self._again(watched, event, period, now)
        elif len(self._watched) >= self._limit:
            self.unwatched += 1
        else:
            watched = Watched(thing, event, place_of(event) if place is None else place, period, now)
            self._watched[thing] = watched
            self._places.setdefault(watched.place, set()).add(thing)
            self._push(watched, self._limit_of(watched))

    def ended(self, event: Event) -> None:
        """What the channel of ``event`` tells about the same thing has ended in order.

        So has what that thing said itself: an application's instance is ``host/slice/application``.
        """
        about, place = about_of(event), place_of(event)
        itself = f"{place.host}/{place.slice}/{about}"
        self._forget_of(
            place,
            lambda thing: (
                (thing.channel == event.channel and thing.about == about)
                or (bool(about) and f"{thing.instance}/".startswith(f"{itself}/"))
            ),
        )

    def forget(self, *, slice_: Slice = NO_SLICE, host: Host = NO_HOST) -> None:
        """Everything of a slice, of a host, or (quickly) of a slice on a host, has ended in order."""
        if slice_ and host:
            self._forget_of(Place(slice_, host), lambda _thing: True)
            return
        for place in [one for one in self._places if is_of(one, slice_, host)]:
            self._forget_of(place, lambda _thing: True)

    def deafened(self, now: float) -> None:
        """Events could not be heard: silence counts from now. To be called as long as it lasts."""
        self._listening_since = now

    def tick(
        self,
        now: float,
        *,
        has_ended: Callable[[Watched], bool] = lambda _: False,
        maintained: AbstractSet[Host] = frozenset(),
    ) -> list[Silence]:
        """Judge; to be called about once a second.

        Args:
            now: the time.
            maintained: nodes that people work on now (`planner.standing.maintained`).
            has_ended: whether a thing, looked at more closely, ended in order; asked before it is called
                silent.

        Returns:
            Every change since the last call, in the order in which it happened.
        """
        if now - self._ticked > LAG_S:
            self.deafened(now)
        self._ticked = now
        self._excuse(maintained, now)
        while self._due and self._due[0][0] <= now:
            _, mark, watched = heapq.heappop(self._due)
            if mark == watched.mark:
                self._judge(watched, now, has_ended)
        changes, self._changes = self._changes, []
        return changes

    def silent(self) -> Iterable[Watched]:
        """Everything that is silent now."""
        return self._silent.values()

    def _excuse(self, maintained: AbstractSet[Host], now: float) -> None:
        """Silence on these nodes counts from now; what was called silent there before is so no longer."""
        begun, self._excusing = maintained - self._excusing, maintained
        if begun:
            for watched in [one for one in self._silent.values() if one.place.host in begun]:
                self._clear(watched, "people work on its node")
                self._push(watched, now)
        self._excused |= dict.fromkeys(maintained, now)
        if self._excused:
            self._excused = {host: at for host, at in self._excused.items() if now - at < KEPT_S}

    def _judge(self, watched: Watched, now: float, has_ended: Callable[[Watched], bool]) -> None:
        if watched.silent_since is not None:
            self._forget(watched, "nobody has asked for it for long")
            return
        due = self._limit_of(watched)
        if due > now:
            self._push(watched, due)
        elif has_ended(watched):
            self._forget(watched, "it has ended")
        else:
            watched.silent_since = now
            self._silent[watched.thing] = watched
            self._push(watched, now + KEPT_S)
            reason = f"not heard for {now - watched.heard:.1f} s; it comes every {watched.period:g} s"
            self._changes.append(Silence(watched, raised=True, reason=reason))

    def _again(self, watched: Watched, event: Event, period: float, now: float) -> None:
        before = watched.period
        watched.last, watched.period, watched.heard = event, period, now
        if watched.silent_since is not None:
            self._clear(watched, "it is heard again")
            self._push(watched, self._limit_of(watched))
        elif period < before:
            # What stands in the heap may come too late now.
            self._push(watched, self._limit_of(watched))

    def _limit_of(self, watched: Watched) -> float:
        excused = self._excused.get(watched.place.host, watched.heard)
        return max(watched.heard, self._listening_since, excused) + PATIENCE * watched.period

    def _push(self, watched: Watched, due: float) -> None:
        watched.mark = next(self._marks)
        heapq.heappush(self._due, (due, watched.mark, watched))
        # Entries that do not count any more leave when they are due; many of them go at once.
        if len(self._due) > 2 * len(self._watched) + 1_000:
            self._due = [entry for entry in self._due if entry[1] == entry[2].mark]
            heapq.heapify(self._due)

    def _forget_of(self, place: Place, which: Callable[[Thing], bool]) -> None:
        for thing in [thing for thing in self._places.get(place, ()) if which(thing)]:
            self._forget(self._watched[thing], "it has ended")

    def _forget(self, watched: Watched, reason: str) -> None:
        del self._watched[watched.thing]
        things = self._places[watched.place]
        things.discard(watched.thing)
        if not things:
            del self._places[watched.place]
        watched.mark = 0
        if watched.silent_since is not None:
            self._clear(watched, reason)

    def _clear(self, watched: Watched, reason: str) -> None:
        self._changes.append(Silence(watched, raised=False, reason=reason))
        watched.silent_since = None
        del self._silent[watched.thing]
