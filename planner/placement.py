"""Placement: where a slice's slivers should be after this round, decided from its plan and what is seen.

Three bounds hold here. Without a change by people few are taken from nodes that have not failed, until
people agree to more (`planner.leaving`, `planner.restraint`). Nothing begins beyond a quota
(`planner.allotment`). And where a plan has a limit, nothing new begins before what it replaces is known to
have ended, or stands on a node that failed: there are never more than the limit on the living, and one more
while something moves that has to run until then.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from dsmt_core.errors import DsmtError
from dsmt_core.names import Host
from planner.allotment import Admitted
from planner.disruption import Disruption
from planner.fleet import Fleet, NodeState
from planner.leaving import SURGE, Change, leave
from planner.outlook import world_of
from planner.plans import Part, Reason, Selection, World, select
from planner.restraint import Licence
from planner.steps import Waiting
from planner.wanted import NO_PLAN, Wanted, WantedSlice


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the slivers of a slice should be.

    Attributes:
        hosts: after this round.
        stopped: how many it takes by its own idea from nodes that have not failed and are in service.
        waiting: what it holds back, and why.
    """

    hosts: frozenset[Host]
    stopped: int = 0
    waiting: tuple[Waiting, ...] = ()


def place(disruption: Disruption, *, licence: Licence, gone: frozenset[Host] = frozenset()) -> Placed:
    """Where the slivers of a slice should be after this round.

    Args:
        disruption: of the slice as committed, with who is out of service and what its quotas allow.
        licence: what may be taken from nodes that have not failed.
        gone: retired hosts that are known to have given up their sliver (`is_gone`).
    """
    slice_, seen = disruption.slice, disruption.seen
    world = world_of(slice_, seen, disruption.bars)
    try:
        selection = selection_of(slice_, world)
    except DsmtError as error:
        # A plan that cannot be evaluated says nothing: everything stays.
        reason = f"the plan {slice_.plan} cannot be evaluated: {error.message}"
        return Placed(frozenset(slice_.hosts), 0, (Waiting(slice=slice_.name, reason=reason),))
    held = (seen.holders(slice_.name) | slice_.retired.keys()) - gone
    return _Round(world, held - seen.forgotten, disruption).place(selection, licence)


def selection_of(slice_: WantedSlice, world: World) -> Selection:
    """What the plan in force of a slice selects; nothing when none is.

    Raises:
        NotFound, Invalid, Conflict: the plan was not checked.
    """
    if slice_.plan != NO_PLAN:
        return select(slice_.plan, slice_.plan_parameters, slice_.plans, world)
    nothing = Part(world.ground.mask(()), lambda _row: Reason("no plan is set", NO_PLAN, ""))
    return Selection(nothing, world.ground)


def asked_for(selection: Selection) -> int:
    """How many hosts a plan asks for: those that it has, and those that it misses."""
    return len(selection.hosts) + selection.missing


def is_gone(slice_: WantedSlice, seen: Fleet, host: Host, *, heard_since: bool = False) -> bool:
    """Whether a sliver that was taken away is known to be gone from a host.

    The node has to say that it carried out the order, for what it said before may have been under way;
    a node that never says so is believed when it has spoken after the order (``heard_since``).
    """
    if host in seen.forgotten:
        return True
    node = seen.node(host)
    if node is None or node.slivers is None or not node.fresh or slice_.name in node.slivers:
        return False
    return node.gone.get(slice_.name, -1) >= slice_.retired[host] or heard_since


def unproven(wanted: Wanted, seen: Fleet) -> frozenset[Host]:
    """The nodes on probation that may not end it: what they hold is not heard yet, or was moved away.

    For `planner.failed_nodes.FailedNodes.tick`: so a node that comes back is counted as one of the living
    only when it has given up what runs elsewhere by now.
    """
    trial = {host for host in seen.back_or_failed() if seen.state(host) is NodeState.PROBATION}
    return frozenset(host for host in trial if not _is_proven(wanted, seen, host))


def _is_proven(wanted: Wanted, seen: Fleet, host: Host) -> bool:
    node = seen.node(host)
    if node is None or node.slivers is None or node.differs_since is not None:
        return False
    for slice_ in wanted.slices.values():
        retired = host in slice_.retired and not is_gone(slice_, seen, host)
        if slice_.managed and (retired or (slice_.name in node.slivers and host not in slice_.hosts)):
            return False
    return True


