"""The feed: who looks, and what each of them has not been told yet.

A page is told rows that are whole, never differences, so it is enough to remember for it *which* rows have
changed: a slow page gets the present of each once, and one that is too far behind begins anew. A row is
encoded once for all pages. While nobody looks nothing is gathered and nothing kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakSet

from dsmt_core.errors import Full
from dsmt_core.names import Host, Slice
from planner.fleet import NODE
from planner.service.ledger import Ledger
from planner.service.means import Watched
from planner.service.rounds import Rounds
from planner.standing import Bars, bars_at
from planner.viewer.rows import (
    NO_HOST,
    Judged,
    Key,
    by_host,
    changed_keys,
    hosts_of,
    node_row,
    slice_row,
    sliver_row,
)
from planner.wanted import Placement, WantedSlice

PAGES: Final = 100
BEHIND: Final = 20_000
"""So many rows a page may be behind; then it begins anew."""
# Between two looks at what takes longer to compare: what waits, who is out of service.
_SELDOM_S: Final = 1.0
_LOOK_S: Final = 0.1


class Viewed:
    """One page: the rows that it has not been told.

    Attributes:
        begins: it is to be told everything.
        behind: keys of rows, in the order in which they changed.
    """

    def __init__(self) -> None:
        self.begins = True
        self.behind: dict[Key, None] = {}

    def note(self, keys: Iterable[Key]) -> None:
        """These rows have changed."""
        if self.begins:
            # It will be told them with everything else.
            return
        self.behind.update(dict.fromkeys(keys))
        if len(self.behind) > BEHIND:
            self.begin_anew()

    def begin_anew(self) -> None:
        """It is to be told everything, from the beginning."""
        self.begins = True
        self.behind.clear()

    def take(self, most: int) -> list[Key]:
        """The next rows to tell; those that changed first come first."""
        taken = [key for key, _ in zip(self.behind, range(most), strict=False)]
        for key in taken:
            del self.behind[key]
        return taken


@dataclass(slots=True)
class _Known:
    """A slice as it was when pages were told last."""

    wanted: WantedSlice
    placed: Mapping[Host, list[Placement]]
    waits: list[Any] = field(default_factory=list)


class Feed:
    """Gathers what changes for all pages; it lives in the planner's event loop and only reads.

    Args:
        watched: what is seen, and how nodes are judged.
        ledger: what is wanted.
        rounds: what waits.
        clock: tells the time.

    Attributes:
        ended: the planner ends; nobody is told anything more.
    """

    def __init__(
        self, watched: Watched, ledger: Ledger, rounds: Rounds, clock: Callable[[], float]
    ) -> None:
        self._fleet = watched.fleet
        self._tracker = watched.tracker
        self._ledger = ledger
        self._rounds = rounds
        self._clock = clock
        self._pages: WeakSet[Viewed] = WeakSet()
        self._slices: dict[Slice, _Known] = {}
        self._rows: dict[Key, str] = {}
        self._bars: Bars = {}
        self._looked = self._seldom = float("-inf")
        self._round = -1
        self.ended = False

    def open(self) -> Viewed:
        """A page begins to look.

        Raises:
            Full: too many do.
        """
        if len(self._pages) >= PAGES:
            raise Full(f"{PAGES} pages look already", hint="close one")
        if not self._pages:
            self._fleet.changed.show(wanted=True)
            self._rows.clear()
            self._slices = {name: _known(one) for name, one in self._ledger.wanted.slices.items()}
            self._bars = bars_at(self._ledger.wanted.standings, self._clock())
        page = Viewed()
        self._pages.add(page)
        return page

    def close(self, page: Viewed) -> None:
        """It looks no more."""
        self._pages.discard(page)
        if not self._pages:
            self._fleet.changed.show(wanted=False)
            self._rows.clear()
            self._slices.clear()

    def end(self) -> None:
        """The planner ends."""
        self.ended = True

    def look(self) -> None:
        """Tell the pages which rows have changed since the last look, by whichever of them that was."""
        now = self._clock()
        if 0 <= now - self._looked < _LOOK_S:
            return
        self._looked = now
        keys = set(self._fleet.changed.take_shown()) | self._wanted_changed()
        if not 0 <= now - self._seldom < _SELDOM_S:
            self._seldom = now
            keys |= self._waits_changed() | self._bars_changed(now)
        if not keys:
            return
        for key in keys:
            self._rows.pop(key, None)
        for page in tuple(self._pages):
            page.note(keys)

    def keys(self, of: Collection[Slice] | None = None) -> list[Key]:
        """Of every row there is: slices, nodes, then slivers; or of those of some slices."""
        wanted = self._ledger.wanted.slices
        slices = list(wanted.values()) if of is None else [wanted[name] for name in of if name in wanted]
        found: list[Key] = [(NO_HOST, one.name) for one in slices]
        if of is None:
            found += [(host, NODE) for host in self._fleet.hosts]
        for one in slices:
            found += [(host, one.name) for host in hosts_of(one, self._fleet)]
        return found

    def row(self, key: Key) -> str:
        """A row as JSON; one that is not there any more is its key alone."""
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = json.dumps(self._row(key), separators=(",", ":"))
        return found

    def _row(self, key: Key) -> Any:
        host, name = key
        now = self._clock()
        if name == NODE:
            return self._node_row(host, now)
        known = self._slices.get(name)
        if known is None:
            return {"gone": list(key)}
        if host == NO_HOST:
            return {"slice": slice_row(known.wanted, self._fleet, self._rounds.waiting(name))}
        if not (host in known.wanted.hosts or host in known.wanted.retired or self._holds(name, host)):
            return {"gone": list(key)}
        row = sliver_row(known.wanted, self._fleet, host, known.placed.get(host, ()), now)
        return {"sliver": row}

    def _node_row(self, host: Host, now: float) -> Any:
        if host not in self._fleet.hosts:
            return {"gone": [host, NODE]}
        judgement = self._tracker.judgement(host)
        notes = self._tracker.evidence(host)
        judged = Judged(judgement.since, notes[-1].what if notes else "", self._bars.get(host))
        return {"node": node_row(self._fleet, host, judged, now)}

    def _holds(self, name: Slice, host: Host) -> bool:
        return host in self._fleet.holders(name)

    def _wanted_changed(self) -> set[Key]:
        """What people and rounds have changed; what they have not is the same object."""
        slices = self._ledger.wanted.slices
        keys: set[Key] = set()
        for name in self._slices.keys() - slices.keys():
            known = self._slices.pop(name)
            keys |= changed_keys(known.wanted, None, known.placed, {})
        for name, one in slices.items():
            before = self._slices.get(name)
            if before is not None and before.wanted is one:
                continue
            known = self._slices[name] = _known(one)
            if before is None:
                keys |= changed_keys(None, one, {}, known.placed)
            else:
                known.waits = before.waits
                keys |= changed_keys(before.wanted, one, before.placed, known.placed)
        return keys

    def _waits_changed(self) -> set[Key]:
        if self._round == self._rounds.count:
            return set()
        self._round = self._rounds.count
        keys: set[Key] = set()
        for name, known in self._slices.items():
            waits = slice_row(known.wanted, self._fleet, self._rounds.waiting(name))
            if waits != known.waits:
                known.waits = waits
                keys.add((NO_HOST, name))
        return keys

    def _bars_changed(self, now: float) -> set[Key]:
        before, self._bars = self._bars, bars_at(self._ledger.wanted.standings, now)
        hosts = before.keys() | self._bars.keys()
        return {(host, NODE) for host in hosts if before.get(host) != self._bars.get(host)}


def _known(one: WantedSlice) -> _Known:
    return _Known(one, by_host(one))
