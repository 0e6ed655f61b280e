"""Roll-outs of the applications of a slice: started, held, promoted, ended, shown."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends

from dsmt_core.errors import NotFound
from dsmt_core.names import application as application_name
from planner.api import models
from planner.api.access import ChangeSlice, ReadSlice, TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.release import Reconfiguration
from planner.rollout import policy
from planner.rollout.turns import Deed, Wish
from planner.service.rollouts import Start

router = router_at("/slices/{slice}/rollouts", "rollouts")


@router.get("")
async def listed(slice_: ReadSlice, planner: ThePlanner) -> list[dict[str, Any]]:
    """The latest roll-out of each application."""
    return planner.rollouts.all(slice_)


@router.get("/{application}")
async def shown(slice_: ReadSlice, application: str, planner: ThePlanner) -> dict[str, Any]:
    """The latest roll-out of one application, with its progress."""
    return planner.rollouts.one(slice_, application_name(application))


@router.get("/{application}/history")
async def history(slice_: ReadSlice, application: str, planner: ThePlanner) -> list[dict[str, Any]]:
    """The roll-outs of one application that are kept, the latest first."""
    return await planner.rollouts.history(slice_, application_name(application))


@router.post("/{application}")
async def start(
    slice_: ChangeSlice,
    application: str,
    caller: TheCaller,
    planner: ThePlanner,
    body: models.NewRollout | None = None,
) -> dict[str, Any]:
    """Start a roll-out, or with ``dry_run`` say which host would come in which wave."""
    asked = start_of(application, body or models.NewRollout())
    act = planner.rollouts.foresee if body is not None and body.dry_run else planner.rollouts.start
    return await act(slice_, asked, caller.account)


def start_of(application: str, body: models.NewRollout, wish: Reconfiguration | None = None) -> Start:
    """What is to be rolled out, as a body says it."""
    chosen = policy(
        body.waves,
        min_healthy_s=body.min_healthy_s,
        deadline_s=body.deadline_s,
        errors=body.errors,
        need=body.need,
    )
    return Start(application_name(application), body.version, chosen, wish, body.check_index)


def _deed(deed: str) -> Deed:
    if deed not in set(Deed):
        raise NotFound(f"a roll-out has no verb {deed[:40]!r}", hint=f"the verbs are {', '.join(Deed)}")
    return Deed(deed)


def _wish(caller: TheCaller, body: models.RolloutDeed | None = None) -> Wish:
    body = body or models.RolloutDeed()
    return Wish(by=caller.account, now=0.0, all_at_once=body.all, back=body.back)


@router.post("/{application}/{deed}")
async def do(
    slice_: ChangeSlice,
    application: str,
    planner: ThePlanner,
    deed: Annotated[Deed, Depends(_deed)],
    wish: Annotated[Wish, Depends(_wish)],
) -> dict[str, Any]:
    """Pause, resume, promote or abort."""
    return await planner.rollouts.do(slice_, application_name(application), deed, wish)
