"""The limits of a slice's slivers."""

from __future__ import annotations

from typing import Any

from planner.api import models
from planner.api.access import GuardSlice, ReadSlice, ThePlanner
from planner.api.routing import router_at

router = router_at("/slices/{slice}/limits", "slices")


@router.get("")
async def shown(slice_: ReadSlice, planner: ThePlanner) -> dict[str, Any]:
    """The limits of the slivers of a slice, and what the nodes say that they enforce and that is used."""
    return planner.bounds.limits.shown(slice_)


@router.put("")
async def put(slice_: GuardSlice, body: models.SliverLimits, planner: ThePlanner) -> dict[str, Any]:
    """Set the limits that are named; ``0`` takes one away, the others stay."""
    return await planner.bounds.limits.put(slice_, body.model_dump(exclude_unset=True))
