"""How an application of a slice is watched: shown, and changed."""

from __future__ import annotations

from typing import Any

from dsmt_core.names import application as application_name
from dsmt_core.watch import Watch
from planner.api import models
from planner.api.access import ChangeSlice, ReadSlice, ThePlanner
from planner.api.routing import router_at

router = router_at("/slices/{slice}/applications/{application}/watch", "applications")


@router.get("")
async def shown(slice_: ReadSlice, application: str, planner: ThePlanner) -> dict[str, Any]:
    """How it is checked, what a check counts, and when it is restarted."""
    return planner.applications.watch(slice_, application_name(application))


@router.put("")
async def put(
    slice_: ChangeSlice, application: str, body: models.WatchChoice, planner: ThePlanner
) -> dict[str, Any]:
    """Have it watched so; what is not named is as usual. Nothing is restarted."""
    watch = Watch.of(body.model_dump())
    return await planner.applications.set_watch(slice_, application_name(application), watch)
