"""The catalogue: services and channels, as far as the caller may hear them."""

from __future__ import annotations

from functools import partial
from typing import Any

from dsmt_core.channels import channel
from planner.api.access import TheCaller, ThePlanner
from planner.api.routing import router_at
from planner.authority.speaking import may_hear
from planner.catalogue import channels_shown, services_shown

router = router_at("", "services")


@router.get("/services")
async def services(caller: TheCaller, planner: ThePlanner) -> dict[str, Any]:
    """Every service, what it says of itself and what is heard of it; and who does otherwise."""
    return services_shown(planner.observing.catalogue, partial(may_hear, caller))


@router.get("/channels")
async def channels(caller: TheCaller, planner: ThePlanner, below: str = "/") -> dict[str, Any]:
    """Every channel at or below one: who speaks there, who says so, and what is silent."""
    observing = planner.observing
    return channels_shown(
        observing.catalogue,
        observing.silences.silent(),
        below=channel(below),
        allowed=partial(may_hear, caller),
    )
