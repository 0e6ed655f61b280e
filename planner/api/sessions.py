"""Health, login, and what a caller needs to know of itself and of the bus."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import Request

from broker.bus import Link
from dsmt_core.errors import Unavailable
from dsmt_core.names import slice_name
from planner.api import models
from planner.api.access import TheCaller, ThePlanner, origin_of
from planner.api.routing import router_at
from planner.authority.rights import Right, check

router = router_at("", "sessions")


@router.get("/health")
async def health(planner: ThePlanner) -> dict[str, Any]:
    """Whether the planner can do its work; also for who is not logged in."""
    link, trouble = planner.bus.health.link, planner.rounds.trouble
    return {
        "status": "ok" if link is Link.CONNECTED and not trouble else "degraded",
        "broker": link,
        "rounds": planner.rounds.count,
        "trouble": trouble,
        "version": version("dsmt"),
        "planner_id": planner.id,
        "hints": planner.tracking.hints.state,
        "loop_lag_s": round(planner.lag.last, 4),
    }


@router.post("/login")
async def login(body: models.Login, request: Request, planner: ThePlanner) -> dict[str, Any]:
    """Exchange a password for a token."""
    session = await planner.gate.log_in(body.account, body.password, body.role or "", origin_of(request))
    return session.record()


@router.get("/whoami")
async def whoami(caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Who the token speaks for, and what the account holds: here, and at sites."""
    held = await planner.sites.account(caller.account)
    return {
        "account": caller.account,
        "role": caller.role,
        "slices": sorted(caller.slices),
        "everywhere": caller.everywhere,
        "roles": held["roles"],
        "site": held["site"],
        "site_roles": held["site_roles"],
        "token": caller.program,
    }


@router.get("/bus")
async def bus(caller: TheCaller, planner: ThePlanner, slice: str = "") -> dict[str, Any]:  # noqa: A002
    """With which URL a program connects to the event service: an operator's, or of a slice's members."""
    if slice:
        name = planner.ledger.slice(slice_name(slice)).name
        check(caller, Right.CHANGE_SLICE, name)
        return {"broker": await planner.roster.slice_url(name)}
    # Who connects as an operator hears all slices; where all share users, nobody can be told apart anyway.
    check(caller, Right.HEAR_ALL if planner.roster.keeps else Right.USE_BUS)
    if not planner.config.operator_broker:
        # Never the planner's own URL: who has it may give orders.
        raise Unavailable(
            "the planner was not told a broker URL for operators",
            hint="start it with --operator-broker or DSMT_OPERATOR_BROKER",
        )
    return {"broker": planner.config.operator_broker}
