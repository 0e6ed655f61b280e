"""The planner's first connection to its broker."""

from __future__ import annotations

from broker.address import places
from broker.bus import Bus
from dsmt_core.errors import Unavailable
from planner.config import PlannerConfig


async def connect(bus: Bus, config: PlannerConfig) -> None:
    """Connect, or say that it cannot be: here, unlike for a node, nothing goes on trying.

    Raises:
        Unavailable: the broker did not answer within ``config.broker_wait``.
        Denied: it refused user or password.
    """
    try:
        await bus.start(wait_s=config.broker_wait)
    except Unavailable as error:
        raise Unavailable(
            f"the broker at {places(config.broker)} did not answer within "
            f"{config.broker_wait:g} s: {error.message}",
            hint="start it, or give its address with --broker or DSMT_BROKER",
        ) from error
