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
_NOTHING: Final[Mapping[str, str]] = {}


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
        self._sources: dict[str, Mapping[Host, Mapping[str, str]]] = {}
        # A fact that a source told once stays a name that can be asked for: it is unknown now.
        self._names: set[str] = set()

    def drop(self) -> None:
        """A node came or went, or a person has labelled one."""
        self._ground = None

    def told(self) -> None:
        """A node has told other facts."""
        self._told = True

    def sourced(self, source: str, facts: Mapping[Host, Mapping[str, str]]) -> None:
        """A source of facts says this now, under names that begin with its own; empty when it failed."""
        self._sources[source] = facts
        self._names |= {name for of_host in facts.values() for name in of_host}
        self._ground = None

    def from_sources(self, host: Host) -> dict[str, str]:
        """What the sources say of a host."""
        found: dict[str, str] = {}
        for facts in self._sources.values():
            found |= facts.get(host, _NOTHING)
        return found

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
            known = {host: self.known(host) for host in self._nodes}
            self._ground = Ground.of(known, also=self._names)
        return self._ground

    def known(self, host: Host) -> Mapping[str, str]:
        """What its node, the sources and people say of a host."""
        node = self._nodes.get(host)
        if node is None:
            return self.from_sources(host)
        if not self._sources:
            return node.facts | node.labels
        # A node cannot speak for a source; a label comes before all.
        own = {
            name: text for name, text in node.facts.items() if name.partition(".")[0] not in self._sources
        }
        return own | self.from_sources(host) | node.labels
