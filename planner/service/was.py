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
from planner.service.pieces import each
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
        return {"at": moment, "parts": await self._database.look(_parts, moment, slices)}

    async def changes(self, time: Time, slices: Slices, host: Host | None = None) -> dict[str, Any]:
        """What changed, of all or of one host, in order, and why.

        It is the first `CHANGES_MOST` or so of it, and whether there is more.
        """
        shown, until = await self._database.look(_changes, time, slices, host)
        more = until is not None
        return {
            "since": time.begin,
            "until": until if more else time.end,
            "more": more,
            "changes": shown,
        }

    async def series(self, time: Time, points: int, slices: Slices, application: str) -> dict[str, Any]:
        """How many instances were how, at equal distances.

        Raises:
            Invalid: fewer than 2 points, or more than `POINTS_MOST`.
        """
        if not 2 <= points <= POINTS_MOST:
            raise Invalid(f"from 2 to {POINTS_MOST} points")
        samples = await self._database.look(_samples, time, slices, application, points)
        return {"since": time.begin, "until": time.end, "samples": samples}

    async def availability(self, time: Time, by: Group, slices: Slices, application: str) -> dict[str, Any]:
        """How instances stood, told of together as ``by`` says; the worst first."""
        sites = await self._sites() if by is Group.SITE else {}
        shown = await self._database.look(_stood, time, slices, application, _naming(by, sites))
        return {"since": time.begin, "until": time.end, "by": by.value, "rows": shown}

    async def course(self, time: Time, slice_: Slice, application: Application) -> dict[str, Any]:
        """Host by host, through which states an application and what it stands on went."""
        hosts = await self._database.look(_courses, time, slice_, application)
        return {"since": time.begin, "until": time.end, "hosts": hosts}

    async def _sites(self) -> dict[Host, str]:
        """Of every node its site, as it is known now."""
        hosts = list(self._fleet.hosts)
        known = self._fleet.known
        return dict(await each(hosts, lambda host: [(host, known(host).get("site") or site_of(host))]))


def _naming(by: Group, sites: Mapping[Host, str]) -> Callable[[Instance], str]:
    if by is Group.APPLICATION:
        return lambda one: f"{one.slice} {one.application}"
    if by is Group.NODE:
        return lambda one: one.host
    return lambda one: sites.get(one.host) or site_of(one.host)


# What follows is done where it is read, beside the event loop: it is told as it is to be written.
def _parts(connection: Connection, moment: float, slices: Slices) -> list[list[Any]]:
    return [_written(one) for one in past.at(connection, moment, slices)]


def _changes(
    connection: Connection, time: Time, slices: Slices, host: Host | None
) -> tuple[list[list[Any]], float | None]:
    """The first of them; and until when they go, if there are more."""
    found = past.between(connection, time.begin, time.end, slices, CHANGES_MOST + 1, host=host)
    if len(found) <= CHANGES_MOST:
        return [*map(_written, found)], None
    # Only moments of which all is there, for who asks again goes on behind the last; at least one.
    last = found[-1].at
    whole = [one for one in found if one.at < last]
    whole = whole or past.between(connection, time.begin, last, slices, host=host)
    return [*map(_written, whole)], whole[-1].at


def _samples(
    connection: Connection, time: Time, slices: Slices, application: str, points: int
) -> list[dict[str, Any]]:
    found = _found(connection, time, slices, application)
    return [asdict(one) for one in series(found, time.begin, time.end, points)]


def _stood(
    connection: Connection, time: Time, slices: Slices, application: str, name_of: Callable[[Instance], str]
) -> list[dict[str, Any]]:
    stood = availability(_found(connection, time, slices, application), name_of)
    return [{**asdict(one), "share": one.share} for one in stood]


def _courses(
    connection: Connection, time: Time, slice_: Slice, application: Application
) -> dict[Host, list[list[Any]]]:
    parts = {"container", "agent", APPLICATION + application, VERSION + application}
    hosts: dict[Host, list[list[Any]]] = {}
    for one in _told(connection, time, {slice_}):
        if one.part in parts and one.slice == slice_:
            hosts.setdefault(one.host, []).append(
                [max(one.at, time.begin), one.part, one.state, one.reason]
            )
    return dict(sorted(hosts.items()))


def _told(connection: Connection, time: Time, slices: Slices) -> list[Passage]:
    before = past.at(connection, time.begin, slices)
    return before + past.between(connection, time.begin, time.end, slices)


def _found(connection: Connection, time: Time, slices: Slices, application: str) -> list[Instance]:
    found = instances(_told(connection, time, slices), time.begin, time.end)
    return [one for one in found if application in {"", one.application}]


def _written(one: Passage) -> list[Any]:
    return [round(one.at, 3), one.host, one.slice, one.part, one.state, one.reason]
