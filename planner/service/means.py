"""What the acting parts of the planner work with."""

from __future__ import annotations

from dataclasses import dataclass

from broker.bus import Bus
from planner.failed_nodes import FailedNodes, Misfits
from planner.fleet import Fleet
from planner.service.clock import SteadyClock
from planner.service.ledger import Ledger
from planner.store import Database


@dataclass(frozen=True, slots=True)
class Means:
    """Where things are kept and said, and what time it is."""

    database: Database
    ledger: Ledger
    bus: Bus
    clock: SteadyClock


@dataclass(frozen=True, slots=True)
class Watched:
    """Where nodes are known: seen, the tracker, and who does not suit a slice."""

    fleet: Fleet
    tracker: FailedNodes
    misfits: Misfits
