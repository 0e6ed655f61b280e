"""What is wrong with the installation, for who may list its nodes."""

from __future__ import annotations

from typing import Any

from planner.api.access import TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.authority.rights import Right, check
from planner.service.checkup import checkup

router = router_at("/checkup", "health")


@router.get("")
async def shown(caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Everything that was looked at: ``what``, ``state`` (well, doubt, ill), ``said``, ``todo``."""
    check(caller, Right.LIST_NODES)
    return {"findings": await checkup(planner), "now": planner.clock()}
