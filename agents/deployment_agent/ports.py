"""Who has the port that an application wanted: the node is asked, and else whether anybody listens."""

from __future__ import annotations

from typing import Final

from agents.deployment_agent.decide.ports import meant
from agents.deployment_agent.sliver import Sliver
from dsmt_core.errors import DsmtError

_REACH_S: Final = 1.0


async def taken(sliver: Sliver, output: str, check: str) -> str:
    """Which port is taken and by whom, as a sentence; empty when that is not why, or cannot be told.

    Args:
        sliver: where it ran.
        output: the last that it printed.
        check: the URL by which it is checked; empty for none.
    """
    ports = meant(output, check)
    if not ports:
        return ""
    try:
        port, holder = await sliver.port_holder(ports)
        if holder:
            return f"port {port} is taken by {holder}"
        for port in ports:
            # Without the node's network: only what is in the sliver can have it.
            if (await sliver.reach("127.0.0.1", port, "", timeout_s=_REACH_S)).connected:
                return f"port {port} is taken already"
    except DsmtError:
        # A node of an older DSMT tells no holders; what the program said stands for itself.
        return ""
    return ""
