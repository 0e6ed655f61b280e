"""Who belongs to a slice, what it is for."""

from __future__ import annotations

from typing import Any

from dsmt_core.names import account as account_name
from dsmt_core.names import slice_name
from planner.api import authority_models as models
from planner.api.access import ChangeSlice, TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.authority.rights import Right, check

router = router_at("/slices/{slice}", "slices")


@router.patch("")
async def change(slice_: ChangeSlice, body: models.SliceChange, planner: ThePlanner) -> dict[str, Any]:
    """Say what a slice is for."""
    await planner.slices.describe(slice_, body.description, body.url)
    return await planner.slices.show(slice_)


@router.post("/renewal")
async def renew(
    slice_: ChangeSlice, body: models.Renewal, caller: TheCaller, planner: ThePlanner
) -> dict[str, Any]:
    """Say how long the slice is wanted from now on; that it stays, who makes slices says."""
    if body.lasts_s is None:
        check(caller, Right.MAKE_SLICES, slice_)
    return await planner.expiry.renew(slice_, body.lasts_s)


@router.put("/members/{account}")
async def add(slice: str, account: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:  # noqa: A002
    """Have an account be a member; one that does not exist is made."""
    name = planner.ledger.slice(slice_name(slice)).name
    check(caller, Right.SAY_MEMBERS, name)
    return await planner.sites.set_member(name, account_name(account), member=True)


@router.delete("/members/{account}")
async def remove(slice: str, account: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:  # noqa: A002
    """Have an account be no member any more."""
    name = planner.ledger.slice(slice_name(slice)).name
    check(caller, Right.SAY_MEMBERS, name)
    return await planner.sites.set_member(name, account_name(account), member=False)
