"""What people want of a slice that decides where it is, in one form only.

A round compares it with what was carried out last: is it another one, people have changed something, and
what that takes away need not be held back. What cannot take an instance away (versions, verbs, the agent,
the budget, a plan that nothing in force is made of) is left out: a restart is no word about who may go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from dsmt_core.names import Slice
from planner.plans import below
from planner.wanted import WantedSlice

_DIGITS: Final = 32


class Asked:
    """The digests of the last round: what is the very same object needs no new one."""

    def __init__(self) -> None:
        self._known: dict[Slice, tuple[WantedSlice, str]] = {}

    def of(self, slice_: WantedSlice) -> str:
        """The digest of what people want of a slice."""
        known = self._known.get(slice_.name)
        digest = known[1] if known is not None and _is_same(known[0], slice_) else asked_of(slice_)
        # The slice as it is now: an older one would keep all its hosts and placements alive.
        self._known[slice_.name] = slice_, digest
        return digest

    def forget(self, slice_: Slice) -> None:
        """The slice is not there any more."""
        self._known.pop(slice_, None)


def _is_same(one: WantedSlice, other: WantedSlice) -> bool:
    same = one.plans is other.plans and one.plan_parameters is other.plan_parameters
    return same and (one.plan, one.managed) == (other.plan, other.managed)


def asked_of(slice_: WantedSlice) -> str:
    """A digest of what people want."""
    names = below(slice_.plan, slice_.plan_parameters, slice_.plans)
    plans = sorted((name, slice_.plans[name].base, _pairs(slice_.plans[name].parameters)) for name in names)
    asked = slice_.managed, slice_.plan, _pairs(slice_.plan_parameters), plans
    return hashlib.sha256(repr(asked).encode()).hexdigest()[:_DIGITS]


def _pairs(parameters: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(parameters.items())
