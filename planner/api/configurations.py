"""The configuration of an application of a slice: shown, and changed by a roll-out."""

from __future__ import annotations

from typing import Any

from dsmt_core.names import application as application_name
from dsmt_core.templates import with_templates
from planner.api import models
from planner.api.access import ChangeSlice, ReadSlice, TheCaller, ThePlanner
from planner.api.rollouts import start_of
from planner.api.routing import router_at
from planner.release import Reconfiguration

router = router_at("/slices/{slice}/applications/{application}/configuration", "applications")


@router.get("")
async def shown(slice_: ReadSlice, application: str, planner: ThePlanner) -> dict[str, Any]:
    """The configuration, and the one that is being rolled out."""
    return planner.rollouts.configured(slice_, application_name(application))


@router.post("")
async def change(
    slice_: ChangeSlice,
    application: str,
    caller: TheCaller,
    planner: ThePlanner,
    body: models.NewConfiguration,
) -> dict[str, Any]:
    """Roll out another configuration, or with ``dry_run`` say which host would get it in which wave."""
    values = await planner.secrets.values(slice_, body.values, body.secrets)
    values = with_templates(values, body.templates)
    wish = Reconfiguration(values=values, unset=tuple(body.unset), whole=body.whole)
    asked = start_of(application, body, wish)
    act = planner.rollouts.foresee if body.dry_run else planner.rollouts.configure
    return await act(slice_, asked, caller.account)
