"""The guard rails of slices."""

from __future__ import annotations

from typing import Any

from dsmt_core.guards import Guard
from planner.api import models
from planner.api.access import GuardSlice, ReadSlice, ThePlanner
from planner.api.routing import router_at

router = router_at("/slices/{slice}/guard", "slices")


@router.get("")
async def shown(slice_: ReadSlice, planner: ThePlanner) -> dict[str, Any]:
    """The guard rails of a slice, and how many hosts it asks for now."""
    return planner.guards.shown(slice_)


@router.put("")
async def put(slice_: GuardSlice, body: models.GuardRails, planner: ThePlanner) -> dict[str, Any]:
    """Set the guard rails; all zero takes them away."""
    return await planner.guards.put(slice_, Guard(**body.model_dump()))
