"""Whose packages a slice takes, and signatures of packages."""

from __future__ import annotations

from typing import Any

from planner.api import authority_models
from planner.api.access import ChangeSlice, ReadSlice, TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.authority.rights import Right, check

router = router_at("/slices/{slice}/publishers", "packages")
signatures = router_at("/slices/{slice}/packages/{filename}/signature", "packages")


@router.get("")
async def shown(slice_: ReadSlice, planner: ThePlanner) -> dict[str, Any]:
    """Whose packages the slice takes, and what of it is not signed by them."""
    return await planner.depots.publishers.shown(slice_)


@router.put("/{name}")
async def add(
    slice_: ReadSlice,
    name: str,
    body: authority_models.PublisherKey,
    caller: TheCaller,
    planner: ThePlanner,
) -> dict[str, Any]:
    """Take packages of a publisher, and none from now on that no publisher has signed."""
    check(caller, Right.SAY_PUBLISHERS, slice_)
    return await planner.depots.publishers.add(slice_, name, body.key)


@router.delete("/{name}")
async def remove(slice_: ReadSlice, name: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Take no new packages of a publisher; what runs goes on."""
    check(caller, Right.SAY_PUBLISHERS, slice_)
    return await planner.depots.publishers.remove(slice_, name)


@router.delete("")
async def open_(slice_: ReadSlice, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Take any package again, signed or not."""
    check(caller, Right.SAY_PUBLISHERS, slice_)
    return await planner.depots.publishers.open(slice_)


@signatures.put("")
async def sign(
    slice_: ChangeSlice,
    filename: str,
    body: authority_models.Signature,
    caller: TheCaller,
    planner: ThePlanner,
) -> dict[str, Any]:
    """Keep a signature of a package that is in the depot."""
    return await planner.depots.publishers.sign(slice_, filename, body.signature, caller.account)
