"""How often the same is told: whoever knocks without end gets a few lines, not one for each try. Pure."""

from __future__ import annotations

from collections import OrderedDict


class Quiet:
    """Tells the first few of a kind, then one in a while with how many were left out. Memory is bounded.

    Args:
        free: how many are told at once.
        every_s: after them one in this time.
        limit: of kinds that are known; the one heard least recently is forgotten.
    """

    def __init__(self, *, free: int, every_s: float, limit: int = 4096) -> None:
        self._free = free
        self._every_s = every_s
        self._limit = limit
        # By kind: what is left of the free ones, when that was, and how many were left out since.
        self._known: OrderedDict[str, tuple[float, float, int]] = OrderedDict()

    def tell(self, kind: str, now: float) -> int | None:
        """Whether to tell this one: None for not; else how many were left out before it."""
        left, at, silent = self._known.pop(kind, (float(self._free), now, 0))
        left = min(float(self._free), left + max(0.0, now - at) / self._every_s)
        told = left >= 1
        self._known[kind] = (left - 1, now, 0) if told else (left, now, silent + 1)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        return silent if told else None
