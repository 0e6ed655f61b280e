"""The ground of plans: made anew when a node comes or goes, and for new facts at most once a second.

Ten thousand nodes tell some dozens of facts a second; making the columns costs tens of milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dsmt_core.names import Host
from planner.fleet.seen import NodeSeen
from planner.plans.ground import Ground

PAUSE_S: Final = 1.0


class Grounds:
    """The ground of a fleet, as of now or a second ago.

    Args:
        nodes: what is seen of each node, which the fleet changes in place.
    """

    def __init__(self, nodes: Mapping[Host, NodeSeen]) -> None:
        self._nodes = nodes
        self._ground: Ground | None = None
        self._told = False
        self._made_anew_at = float("-inf")

    def drop(self) -> None:
        """A node came or went, or a person has labelled one."""
        self._ground = None

    def told(self) -> None:
        """A node has told other facts."""
        self._told = True

    def is_due(self, now: float) -> bool:
        """Drop it for new facts, if it is time; whether it was."""
        if not self._told or 0 <= now - self._made_anew_at < PAUSE_S:
            return False
        self._told, self._ground, self._made_anew_at = False, None, now
        return True

    @property
    def ground(self) -> Ground:
        """The hosts and what is known of them."""
        if self._ground is None:
            self._ground = Ground.of({host: node.facts | node.labels for host, node in self._nodes.items()})
        return self._ground
