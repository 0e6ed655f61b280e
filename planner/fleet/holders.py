"""Who holds what, by slice: so that a round over one slice need not look at every node."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from dsmt_core.names import Host, Slice

_NOBODY: Final[frozenset[Host]] = frozenset()


class Holders:
    """The slivers that nodes say they hold, by slice and by host."""

    def __init__(self) -> None:
        self._hosts: dict[Slice, set[Host]] = {}
        self._slices: dict[Host, frozenset[Slice]] = {}

    def hosts(self, slice_: Slice) -> AbstractSet[Host]:
        """The nodes that hold a sliver of this slice; to be read at once, for it changes."""
        return self._hosts.get(slice_, _NOBODY)

    def slices(self) -> frozenset[Slice]:
        """The slices of which some node holds a sliver."""
        return frozenset(self._hosts)

    def put(self, host: Host, held: Iterable[Slice]) -> frozenset[Slice]:
        """All that a node holds now; the answer is what it held before and does not any more."""
        after = frozenset(held)
        before = self._slices.pop(host, frozenset())
        if after:
            self._slices[host] = after
        for slice_ in before - after:
            self._hosts[slice_].discard(host)
            if not self._hosts[slice_]:
                del self._hosts[slice_]
        for slice_ in after - before:
            self._hosts.setdefault(slice_, set()).add(host)
        return before - after
