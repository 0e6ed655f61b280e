"""Nodes: listed by everybody, invited and forgotten by an admin; a node joins with its token."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response

from dsmt_core.names import host as host_name
from dsmt_core.names import site as site_name
from planner.api import authority_models, models
from planner.api.access import TheCaller, ThePlanner
from planner.api.at_length import at_length
from planner.api.routing import router_at
from planner.authority.invitations import Asked
from planner.authority.rights import Right, check
from planner.service.join_request import JoinRequest

router = router_at("/nodes", "nodes")


@router.get("", response_model=list[dict[str, Any]])
async def listed(
    caller: TheCaller, planner: ThePlanner, where: str = "", *, failed: bool = False, names: bool = False
) -> Response:
    """Every node, or those of which a condition is true, or those that are not trusted; or their names."""
    check(caller, Right.LIST_NODES)
    if names:
        return await at_length([{"host": of} for of in planner.nodes.named(where, failed=failed)])
    return await at_length(await planner.nodes.shown(where, failed=failed))


@router.post("/invite")
async def invite(
    caller: TheCaller, planner: ThePlanner, body: authority_models.Invitation | None = None
) -> dict[str, Any]:
    """Make a token with which nodes may join."""
    asked = body or authority_models.Invitation()
    site = None if asked.site is None else site_name(asked.site)
    if asked.replaces:
        await planner.sites.check_nodes(caller, [host_name(asked.replaces)])
    else:
        check(caller, Right.MANAGE_NODES, site=site)
    wanted = Asked(
        lasts=asked.expires_in_s, site=site, uses=asked.uses, hosts=asked.hosts, replaces=asked.replaces
    )
    return await planner.nodes.entrance.invite(caller.account, wanted, planner.config.invitation)


@router.post("/join")
async def join(body: models.Join, planner: ThePlanner) -> dict[str, Any]:
    """Let a node in; no login: its token or its claim speaks for it."""
    asked = JoinRequest(
        host=body.host,
        # Behind it may stand the fingerprint of the authority.
        token=body.token.partition("@")[0],
        boot_id=body.boot_id,
        claim=body.claim,
        key=body.key,
        challenge=body.challenge,
        signature=body.signature,
        slivers_key=body.slivers_key,
        certificate=body.certificate,
    )
    return await planner.nodes.join(asked)


@router.get("/{host}")
async def shown(host: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """One node."""
    check(caller, Right.LIST_NODES)
    return planner.nodes.one(host) | {"of_site": await planner.sites.of_node(host_name(host))}


@router.patch("/{host}/labels")
async def label(host: str, body: models.Labels, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Label a node."""
    await planner.sites.check_nodes(caller, [host_name(host)])
    return {"host": host, "labels": await planner.nodes.label(host, body.labels)}


@router.delete("/{host}")
async def forget(host: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Forget a node."""
    await planner.sites.check_nodes(caller, [host_name(host)])
    await planner.nodes.forget(host)
    return {"host": host, "deleted": True}
