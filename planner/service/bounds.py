"""What bounds a slice besides its guard rails: limits on each node, quotas, its disruption budget."""

from __future__ import annotations

from dataclasses import dataclass

from planner.fleet import Fleet
from planner.service.allowances import Allowances
from planner.service.budgets import Budgets
from planner.service.floods import Floods
from planner.service.means import Means
from planner.service.previews import Previews
from planner.service.quotas import Quotas
from planner.service.sliver_limits import SliverLimits


@dataclass(frozen=True, slots=True)
class Bounds:
    """Who keeps which bound."""

    budgets: Budgets
    limits: SliverLimits
    allowances: Allowances

    @classmethod
    def of(cls, means: Means, fleet: Fleet, previews: Previews, depot: Quotas, floods: Floods) -> Bounds:
        """The bounds of the slices that are kept there."""
        return cls(
            Budgets(means, fleet),
            SliverLimits(means, fleet),
            Allowances(means, fleet, previews, depot, floods),
        )
