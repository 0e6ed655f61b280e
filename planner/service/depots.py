"""All about the depots of the slices, wired: packages, their room, their end, and how dnf sees them."""

from __future__ import annotations

from dataclasses import dataclass

from planner.config import PlannerConfig
from planner.service.depot import DepotClient
from planner.service.means import Means
from planner.service.packages import Packages
from planner.service.pruning import Pruning
from planner.service.publishers import PublisherKeys
from planner.service.quotas import Quotas
from planner.service.repositories import Repositories


@dataclass(frozen=True, slots=True)
class Depots:
    """What there is to do with the depots of slices."""

    packages: Packages
    quotas: Quotas
    pruning: Pruning
    repositories: Repositories
    publishers: PublisherKeys

    @classmethod
    def of(cls, means: Means, depot: DepotClient, config: PlannerConfig) -> Depots:
        """Those of a planner."""
        quotas = Quotas(means, config.slice_depot_bytes)
        packages = Packages(means, depot, quotas)
        pruning = Pruning(means, packages, config)
        return cls(packages, quotas, pruning, Repositories(packages, depot), PublisherKeys(means))
