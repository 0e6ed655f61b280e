"""What it costs to have two nodes in groups that ask something of them together.

Latency is not measured: it is the least that light in glass takes there and back, 100 km a millisecond, by
the great circle between the places that the nodes tell.
"""

from __future__ import annotations

from math import inf
from typing import Final

import numpy as np

from planner.plans.ground import Codes, Ground, Mask, Numbers, Rows
from planner.plans.sword.query import MEASURED, Pair, PairKind

# Of a sphere as great as the earth (IUGG mean radius R1), in km.
_EARTH_KM: Final = 6371.0088
# Light in glass goes 200 km a millisecond, and has to come back.
KM_PER_MS: Final = 100.0
_ALL: Final = slice(None)


class Pairs:
    """The penalties of pairs among some rows of a ground.

    Args:
        ground: the hosts.
        rows: those that are looked at; a place is a position in them.
        members: of the same rows. Two nodes of the slice of which something is not known may stay together.
    """

    def __init__(self, ground: Ground, rows: Rows, members: Mask) -> None:
        self._ground = ground
        self._rows = rows
        self._members = members
        self._known: dict[str, tuple[Codes, Mask]] = {}
        self._places = np.stack([axis[rows] for axis in ground.places])

    def costs(self, pair: Pair, place: int, among: Rows | slice = _ALL) -> Numbers:
        """The penalty of the node at ``place`` together with each: infinite where they may not be.

        Args:
            pair: what is asked for.
            place: of the one.
            among: of the others.
        """
        if pair.kind in MEASURED and pair.range is not None:
            costs = pair.range.costs(self._measured(pair.kind, place, among))
            unknown = np.isnan(costs)
        else:
            codes, known = self._codes(pair.fact)
            alike = codes[among] == codes[place]
            costs = np.where(alike if pair.kind is PairKind.SAME else ~alike, 0.0, inf)
            unknown = ~(known[among] & known[place])
        stays = self._members[among] & self._members[place]
        return np.where(unknown, np.where(stays, 0.0, inf), costs)

    def _measured(self, kind: PairKind, place: int, among: Rows | slice) -> Numbers:
        cosine = self._places[:, place] @ self._places[:, among]
        km: Numbers = _EARTH_KM * np.arccos(np.clip(cosine, -1.0, 1.0))
        return km / KM_PER_MS if kind is PairKind.LATENCY else km

    def _codes(self, fact: str) -> tuple[Codes, Mask]:
        """A number for each value of a fact, and where there is one; made once for each fact."""
        if fact not in self._known:
            codes, texts = self._ground.codes(fact), self._ground.texts(fact)
            nobody = codes[texts.index(None)] if None in texts else -1
            here = codes[self._rows]
            self._known[fact] = here, here != nobody
        return self._known[fact]
