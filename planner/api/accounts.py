"""Accounts: an admin makes them; everybody changes the own password."""

from __future__ import annotations

from typing import Any

from planner.api import models
from planner.api.access import TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.authority.rights import Right, check
from planner.store import accounts

router = router_at("/accounts", "accounts")


@router.get("")
async def listed(caller: TheCaller, planner: ThePlanner) -> list[dict[str, Any]]:
    """Every account."""
    check(caller, Right.MANAGE_ACCOUNTS)
    people = await planner.database.read(accounts.listed)
    return [
        {"account": one.account, "roles": list(one.roles), "has_password": bool(one.password_hash)}
        for one in people
    ]


@router.post("")
async def make(body: models.NewAccount, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Make an account."""
    check(caller, Right.MANAGE_ACCOUNTS)
    roles = [*body.roles, *filter(None, [body.role])]
    made = await planner.gate.add_account(body.account, body.password, roles)
    person = await planner.database.read(accounts.find, made)
    return {
        "account": made,
        "roles": list(person.roles) if person else [],
        "has_password": bool(body.password),
    }


@router.put("/{account}/password")
async def set_password(
    account: str, body: models.NewPassword, caller: TheCaller, planner: ThePlanner
) -> dict[str, Any]:
    """Set a password; every login of the account ends."""
    await planner.gate.change_password(caller, account, body.password, body.old_password)
    return {"account": account, "changed": True}
