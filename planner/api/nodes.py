"""Nodes: listed by everybody, invited and forgotten by an admin; a node joins with its token."""

from __future__ import annotations

from typing import Any

from planner.api import models
from planner.api.access import TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.authority.rights import Right, check
from planner.service.join_request import JoinRequest

router = router_at("/nodes", "nodes")


@router.get("")
async def listed(
    caller: TheCaller, planner: ThePlanner, where: str = "", *, failed: bool = False
) -> list[dict[str, Any]]:
    """Every node, or those of which a condition is true, or those that are not trusted."""
    check(caller, Right.LIST_NODES)
    return planner.nodes.shown(where, failed=failed)


@router.post("/invite")
async def invite(
    caller: TheCaller, planner: ThePlanner, body: models.Invitation | None = None
) -> dict[str, Any]:
    """Make a token with which nodes may join."""
    check(caller, Right.MANAGE_NODES)
    token, expires_at = await planner.nodes.invite(caller.account, body.expires_in_s if body else None)
    return {"token": token, "expires_at": expires_at}


@router.post("/join")
async def join(body: models.Join, planner: ThePlanner) -> dict[str, Any]:
    """Let a node in; no login: its token or its claim speaks for it."""
    asked = JoinRequest(host=body.host, token=body.token, boot_id=body.boot_id, claim=body.claim)
    return await planner.nodes.join(asked)


@router.get("/{host}")
async def shown(host: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """One node."""
    check(caller, Right.LIST_NODES)
    return planner.nodes.one(host)


@router.patch("/{host}/labels")
async def label(host: str, body: models.Labels, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Label a node."""
    check(caller, Right.MANAGE_NODES)
    return {"host": host, "labels": await planner.nodes.label(host, body.labels)}


@router.delete("/{host}")
async def forget(host: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Forget a node."""
    check(caller, Right.MANAGE_NODES)
    await planner.nodes.forget(host)
    return {"host": host, "deleted": True}
