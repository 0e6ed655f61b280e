"""What waits for people to agree, and that they do."""

from __future__ import annotations

from typing import Any

from planner.api import models
from planner.api.access import ChangeSlice, ReadSlice, TheCaller, ThePlanner
from planner.api.routing import router_at

router = router_at("/slices/{slice}/agreement", "slices")


@router.get("")
async def held(slice_: ReadSlice, planner: ThePlanner) -> dict[str, Any]:
    """Which hosts the planner would take away, and does not before people agree."""
    return planner.agreements.held(slice_)


@router.post("")
async def agree(
    slice_: ChangeSlice, body: models.Agreement, caller: TheCaller, planner: ThePlanner
) -> dict[str, Any]:
    """Let go what waits, if it is what the index stands for."""
    return await planner.agreements.agree(slice_, body.index, caller.account)
