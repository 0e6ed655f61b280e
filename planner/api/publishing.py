"""Publishing through the planner, for people and scripts that have no connection of their own to PsEPR."""

from __future__ import annotations

from typing import Any

from dsmt_core.channels import channel
from dsmt_core.errors import Invalid
from dsmt_core.events import Event
from dsmt_core.journal import record
from planner.api import models
from planner.api.access import TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.service.speaking import said_in_xml

router = router_at("", "events")


@router.post("/events")
async def publish(body: models.Publication, caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Publish one event in the caller's name; the answer is the event as it was sent."""
    await planner.audit.before()
    return record(await planner.speaking.publish(caller, _said(body)))


def _said(body: models.Publication) -> Event:
    if body.xml is not None:
        if body.model_fields_set != {"xml"}:
            raise Invalid("an event is given as XML or by its fields, not both")
        return said_in_xml(body.xml)
    if not body.channel:
        raise Invalid("an event needs a channel", hint="such as /com/example/pinger/")
    said = body.model_dump(exclude={"xml", "channel"})
    return Event(channel=channel(body.channel), instance="", boot_id="", seq=1, id="", sent_at=0.0, **said)
