"""What is held back and why, as the last rounds said: each replaces what it looked at, the rest stands."""

from __future__ import annotations

from dsmt_core.names import Host, Slice
from planner.steps import Round, Waiting


class HeldBack:
    """What waits, by slice and host."""

    def __init__(self) -> None:
        self._waiting: dict[Slice, dict[Host, list[Waiting]]] = {}

    def take(self, round_: Round) -> None:
        """Take over what a round says."""
        for slice_ in round_.looked_at:
            if slice_ in round_.partly:
                for host in round_.partly[slice_]:
                    self._waiting.get(slice_, {}).pop(host, None)
            else:
                self._waiting.pop(slice_, None)
        for one in round_.waiting:
            self._waiting.setdefault(one.slice, {}).setdefault(one.host, []).append(one)

    def of(self, slice_: Slice) -> tuple[Waiting, ...]:
        """What waits of a slice: what is about all of it first, then by host."""
        told = self._waiting.get(slice_, {})
        return tuple(one for host in sorted(told) for one in told[host])
