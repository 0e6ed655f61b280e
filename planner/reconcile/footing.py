"""The footing of a slice: where the last rounds left it, so that the next may look at few hosts only.

Rule: a look at few hosts answers what a look at all would. It is taken only where all others are as they
were when all were looked at: the same wanted, the same placement, and nothing to settle on the few.
Where a slice rests, not even the plan is evaluated anew until it may select other hosts.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from dsmt_core.names import Host
from planner.placement import Placed
from planner.plans import is_live
from planner.restraint import Restraint
from planner.wanted import Placement, WantedSlice


@dataclass(frozen=True, slots=True)
class Footing:
    """What a round over the whole slice found, that had nothing to change, and nothing to roll out.

    Attributes:
        slice: as committed; another object is another wanted.
        placed: where its slivers should be.
        placements: by host.
        rests: where it should be stays the same, whatever is heard of its hosts, until a plan may select
            others (`planner.fleet.Dirty.plans`): a node is judged anew, comes, goes, or tells other facts.
    """

    slice: WantedSlice
    placed: Placed
    placements: Mapping[Host, tuple[Placement, ...]]
    rests: bool

    @classmethod
    def of(cls, slice_: WantedSlice, placed: Placed) -> Footing:
        """The footing of a settled slice."""
        by_host: dict[Host, list[Placement]] = {}
        for placement in slice_.placements:
            by_host.setdefault(placement.host, []).append(placement)
        return cls(
            slice_, placed, {host: tuple(some) for host, some in by_host.items()}, _rests(slice_, placed)
        )

    def holds(self, slice_: WantedSlice, placed: Placed) -> bool:
        """Whether neither what is wanted nor where it should be has changed."""
        return self.slice is slice_ and self.placed == placed

    def part(self, hosts: AbstractSet[Host]) -> WantedSlice:
        """The slice as if it had to do with these hosts only."""
        mine = self.slice
        return replace(
            mine,
            hosts={host: mine.hosts[host] for host in hosts if host in mine.hosts},
            retired={host: mine.retired[host] for host in hosts if host in mine.retired},
            placements=tuple(
                placement for host in sorted(hosts) for placement in self.placements.get(host, ())
            ),
        )


def _rests(slice_: WantedSlice, placed: Placed) -> bool:
    """Nobody comes, nobody leaves, nothing waits, nothing is restrained; and the plan asks for no states.

    Then the plan selects just the hosts of the slice, and who holds what, and how, decides nothing.
    """
    return (
        placed == Placed(frozenset(slice_.hosts))
        and slice_.restraint == Restraint(carried=slice_.restraint.carried)
        and not is_live(slice_.plan, slice_.plan_parameters, slice_.plans)
    )
