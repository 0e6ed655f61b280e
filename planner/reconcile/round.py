"""One round: over the slices that are dirty, or all."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from dsmt_core.names import Slice
from planner.fleet import Fleet
from planner.reconcile.sent import SentOrders
from planner.steps import Round
from planner.wanted import Wanted


def reconcile(
    wanted: Wanted,
    seen: Fleet,
    *,
    sent: SentOrders,
    now: float,
    only: AbstractSet[Slice] | None = None,
) -> Round:
    """What is missing between wanted and seen.

    Args:
        wanted: as committed; read only.
        seen: as folded; read only.
        sent: what was ordered before; changed in place: the orders of the answer count as sent.
        now: seconds of the clock of ``seen``.
        only: the slices to look at (`Fleet.take_dirty` and those that people have changed), besides those
            with an order that is due again; None for all, as after `Dirty.everything` and every 30 s.

    Returns:
        The changes to commit, then the queues, then the orders, and what waits.
    """
    return Round()