class _Round:
    """One decision about one slice: who leaves, who stays for now, who joins."""

    def __init__(self, world: World, held: AbstractSet[Host], disruption: Disruption) -> None:
        self._slice = disruption.slice
        self._world = world
        self._held = held
        self._disruption = disruption
        self._present = frozenset(world.ground.those(world.members))
        # A misfit has failed for the plan only: what it runs is there, and counts.
        self._failed = disruption.seen.back_or_failed()

    def place(self, selection: Selection, licence: Licence) -> Placed:
        target, admitted = self._admitted(frozenset(selection.hosts))
        change = Change(
            staying=self._present & target,
            leaving=tuple(sorted(self._living(self._present - target))),
            coming=len(target - self._present),
            missing=selection.missing + admitted.held,
            beyond=self._beyond(selection.bound),
        )
        leaving = leave(change, self._disruption, licence)
        kept = change.staying | (frozenset(change.leaving) - leaving.now)
        bound = None if selection.bound is None else selection.bound + leaving.surge
        joined = self._joining(target - self._present, kept, bound)
        waiting = [
            *self._of_missing(selection),
            *self._of_quota(admitted),
            *leaving.waiting,
            *self._of_room(change.coming - len(joined)),
        ]
        return Placed(kept | joined, leaving.of_planner, tuple(waiting))

    def _admitted(self, target: frozenset[Host]) -> tuple[frozenset[Host], Admitted]:
        """Where the plan has it as far as the quotas allow that something begins."""
        staying, coming = self._present & target, target - self._present
        allotted = self._disruption.allotted
        if not (coming and allotted.bounds):
            return target, Admitted(coming)
        ending = self._living((self._held | self._present) - target)
        occupied = staying | ending | (self._held & target)
        admitted = allotted.admit(occupied, sorted(coming, key=self._trust))
        return staying | admitted.hosts, admitted

    def _beyond(self, bound: int | None) -> int:
        beyond = 0 if bound is None else len(self._living(self._present)) - bound
        return beyond if 0 < beyond <= SURGE else 0

    def _trust(self, host: Host) -> tuple[int, Host]:
        return int(self._world.trust[self._world.ground.rows[host]]), host

    def _living(self, hosts: AbstractSet[Host]) -> AbstractSet[Host]:
        """Those that count against the limit: not failed."""
        return hosts - self._failed

    def _joining(
        self, candidates: frozenset[Host], kept: frozenset[Host], bound: int | None
    ) -> frozenset[Host]:
        """Who joins now: as many as the bound leaves room for beside what still may run."""
        if bound is None:
            return candidates
        ending = self._living((self._held | self._present) - kept)
        room = bound - len(kept) - len(ending)
        # A host whose sliver is on its way out is counted already; but while there are too many, it would
        # begin anew beside what others have not ended yet.
        back = candidates & ending if room >= 0 else frozenset()
        fresh = sorted(candidates - ending, key=self._trust) if room > 0 else []
        return back | frozenset(fresh[:room])

    def _of_missing(self, selection: Selection) -> list[Waiting]:
        found, missing = len(selection.hosts), selection.missing
        if missing and selection.bound is not None:
            nodes = {0: "no node qualifies", 1: "only 1 node qualifies"}.get(found)
            reason = f"{missing} of {found + missing} missing: {nodes or f'only {found} nodes qualify'}"
        elif not found and self._slice.plan != NO_PLAN:
            reason = f"the plan {self._slice.plan} selects no node"
        else:
            return []
        reason += f" ({why})" if (why := selection.why_missing) else ""
        return [Waiting(slice=self._slice.name, reason=reason)]

    def _of_quota(self, admitted: Admitted) -> list[Waiting]:
        if not admitted.held:
            return []
        reason = f"{admitted.held} more would be beyond the quota: {admitted.why}"
        return [Waiting(slice=self._slice.name, reason=reason)]

    def _of_room(self, number: int) -> list[Waiting]:
        if number <= 0:
            return []
        ending = ", ".join(sorted(self._living(self._held - self._present))[:5])
        reason = f"{number} to be started when what they replace has ended{ending and f' on {ending}'}"
        return [Waiting(slice=self._slice.name, reason=reason)]
