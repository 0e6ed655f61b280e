"""Slices: made, managed, shown, deleted; their agent, their plan in force, their status."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response

from dsmt_core.names import DEFAULT_AGENT, Slice, account, plan, slice_name
from planner.api import authority_models, models
from planner.api.access import ChangeSlice, ReadSlice, TheCaller, ThePlanner
from planner.api.at_length import at_length
from planner.api.routing import router_at
from planner.authority.rights import Right, check, may
from planner.expiry import end_of
from planner.service.how import how
from planner.store import slices as store
from planner.wanted import NO_PLAN

router = router_at("/slices", "slices")
one = router_at("/slices/{slice}", "slices")


@router.post("")
async def make(body: authority_models.NewSlice, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Make a slice and manage it."""
    name = slice_name(body.slice)
    site = await planner.sites.for_slice(name)
    check(caller, Right.MAKE_SLICES, site=site)
    new = store.NewSlice(
        slice=name,
        owner=account(body.user or caller.account),
        members=tuple(map(account, body.members)),
        agent=body.agent or DEFAULT_AGENT,
        agent_parameters=body.agent_parameters,
        plan=plan(body.plan) if body.plan else NO_PLAN,
        plan_parameters=body.plan_parameters,
        managed=body.managed,
        description=body.description,
        url=body.url,
        expires_at=end_of(body.lasts_s, planner.clock()),
    )
    made = await planner.slices.make(new, site)
    return await planner.slices.show(new.slice) | {"accounts_made": list(made)}


@router.get("")
async def listed(caller: TheCaller, planner: ThePlanner) -> list[dict[str, Any]]:
    """The slices that the caller may look into."""
    names = sorted(planner.ledger.wanted.slices)
    return [await planner.slices.show(name) for name in names if may(caller, Right.READ_SLICE, name)]


@one.get("")
async def shown(slice_: ReadSlice, planner: ThePlanner) -> dict[str, Any]:
    """One slice."""
    return await planner.slices.show(slice_)


@one.delete("")
async def delete(slice: str, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:  # noqa: A002
    """Delete a slice, with all that runs in it."""
    name = slice_name(slice)
    check(caller, Right.MAKE_SLICES, name)
    packages = await planner.packages.listed(name)
    await planner.slices.remove(name)
    await planner.packages.sweep(packages)
    return {"slice": name, "deleted": True}


@one.post("/manage")
async def manage(slice_: ChangeSlice, planner: ThePlanner) -> dict[str, Any]:
    """Put a slice under management; a managed one stays so."""
    return await _set_managed(planner, slice_, managed=True)


@one.delete("/manage")
async def unmanage(slice_: ChangeSlice, planner: ThePlanner) -> dict[str, Any]:
    """Leave a slice alone: what runs goes on, and no order is sent."""
    return await _set_managed(planner, slice_, managed=False)


@one.put("/agent")
async def set_agent(
    slice_: ChangeSlice, caller: TheCaller, body: models.AgentChoice, planner: ThePlanner
) -> dict[str, Any]:
    """Choose the installation agent."""
    if body.agent != DEFAULT_AGENT:
        check(caller, Right.BRING_AGENTS)
    await planner.slices.set_agent(slice_, body.agent, body.parameters)
    return await planner.slices.show(slice_)


@one.put("/plan")
async def set_plan(slice_: ChangeSlice, body: models.PlanInForce, planner: ThePlanner) -> dict[str, Any]:
    """Put a plan in force."""
    index = body.check_index
    motion = await planner.plans.put_in_force(slice_, plan(body.plan), body.parameters, index=index)
    return await planner.slices.show(slice_) | {"motion": motion}


@one.post("/plan/preview", response_model=dict[str, Any])
async def preview(slice_: ReadSlice, body: models.PlanChoice, planner: ThePlanner) -> Response:
    """What putting a plan in force would set in motion; changes nothing."""
    changed = planner.plans.with_in_force(slice_, plan(body.plan), body.parameters)
    return await at_length(await planner.plans.preview(changed))


@one.get("/status", response_model=dict[str, Any])
async def status(slice_: ReadSlice, planner: ThePlanner) -> Response:
    """How it is, host by host."""
    return await at_length(await how(planner, slice_))


async def _set_managed(planner: ThePlanner, slice_: Slice, *, managed: bool) -> dict[str, Any]:
    changed = await planner.slices.set_managed(slice_, managed=managed)
    return {"slice": slice_, "managed": managed, "changed": changed}
