"""Secrets of a slice: put, listed without their values, removed; a node gets one with its claim."""

from __future__ import annotations

from typing import Any

from planner.api import models
from planner.api.access import ChangeSlice, ReadSlice, TheCaller, ThePlanner
from planner.api.routing import router_at

router = router_at("/slices/{slice}/secrets", "secrets")
handing = router_at("/nodes/secret", "secrets")


@router.get("")
async def listed(slice_: ReadSlice, planner: ThePlanner) -> list[dict[str, Any]]:
    """Names, and who uses them."""
    return await planner.secrets.listed(slice_)


@router.put("/{name}")
async def put(
    slice_: ChangeSlice, name: str, body: models.NewSecret, caller: TheCaller, planner: ThePlanner
) -> dict[str, Any]:
    """Keep a content."""
    return await planner.secrets.put(slice_, name, body.value.get_secret_value(), caller.account)


@router.delete("/{name}")
async def remove(slice_: ChangeSlice, name: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Forget all of its contents."""
    await planner.secrets.remove(slice_, name, caller.account)
    return {"name": name, "deleted": True}


@handing.post("")
async def hand_out(body: models.SecretWanted, planner: ThePlanner) -> dict[str, Any]:
    """Tell a node a content; no login: its claim, and its key, speak for it."""
    return await planner.secrets.hand_out(body.model_dump())
