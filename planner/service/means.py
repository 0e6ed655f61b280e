"""What the acting parts of the planner work with."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from functools import partial

from broker.bus import Bus
from planner.config import PlannerConfig
from planner.failed_nodes import Chance, FailedNodes, Misfits, Patience
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


def watched_with(config: PlannerConfig, fleet: Fleet, now: float) -> Watched:
    """What watches nodes as the planner is configured; ``now`` in seconds since the epoch."""
    patience = Patience(misses=config.misses, lag_s=config.heartbeat)
    chance = Chance(draw=random.random, nonce=partial(secrets.token_hex, 16))
    return Watched(fleet, FailedNodes(patience, now=now, chance=chance), Misfits(draw=random.random))
