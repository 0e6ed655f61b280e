"""What people want of a slice that decides where it is, in one form only.

A round compares it with what was carried out last: is it another one, people have changed something, and
what that takes away need not be held back. What cannot take an instance away (versions, verbs, the agent,
the budget, a plan that nothing in force is made of) is left out: a restart is no word about who may go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from planner.plans import below
from planner.wanted import WantedSlice

_DIGITS: Final = 32


def asked_of(slice_: WantedSlice) -> str:
    """A digest of what people want."""
    names = below(slice_.plan, slice_.plan_parameters, slice_.plans)
    plans = sorted((name, slice_.plans[name].base, _pairs(slice_.plans[name].parameters)) for name in names)
    asked = slice_.managed, slice_.plan, _pairs(slice_.plan_parameters), plans
    return hashlib.sha256(repr(asked).encode()).hexdigest()[:_DIGITS]


def _pairs(parameters: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(parameters.items())
