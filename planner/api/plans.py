"""The named plans of a slice."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response

from dsmt_core.names import plan as plan_name
from planner.api import models
from planner.api.access import ChangeSlice, ReadSlice, TheCaller, ThePlanner
from planner.api.at_length import at_length
from planner.api.routing import router_at
from planner.plans import FUNCTIONS, written_function
from planner.wanted import Plan

router = router_at("/slices/{slice}/plans", "plans")


functions = router_at("/functions", "plans")


@functions.get("")
async def known(_: TheCaller) -> list[dict[str, Any]]:
    """The functions of which plans are made, with what they take."""
    return [written_function(one) for one in FUNCTIONS.values()]


@router.get("")
async def listed(slice_: ReadSlice, planner: ThePlanner) -> list[dict[str, Any]]:
    """The plans of the slice, and the functions that are plans too."""
    return planner.plans.all(slice_)


@router.post("/eval", response_model=dict[str, Any])
async def evaluate(slice_: ReadSlice, body: models.PlanChoice, planner: ThePlanner) -> Response:
    """What a plan would select now, and why."""
    return await at_length(planner.plans.evaluate(slice_, plan_name(body.plan), body.parameters))


@router.post("/explain")
async def explain(slice_: ReadSlice, body: models.PlanQuestion, planner: ThePlanner) -> dict[str, Any]:
    """Whether a plan has one node in or out now, and which function of which plan decided."""
    return planner.plans.explain(slice_, plan_name(body.plan), body.parameters, body.host)


@router.get("/{plan}")
async def shown(slice_: ReadSlice, plan: str, planner: ThePlanner) -> dict[str, Any]:
    """One plan."""
    return planner.plans.one(slice_, plan_name(plan))


@router.put("/{plan}")
async def put(
    slice_: ChangeSlice, plan: str, body: models.PlanChange, planner: ThePlanner
) -> dict[str, Any]:
    """Define a plan, or define it anew."""
    name = plan_name(plan)
    plan_ = Plan(name, body.base, body.parameters)
    motion = await planner.plans.define(slice_, plan_, index=body.check_index)
    return planner.plans.one(slice_, name) | {"motion": motion}


@router.post("/{plan}/preview", response_model=dict[str, Any])
async def preview(
    slice_: ReadSlice, plan: str, body: models.PlanDefinition, planner: ThePlanner
) -> Response:
    """What defining a plan so would set in motion; changes nothing."""
    plan_ = Plan(plan_name(plan), body.base, body.parameters)
    return await at_length(await planner.plans.preview(planner.plans.with_plan(slice_, plan_)))


@router.delete("/{plan}")
async def delete(slice_: ChangeSlice, plan: str, planner: ThePlanner) -> dict[str, Any]:
    """Delete a plan that nothing uses."""
    name = plan_name(plan)
    await planner.plans.remove(slice_, name)
    return {"name": name, "deleted": True}
