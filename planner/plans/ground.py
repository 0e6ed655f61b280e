"""What plans look at that changes seldom: the hosts, their sites, coordinates and facts, as columns.

A fact is text, as a node or a label tells it; where a number is asked for, text that is none is unknown.
Unknown is not false: it is null in a column of texts, and not a number (NaN) in one of numbers. A column is
made when it is asked for first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from dsmt_core.names import Host
from planner.plans.lots import Lots, bases

if TYPE_CHECKING:
    import polars as pl

    from planner.plans.memory import Answer

HOST: Final = "host"
SITE: Final = "site"
# The names under which a place on earth is told, in degrees.
_LATITUDE: Final = ("latitude", "lat")
_LONGITUDE: Final = ("longitude", "lon")

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Texts = Sequence[str | None]


class Ground:
    """The hosts, sorted by name; a row's number is a host's place in every column.

    Args:
        hosts: their names, sorted.
        names: the facts that some host has told.
        told: gives the column of one of them.

    Attributes:
        memory: what plans selected of these hosts last (`planner.plans.memory`).
    """

    def __init__(self, hosts: Sequence[Host], names: Iterable[str], told: Callable[[str], Texts]) -> None:
        self.hosts = hosts
        self.told = frozenset(names) - {HOST}
        self._told = told
        self._texts: dict[str, Texts] = {HOST: hosts}
        self._numbers: dict[str, Numbers] = {}
        self._codes: dict[str, Codes] = {}
        self._series: dict[str, pl.Series] = {}
        self.memory: dict[object, Answer] = {}

    @classmethod
    def of(cls, facts: Mapping[Host, Mapping[str, str]], *, also: Iterable[str] = ()) -> Ground:
        """The ground of these hosts, each with its facts; ``also``: facts that may be unknown of all."""
        hosts = sorted(facts)
        names = {name for told in facts.values() for name in told}.union(also)
        return cls(hosts, names, lambda name: [facts[host].get(name) for host in hosts])

    def __len__(self) -> int:
        return len(self.hosts)

    @property
    def names(self) -> frozenset[str]:
        """What can be asked for: the facts that some host has told, and what is known of every host."""
        return self.told | {HOST, SITE}

    @cached_property
    def rows(self) -> Mapping[Host, int]:
        """Where each host stands."""
        return {host: row for row, host in enumerate(self.hosts)}

    @cached_property
    def bases(self) -> Lots:
        """What each host brings to its lots."""
        return bases(self.hosts)

    @cached_property
    def places(self) -> tuple[Numbers, Numbers, Numbers]:
        """Each host's place on earth, as a vector of length 1; not a number where it is not told."""
        lat, lon = (np.radians(self._first(names)) for names in (_LATITUDE, _LONGITUDE))
        return np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)

    def texts(self, name: str) -> Texts:
        """A fact of every host as text, or None; the site is a fact, or else the domain in the name."""
        if name not in self._texts:
            told: Texts = self._told(name) if name in self.told else [None] * len(self)
            if name == SITE:
                told = [
                    site_of(host) if site is None else site
                    for site, host in zip(told, self.hosts, strict=True)
                ]
            self._texts[name] = told
        return self._texts[name]

    def series(self, name: str) -> pl.Series:
        """The same as a column that an engine computes with."""
        import polars as pl  # noqa: PLC0415 - only who has a condition loads the engine

        if name not in self._series:
            self._series[name] = pl.Series(self.texts(name), dtype=pl.String)
        return self._series[name]

    def numbers(self, name: str) -> Numbers:
        """A fact of every host as a number."""
        if name not in self._numbers:
            self._numbers[name] = np.array(list(map(_number, self.texts(name))))
        return self._numbers[name]

    def codes(self, name: str) -> Codes:
        """A number for each value of a fact, the same for the same text."""
        if name not in self._codes:
            known: dict[str | None, int] = {}
            codes = [known.setdefault(text, len(known)) for text in self.texts(name)]
            self._codes[name] = np.array(codes, dtype=np.int32)
        return self._codes[name]

    def mask(self, hosts: Iterable[Host]) -> Mask:
        """A column that is true for these hosts; those that are not known are passed over."""
        return self.mask_of([self.rows[host] for host in hosts if host in self.rows])

    def those(self, mask: Mask) -> list[Host]:
        """The hosts for which a column is true, sorted by name."""
        return [self.hosts[row] for row in mask.nonzero()[0].tolist()]

    def mask_of(self, rows: Rows | list[int]) -> Mask:
        """A column that is true in these rows."""
        mask = np.zeros(len(self), dtype=np.bool_)
        mask[rows] = True
        return mask

    def only(self, row: int) -> Ground:
        """The ground of one host."""
        return Ground(self.hosts[row : row + 1], self.told, lambda name: self.texts(name)[row : row + 1])

    def with_hosts(self, hosts: Iterable[Host]) -> Ground:
        """The same with further hosts, of which nothing is known."""
        every = sorted({*self.hosts, *hosts})
        rows = [self.rows.get(host) for host in every]

        def told(name: str) -> Texts:
            texts = self.texts(name)
            return [None if row is None else texts[row] for row in rows]

        return Ground(every, self.told, told)

    def with_texts(self, name: str, known: Mapping[Host, str], otherwise: str) -> Ground:
        """The same with a further fact, which is ``otherwise`` where it is not named."""
        texts = [known.get(host, otherwise) for host in self.hosts]
        return Ground(self.hosts, {*self.told, name}, lambda of: texts if of == name else self.texts(of))

    def _first(self, names: Iterable[str]) -> Numbers:
        found = np.full(len(self), np.nan)
        for name in names:
            found = np.where(np.isnan(found), self.numbers(name), found)
        return found


def site_of(host: Host) -> str:
    """The site that a host's name tells: its domain; a name without a domain tells none."""
    return host.partition(".")[2]


def _number(text: str | None) -> float:
    if text is None:
        return math.nan
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan
