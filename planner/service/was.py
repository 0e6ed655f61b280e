"""What was, as the API tells it: the fleet at a moment, what changed, how applications stood."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection

from dsmt_core.errors import Invalid
from dsmt_core.names import Application, Host, Slice
from planner.fleet import Fleet
from planner.past import APPLICATION, VERSION, Group, Instance, Passage, availability, instances, series
from planner.plans.ground import site_of
from planner.service.clock import SteadyClock
from planner.store import Database, past

DAY_S: Final = 86_400.0
LONGEST_S: Final = 400 * DAY_S
POINTS_MOST: Final = 1_000
# A page that replays holds so many; more are fetched as it goes on.
CHANGES_MOST: Final = 20_000
Slices = Collection[Slice] | None


@dataclass(frozen=True, slots=True)
class Time:
    """From when to when, seconds since the epoch."""

    begin: float
    end: float

    @classmethod
    def of(cls, since: float | None, until: float | None, now: float) -> Time:
        """A time as somebody asks for it: until now and a day long, unless they say otherwise.

        Raises:
            Invalid: it ends before it begins, or is longer than `LONGEST_S`.
        """
        end = min(now if until is None else until, now)
        begin = end - DAY_S if since is None else since
        if not 0 <= begin < end:
            raise Invalid("that time ends before it begins", hint="since and until are seconds since 1970")
        if end - begin > LONGEST_S:
            raise Invalid(f"that is longer than {LONGEST_S / DAY_S:.0f} days")
        return cls(begin, end)


class Was:
    """Tells what was.

    Args:
        database: where it is kept.
        fleet: knows the sites of nodes.
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, fleet: Fleet, clock: SteadyClock) -> None:
        self._database = database
        self._fleet = fleet
        self._clock = clock

    def time(self, since: float | None, until: float | None) -> Time:
        """See `Time.of`."""
        return Time.of(since, until, self._clock())

    def moment(self, at: float | None) -> float:
        """A moment as somebody asks for it: now, unless they say otherwise; never one that is to come."""
        now = self._clock()
        return now if at is None else min(at, now)

    async def fleet(self, moment: float, slices: Slices) -> dict[str, Any]:
        """Every part with its state at a moment, and since when."""
        found = await self._database.read(past.at, moment, slices)
        return {"at": moment, "parts": [_written(one) for one in found]}

    async def changes(self, time: Time, slices: Slices) -> dict[str, Any]:
        """What changed, in order; the first `CHANGES_MOST` or so of it, and whether there is more."""
        found = await self._database.read(past.between, time.begin, time.end, slices, CHANGES_MOST + 1)
        more = len(found) > CHANGES_MOST
        shown = await self._whole(time, slices, found) if more else found
        until = shown[-1].at if more else time.end
        return {"since": time.begin, "until": until, "more": more, "changes": [*map(_written, shown)]}

    async def _whole(self, time: Time, slices: Slices, found: list[Passage]) -> list[Passage]:
        """Only moments of which all is there, for who asks again goes on behind the last; at least one."""
        last = found[-1].at
        whole = [one for one in found if one.at < last]
        return whole or await self._database.read(past.between, time.begin, last, slices)

    async def series(self, time: Time, points: int, slices: Slices, application: str) -> dict[str, Any]:
        """How many instances were how, at equal distances.

        Raises:
            Invalid: fewer than 2 points, or more than `POINTS_MOST`.
        """
        if not 2 <= points <= POINTS_MOST:
            raise Invalid(f"from 2 to {POINTS_MOST} points")
        found = await self._instances(time, slices, application)
        samples = series(found, time.begin, time.end, points)
        return {"since": time.begin, "until": time.end, "samples": [asdict(one) for one in samples]}

    async def availability(self, time: Time, by: Group, slices: Slices, application: str) -> dict[str, Any]:
        """How instances stood, told of together as ``by`` says; the worst first."""
        found = await self._instances(time, slices, application)
        stood = availability(found, self._naming()[by])
        shown = [{**asdict(one), "share": one.share} for one in stood]
        return {"since": time.begin, "until": time.end, "by": by.value, "rows": shown}

    async def course(self, time: Time, slice_: Slice, application: Application) -> dict[str, Any]:
        """Host by host, through which states an application and what it stands on went."""
        parts = {"container", "agent", APPLICATION + application, VERSION + application}
        found = await self._database.read(_told, time, {slice_})
        hosts: dict[Host, list[list[Any]]] = {}
        for one in found:
            if one.part in parts and one.slice == slice_:
                hosts.setdefault(one.host, []).append([max(one.at, time.begin), one.part, one.state])
        return {"since": time.begin, "until": time.end, "hosts": dict(sorted(hosts.items()))}

    async def _instances(self, time: Time, slices: Slices, application: str) -> list[Instance]:
        found = await self._database.read(_found, time, slices)
        return [one for one in found if application in {"", one.application}]

    def _naming(self) -> Mapping[Group, Callable[[Instance], str]]:
        return {
            Group.APPLICATION: lambda one: f"{one.slice} {one.application}",
            Group.NODE: lambda one: one.host,
            Group.SITE: lambda one: self._site(one.host),
        }

    def _site(self, host: Host) -> str:
        node = self._fleet.node(host)
        known = {**(node.facts if node else {}), **(node.labels if node else {})}
        return known.get("site") or site_of(host)


def _told(connection: Connection, time: Time, slices: Slices) -> list[Passage]:
    before = past.at(connection, time.begin, slices)
    return before + past.between(connection, time.begin, time.end, slices)


def _found(connection: Connection, time: Time, slices: Slices) -> list[Instance]:
    return instances(_told(connection, time, slices), time.begin, time.end)


def _written(one: Passage) -> list[Any]:
    return [round(one.at, 3), one.host, one.slice, one.part, one.state]
