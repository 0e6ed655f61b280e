"""A further source of facts in the simulated world: an inventory, which says who owns a machine, and fails.

What it says is read by the planner now and then, and held as the real service holds it. While it fails its
facts are unknown after a while; a planner that has started since knows none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from dsmt_core.names import Host
from planner.facts.held import Held
from planner.facts.taking import taken
from planner.fleet import Fleet

SOURCE: Final = "inventory"
OWNER: Final = f"{SOURCE}.owner"
OURS: Final = "us"
# Within five of these what was said holds, though the source fails.
PERIOD_S: Final = 0.4


class Inventory:
    """What is really in it.

    Attributes:
        owners: by host.
        is_up: whether it can be read.
    """

    def __init__(self, hosts: Iterable[Host]) -> None:
        self.owners = dict.fromkeys(hosts, OURS)
        self.is_up = True

    def held(self) -> Held:
        """What a planner holds of it that has just begun."""
        return Held(PERIOD_S)

    def read(self, held: Held, fleet: Fleet, *, now: float) -> None:
        """The planner reads it, if it can, and tells its fleet what is new."""
        answer: Mapping[Host, Mapping[str, str]] = {host: {"owner": of} for host, of in self.owners.items()}
        if self.is_up:
            news = held.answered(taken(SOURCE, answer), now)
        else:
            news = held.failed("it cannot be read", now)
        if news:
            fleet.sourced(SOURCE, held.facts)
