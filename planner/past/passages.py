"""Passages: something entered a state at a moment. A recorder tells them from what is seen and wanted.

    host  slice  part                state
    h1           node                as the tracker judges
    h1    web    container, agent    of the life cycle
    h1    web    application:pinger  of the life cycle
    h1    web    version:pinger      that its agent said last; 20 characters of it
    h1    web    wanted:pinger       running or stopped: what people want there
                 planner             here, or away: nobody looked

An empty state: there is none any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from dsmt_core.names import Host, Slice
from planner.fleet import SeenRow
from planner.wanted import Wanted, WantedSlice

NODE: Final = "node"
CONTAINER: Final = "container"
AGENT: Final = "agent"
APPLICATION: Final = "application:"
VERSION: Final = "version:"
WANTED: Final = "wanted:"
PLANNER: Final = "planner"
HERE: Final = "here"
AWAY: Final = "away"
NOWHERE: Final = (Host(""), Slice(""))

# As long as the column of states is.
_VERSION_MOST: Final = 20

REASON_MOST: Final = 160
_DOUBTED: Final = frozenset({"suspect", "failed", "probation"})

_Place = tuple[Host, Slice]
# A state, since when where that was told, and why.
_Told = tuple[str, float, str]
_GONE: Final = ("", 0.0, "")


def _nothing(_host: Host, _state: str) -> str:
    return ""


class Passage(NamedTuple):
    """Something entered a state.

    Attributes:
        at: seconds since the epoch.
        host: where; empty for the planner.
        slice: whose; empty for a node and the planner.
        part: which part, as in the table above.
        state: that it entered; empty: it is no more.
        reason: why, as whoever told it says, in one line of `REASON_MOST` letters at most; empty: no word.
    """

    at: float
    host: Host
    slice: Slice
    part: str
    state: str
    reason: str = ""


class Recorder:
    """Remembers the last state of each part, and tells what has changed since.

    Args:
        last: the last passage of each part, as stored.
    """

    def __init__(self, last: Iterable[Passage] = ()) -> None:
        self._states: dict[_Place, dict[str, tuple[str, float]]] = {}
        self._slices: dict[Slice, WantedSlice] | None = None
        for one in last:
            if one.state:
                self._states.setdefault((one.host, one.slice), {})[one.part] = (one.state, one.at)

    def seen(
        self, rows: Iterable[SeenRow], now: float, why: Callable[[Host, str], str] = _nothing
    ) -> list[Passage]:
        """What these rows of seen tell that is new.

        Args:
            rows: as they are written behind.
            now: seconds since the epoch.
            why: why a node is judged so.
        """
        found: list[Passage] = []
        for row in rows:
            place = (row.host, row.slice)
            told = dict(_told(row, why))
            gone = [part for part in self._states.get(place, ()) if not part.startswith(WANTED)]
            told |= {part: _GONE for part in gone if part not in told}
            found += self._changes(place, told, now)
        return found

    def wanted(self, wanted: Wanted, now: float) -> list[Passage]:
        """What is wanted otherwise than at the last call."""
        found: list[Passage] = []
        # At the first call also those of which only the past knows.
        before = self._slices or {}
        known = before.keys() if self._slices is not None else {name for _, name in self._states if name}
        changed: dict[Slice, set[_Place]] = {
            name: set()
            for name in {*known, *wanted.slices}
            if name not in wanted.slices or wanted.slices[name] is not before.get(name)
        }
        if changed:
            # Once for all of them: at a start every slice is new, and there are many places.
            for place in self._states:
                if place[1] in changed:
                    changed[place[1]].add(place)
        for name, places in changed.items():
            found += self._placed(wanted.slices.get(name), places, now)
        self._slices = dict(wanted.slices)
        return found

    def planner(self, state: str, at: float) -> list[Passage]:
        """The planner is here, or was away."""
        return self._changes(NOWHERE, {PLANNER: (state, 0.0, "")}, at)

    def _placed(self, slice_: WantedSlice | None, places: set[_Place], now: float) -> Iterator[Passage]:
        """What is wanted otherwise of a slice, of which the past knows ``places``."""
        told: dict[_Place, dict[str, _Told]] = {}
        for one in slice_.placements if slice_ else ():
            told.setdefault((one.host, one.slice), {})[WANTED + one.application] = (one.run.value, 0.0, "")
        for place in places | told.keys():
            parts = told.get(place, {})
            gone = [part for part in self._states.get(place, ()) if part.startswith(WANTED)]
            yield from self._changes(place, parts | {p: _GONE for p in gone if p not in parts}, now)

    def _changes(self, place: _Place, told: Mapping[str, _Told], now: float) -> list[Passage]:
        known = self._states.setdefault(place, {})
        found = []
        for part, (state, since, reason) in told.items():
            before, entered = known.get(part, ("", 0.0))
            if state == before:
                continue
            # Whoever tells since when is believed, but never into what was written already.
            at = since if entered < since <= now else max(now, entered)
            found.append(Passage(at, *place, part, state, plain(reason) if reason else ""))
            if state:
                known[part] = (state, at)
            else:
                known.pop(part, None)
        if not known:
            del self._states[place]
        return found


def plain(reason: str) -> str:
    """A reason in one line that every database takes, whatever a node wrote."""
    line = " ".join(reason[: 4 * REASON_MOST].replace("\0", " ").split())
    return line.encode(errors="replace").decode()[:REASON_MOST]


def _told(row: SeenRow, why: Callable[[Host, str], str]) -> Iterator[tuple[str, _Told]]:
    """The parts that a row of seen tells of, with their states, and since when where it says so."""
    value = row.value
    if value is None:
        return
    if not row.slice:
        state = str(value["state"])
        yield NODE, (state, 0.0, why(row.host, state) if state in _DOUBTED else "")
        return
    yield CONTAINER, _layer(value["container"])
    yield AGENT, _layer(value["agent"])
    for name, one in value["applications"].items():
        yield APPLICATION + name, _layer(one["layer"], one.get("gave_up", ""))
        # An upgrade may take less time than passes between two looks: the state alone would not show it.
        if version := str(one.get("version", ""))[:_VERSION_MOST]:
            yield VERSION + name, (version, float(one["layer"]["since"]), "")


def _layer(value: Mapping[str, Any], gave_up: str = "") -> _Told:
    reason = str(value.get("reason", "")) or gave_up.partition(" ")[2]
    return str(value["state"]), float(value["since"]), reason
