"""Accounts: an admin makes them, or a pi at its site; everybody changes the own password."""

from __future__ import annotations

from typing import Any

from dsmt_core.names import account as account_name
from dsmt_core.names import site as site_name
from planner.api import authority_models, models
from planner.api.access import TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.authority.rights import Right, check, role
from planner.authority.sites import check_gives

router = router_at("/accounts", "accounts")


@router.get("")
async def listed(caller: TheCaller, planner: ThePlanner) -> list[dict[str, Any]]:
    """Every account, or those of the sites that the caller looks after."""
    if not caller.sites:
        check(caller, Right.MANAGE_ACCOUNTS)
    for site in caller.sites:
        check(caller, Right.MANAGE_ACCOUNTS, site=site)
    return await planner.sites.accounts(caller)


@router.post("")
async def make(body: authority_models.NewAccount, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Make an account."""
    site = None if body.site is None else site_name(body.site)
    roles = [role(one) for one in (*body.roles, *filter(None, [body.role]))]
    check(caller, Right.MANAGE_ACCOUNTS, site=site)
    if site is not None:
        check_gives(caller, site, roles)
    made = await planner.gate.add_account(body.account, body.password, roles, site)
    return await planner.sites.account(made)


@router.get("/{account}")
async def shown(account: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """One account: one's own, or one that the caller looks after."""
    name = account_name(account)
    if name == caller.account:
        return await planner.sites.account(name)
    if not caller.sites:
        check(caller, Right.MANAGE_ACCOUNTS)
    found = await planner.sites.account(name)
    check(caller, Right.MANAGE_ACCOUNTS, site=found["site"])
    return found


@router.delete("/{account}")
async def remove(account: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Remove an account; its logins end, and what it owned is the caller's."""
    if not caller.sites:
        check(caller, Right.MANAGE_ACCOUNTS)
    return await planner.sites.remove_account(caller, account_name(account))


@router.put("/{account}/roles")
async def set_roles(
    account: str, body: authority_models.RolesHeld, caller: TheCaller, planner: ThePlanner
) -> dict[str, Any]:
    """Say which roles an account has everywhere; at a site: ``PUT /v1/sites/SITE/people/ACCOUNT``."""
    check(caller, Right.MANAGE_ACCOUNTS)
    return await planner.sites.set_roles(account_name(account), [role(one) for one in body.roles])


@router.put("/{account}/password")
async def set_password(
    account: str, body: models.NewPassword, caller: TheCaller, planner: ThePlanner
) -> dict[str, Any]:
    """Set a password; every login of the account ends."""
    await planner.gate.change_password(caller, account, body.password, body.old_password)
    return {"account": account, "changed": True}
