"""The status of a slice for people: what is wanted, what is seen, and why they differ."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from planner.fleet import Fleet
from planner.steps import Waiting
from planner.wanted import WantedSlice


def summary(
    wanted: WantedSlice, seen: Fleet, *, now: float, waiting: Iterable[Waiting] = ()
) -> dict[str, Any]:
    """The answer to ``GET /v1/slices/S/status`` (docs/reference/protocol.md §4), as plain JSON.

    Args:
        wanted: the slice.
        seen: what is seen.
        now: seconds of the clock of ``seen``.
        waiting: what the last round about the slice held back; of other slices is left out.
    """
    return {}
