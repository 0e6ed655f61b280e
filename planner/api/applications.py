"""What is asked of an application of a slice: start, stop, restart, update, uninstall."""

from __future__ import annotations

from typing import Any

from dsmt_core.names import application as application_name
from dsmt_core.names import host
from planner.api import models
from planner.api.access import ChangeSlice, ThePlanner
from planner.api.routing import router_at
from planner.service.applications import Asked, verb_of

router = router_at("/slices/{slice}/applications", "applications")


@router.post("/{application}/{verb}")
async def ask(
    slice_: ChangeSlice,
    application: str,
    verb: str,
    planner: ThePlanner,
    body: models.Verb | None = None,
) -> dict[str, Any]:
    """Do what the verb says; an update with ``dry_run`` only says whom it would reach."""
    body = body or models.Verb()
    asked = Asked(
        application=application_name(application),
        hosts=tuple(dict.fromkeys(map(host, body.hosts or ()))),
        version=body.version or "",
        index=body.check_index,
    )
    if body.dry_run:
        return await planner.applications.foresee(slice_, verb_of(verb), asked)
    done = await planner.applications.ask(slice_, verb_of(verb), asked)
    return {"application": done.application, "hosts": list(done.hosts), "changed": done.changed}
