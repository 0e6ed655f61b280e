"""Sites: made by an admin; who has which role there, and which nodes are theirs."""

from __future__ import annotations

from typing import Any

from dsmt_core.names import account as account_name
from dsmt_core.names import host as host_name
from dsmt_core.names import site as site_name
from planner.api import authority_models as models
from planner.api.access import TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.authority.rights import Right, check, role

router = router_at("/sites", "sites")


@router.get("")
async def listed(caller: TheCaller, planner: ThePlanner) -> list[dict[str, Any]]:
    """Every site."""
    check(caller, Right.LIST_NODES)
    return await planner.sites.listed()


@router.post("")
async def make(body: models.NewSite, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Make a site."""
    check(caller, Right.MANAGE_SITES)
    return await planner.sites.make(site_name(body.site), body.description)


@router.get("/{site}")
async def shown(site: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """One site with its people."""
    name = site_name(site)
    check(caller, Right.MANAGE_SITE, site=name)
    return await planner.sites.shown(name)


@router.patch("/{site}")
async def change(
    site: str, body: models.SiteChange, caller: TheCaller, planner: ThePlanner
) -> dict[str, Any]:
    """Say what a site is."""
    check(caller, Right.MANAGE_SITES)
    return await planner.sites.describe(site_name(site), body.description)


@router.delete("/{site}")
async def delete(site: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Delete a site to which no slice and no node belongs."""
    check(caller, Right.MANAGE_SITES)
    name = site_name(site)
    await planner.sites.remove(name)
    return {"site": name, "deleted": True}


@router.get("/{site}/quota")
async def quota(site: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """What the slices of the site may use, and use."""
    name = site_name(site)
    check(caller, Right.MANAGE_SITE, site=name)
    return await planner.bounds.allowances.of_site(name)


@router.put("/{site}/quota")
async def set_quota(
    site: str, body: models.SiteQuota, caller: TheCaller, planner: ThePlanner
) -> dict[str, Any]:
    """Say how much each slice of the site may use, and all of them together."""
    check(caller, Right.GIVE_QUOTA)
    name = site_name(site)
    given = await planner.bounds.allowances.give_site(name, body.of_each, body.together.given)
    return await planner.sites.shown(name) | given


@router.post("/{site}/quota/preview")
async def preview_quota(
    site: str, body: models.SiteQuota, caller: TheCaller, planner: ThePlanner
) -> dict[str, Any]:
    """What would wait with such a quota; changes nothing."""
    name = site_name(site)
    check(caller, Right.MANAGE_SITE, site=name)
    return await planner.bounds.allowances.preview_site(name, body.of_each, body.together.given)


@router.put("/{site}/people/{account}")
async def give_roles(
    site: str, account: str, body: models.RolesHeld, caller: TheCaller, planner: ThePlanner
) -> dict[str, Any]:
    """Say which roles an account has at the site."""
    name, roles = site_name(site), [role(one) for one in body.roles]
    check(caller, Right.MANAGE_SITE, site=name)
    return await planner.sites.give_roles(caller, name, account_name(account), roles)


@router.delete("/{site}/people/{account}")
async def take_roles(site: str, account: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Take every role at the site from an account."""
    name = site_name(site)
    check(caller, Right.MANAGE_SITE, site=name)
    return await planner.sites.give_roles(caller, name, account_name(account), [])


@router.put("/{site}/nodes/{host}")
async def move_node(site: str, host: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Have a node belong to the site."""
    return await planner.sites.move_node(caller, host_name(host), site_name(site))
