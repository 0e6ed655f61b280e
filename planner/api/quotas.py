"""What a slice may use, and uses."""

from __future__ import annotations

from typing import Any

from planner.api import authority_models as models
from planner.api.access import ReadSlice, TheCaller, ThePlanner
from planner.api.routing import router_at

router = router_at("/slices/{slice}/quota", "slices")


@router.get("")
async def shown(slice_: ReadSlice, planner: ThePlanner) -> dict[str, Any]:
    """The bounds of a slice, its own and those of its site, with what is used of them."""
    return await planner.bounds.allowances.of_slice(slice_)


@router.put("")
async def give(
    slice_: ReadSlice, body: models.QuotaGiven, caller: TheCaller, planner: ThePlanner
) -> dict[str, Any]:
    """Say what the slice may use; nothing that runs is stopped."""
    return await planner.bounds.allowances.give_slice(caller, slice_, body.given)


@router.post("/preview")
async def preview(slice_: ReadSlice, body: models.QuotaGiven, planner: ThePlanner) -> dict[str, Any]:
    """What would wait with such a quota; changes nothing."""
    return await planner.bounds.allowances.preview_slice(slice_, body.given)
