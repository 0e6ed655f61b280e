"""The room of a slice in the depot."""

from __future__ import annotations

from typing import Any

from planner.api import models
from planner.api.access import ChangeSlice, ReadSlice, TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.authority.rights import Right, check

router = router_at("/slices/{slice}/depot", "packages")


@router.get("")
async def shown(slice_: ReadSlice, planner: ThePlanner) -> dict[str, Any]:
    """How much the slice keeps, and may keep."""
    return await planner.depots.quotas.shown(slice_)


@router.put("")
async def give(
    slice_: ReadSlice, caller: TheCaller, planner: ThePlanner, body: models.Quota
) -> dict[str, Any]:
    """Say how much the slice may keep."""
    check(caller, Right.GIVE_ROOM, slice_)
    return await planner.depots.quotas.give(slice_, body.bytes)


@router.get("/uploads/{digest}")
async def received(slice_: ChangeSlice, digest: str, planner: ThePlanner) -> dict[str, Any]:
    """How many bytes came of an upload that broke off."""
    return {"digest": digest, "received": await planner.packages.received(slice_, digest)}
