"""Facts: the sources of them besides nodes and labels, and which there are to choose by."""

from __future__ import annotations

from typing import Any

from planner.api.access import TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.authority.rights import Right, check

router = router_at("/facts", "facts")


@router.get("")
async def shown(caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """The sources of facts with their trouble, and the names of all facts."""
    check(caller, Right.LIST_NODES)
    return planner.facts.shown()
