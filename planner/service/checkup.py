"""Looks at what `planner.checkup` judges: the link, the disk, the depot, the nodes."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from dsmt_core.errors import DsmtError
from planner.checkup import Vitals, findings

if TYPE_CHECKING:
    from planner.service.planner import Planner

_DEPOT_S: Final = 3.0
_NO_PACKAGE: Final = "0" * 64


async def checkup(planner: Planner) -> list[dict[str, Any]]:
    """Everything that was looked at, as the API shows it."""
    health = planner.health()
    disk = await asyncio.to_thread(shutil.disk_usage, planner.config.data)
    nodes = await planner.nodes.shown()
    seen = Vitals(
        version=version("dsmt"),
        link=str(health["link"]),
        rounds=health["trouble"],
        users=health["broker_users"],
        lag_s=health["lag_s"],
        free=disk.free,
        size=disk.total,
        depot=await _depot(planner),
        versions={
            one["host"]: one["facts"]["dsmt_version"] for one in nodes if "dsmt_version" in one["facts"]
        },
        nodes=Counter(str(one["state"]) for one in nodes),
        clocks={one["host"]: off for one in nodes if (off := one["clock_off_s"]) is not None},
        rooms={one["host"]: free for one in nodes if (free := _number(one["facts"])) is not None},
    )
    return [asdict(one) for one in findings(seen)]


def _number(facts: Mapping[str, str]) -> float | None:
    """How many GB a node says are free; None: it says nothing that can be read."""
    try:
        return float(facts["disk_free_gb"])
    except (KeyError, ValueError):
        return None


async def _depot(planner: Planner) -> str:
    """Why the depot does not answer; empty when it does: that nothing has come of such a package."""
    try:
        async with asyncio.timeout(_DEPOT_S):
            await planner.depot.received(_NO_PACKAGE, "")
    except DsmtError as error:
        return error.message
    except TimeoutError:
        return f"not within {_DEPOT_S:g} s"
    return ""
