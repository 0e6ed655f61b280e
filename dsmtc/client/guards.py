"""What can be asked of the planner about the guard rails of a slice."""

from __future__ import annotations

from dataclasses import asdict
from typing import TypedDict

from dsmt_core.guards import Guard
from dsmtc.client.caller import Caller
from dsmtc.client.paths import of_slice


class GuardShown(TypedDict):
    """The guard rails of a slice; 0 bounds nothing.

    Attributes:
        changed_at: when the count was changed last under them, seconds since the epoch; 0: never.
        asks: how many hosts the slice asks for now.
    """

    slice: str
    least: int
    most: int
    step: int
    cool_down_s: float
    changed_at: float
    asks: int


class Guards(Caller):
    """How many hosts a slice may ask for, and how fast that may change."""

    def guard(self, slice_: str) -> GuardShown:
        """The guard rails of a slice."""
        return self.call("GET", of_slice(slice_, "guard"), shape=GuardShown)

    def set_guard(self, slice_: str, guard: Guard) -> GuardShown:
        """Set them (pi, admin); `Guard()` takes them away."""
        return self.call("PUT", of_slice(slice_, "guard"), asdict(guard), shape=GuardShown)
