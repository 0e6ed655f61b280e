"""Policies of the broker, as data for its definitions. Pure.

Rule: what waits for another region is bounded where it waits, whether or not this region hears others. So
the policy comes with the definitions of every broker, not with the files that link regions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# Beyond these the upstream region drops the oldest of what waits for a region that is away: no disk fills.
WAITING: Final = 100_000
WAITING_BYTES: Final = 256 << 20
# How the federation plug-in names its queues.
_FEDERATED: Final = "^federation: "


def policy(vhost: str, name: str, pattern: str, to: str, definition: Mapping[str, Any]) -> dict[str, Any]:
    """One policy, as ``rabbitmqctl import_definitions`` takes it.

    Args:
        vhost: the virtual host.
        name: its own.
        pattern: of the names of what it applies to.
        to: ``queues`` or ``exchanges``.
        definition: what it says of them.
    """
    return {
        "vhost": vhost,
        "name": name,
        "pattern": pattern,
        "apply-to": to,
        "priority": 0,
        "definition": dict(definition),
    }


def waiting_for_regions(vhost: str) -> dict[str, Any]:
    """The bounds of what waits here for a region that is away."""
    bounds = {"max-length": WAITING, "max-length-bytes": WAITING_BYTES, "overflow": "drop-head"}
    return policy(vhost, "regions-waiting", _FEDERATED, "queues", bounds)
