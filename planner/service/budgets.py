"""Budgets: how many instances of a slice have to stay up, and what that allows now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dsmt_core.names import Slice
from planner.allotment import Shares
from planner.budget import DEFAULT, Budget
from planner.disruption import Disruption
from planner.fleet import Fleet
from planner.service.means import Means
from planner.standing import bars_at
from planner.store import slices


class Budgets:
    """The disruption budgets of the slices. Every method raises `NotFound` for a slice that does not exist.

    Args:
        means: where they are kept, and what time it is.
        fleet: what is seen: what is up.
    """

    def __init__(self, means: Means, fleet: Fleet) -> None:
        self._ledger = means.ledger
        self._clock = means.clock
        self._fleet = fleet

    async def put(self, slice_: Slice, budget: Budget) -> dict[str, Any]:
        """Choose the budget of a slice. Returns what it allows now."""
        text = "" if budget == DEFAULT else budget.text
        await self._ledger.change(slice_, slices.set_budget, slice_, text)
        return self.shown(slice_)

    def shown(self, slice_: Slice, chosen: Budget | None = None) -> dict[str, Any]:
        """The budget of a slice, what it allows now, and why it never allows anything if that is so.

        Args:
            slice_: of which slice.
            chosen: as if it were this one.
        """
        wanted = self._ledger.wanted
        bars = bars_at(wanted.standings, self._clock())
        mine = self._ledger.slice(slice_)
        if chosen is not None:
            mine = replace(mine, budget=chosen)
        allotted = Shares(wanted, self._fleet.back_or_failed()).of(mine)
        one = Disruption(mine, self._fleet, bars, allotted)
        return {
            "slice": slice_,
            "budget": one.slice.budget.text,
            "is_default": one.slice.budget == DEFAULT,
            "wanted": one.wanted,
            "least": one.least,
            "up": one.up,
            "allowance": one.allowance,
            "contradiction": one.contradiction,
        }
