"""The laws of the world: what a commit of the planner may change, and how many instances there may be.

    a commit    generations only forward; what people turned stays as they turned it; nothing joins beyond
                the limit and one, or on a failed node; without a change by people few stop, with a pause
                between, never below the disruption budget, and none at all where no plan gave a reason
    always      what people were answered is what is stored; never more than the limit on nodes that can be
                reached and have not failed, and one more only while something moves
    in the end  everything is as wanted (`differs`)

A cut-off node may run beside its replacement. After its return it counts when its probation ends; where a
crash of the planner took the verdict with it, when it has given up what moved away.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from dsmt_core.lifecycle import State
from dsmt_core.names import Host, Slice
from planner.disruption import Disruption, Health
from planner.fleet import Fleet
from planner.restraint import CALM_S
from planner.rollout import Phase
from planner.standing import bars_at
from planner.steps import SliceChange, released
from planner.wanted import Placement, Run, WantedSlice
from tests.world.layout import APP, TAKE_FAILED
from tests.world.store import Store, is_away
from tests.world.truth import Broken, Place, Process, Truth

SURGE: Final = 1
"""So many beyond its limit a slice may have while something moves; said again, for a law is no copy."""


@dataclass(slots=True)
class Stops:
    """What a planner has stopped by its own idea in its present life.

    Attributes:
        excused: hosts that may be stopped: a fact has spoken against them; None: any, for there are other
            reasons.
        last: when it last stopped something of a slice.
    """

    excused: AbstractSet[Host] | None = None
    last: dict[Slice, float] = field(default_factory=dict)


def check_commit(store: Store, seen: Fleet, change: SliceChange, stops: Stops, *, now: float) -> None:
    """What a planner is about to commit.

    Raises:
        Broken: it may not.
    """
    before = store.wanted.slices[change.slice]
    if change.generation < before.generation:
        raise Broken(f"the generation of {change.slice} went back to {change.generation}")
    _check_turned(before, change)
    bars = bars_at(store.wanted.standings, now)
    _check_joined(before, change, seen)
    left = before.hosts.keys() - change.hosts.keys() - bars.keys()
    unfit = seen.fits(change.slice).out.keys()
    own = {host for host in left if not is_away(seen, host) and host not in unfit}
    own -= before.restraint.agreed
    if (
        change.slice in store.asked
        and change.restraint
        and change.restraint.carried != before.restraint.carried
    ):
        # Where a slice is to be, as people have changed it, nothing of it was stopped yet.
        stops.last.pop(change.slice, None)
    if own and change.slice not in store.asked:
        _check_own(Disruption(before, seen, bars), own, stops, now=now)


def _check_joined(before: WantedSlice, change: SliceChange, seen: Fleet) -> None:
    """Nothing joins beyond the limit and one, nor on a node that failed where the plan leaves those out."""
    living = [host for host in change.hosts if not is_away(seen, host)]
    joined = change.hosts.keys() - before.hosts.keys()
    if joined and len(living) > limit_of(before) + SURGE:
        raise Broken(
            f"{sorted(joined)} join, and {len(living)} are living; the limit is {limit_of(before)}"
        )
    failed = joined - {*living}
    if failed and before.plan not in TAKE_FAILED:
        raise Broken(f"{sorted(failed)} join, and have failed")


def allowance(disruption: Disruption) -> int:
    """How many that are known to be up may be taken down, counted anew."""
    up = sum(health is Health.UP for health in disruption.healths.values())
    slice_ = disruption.slice
    return max(up - slice_.budget.least(min(disruption.wanted, limit_of(slice_))), 0)


def _check_own(disruption: Disruption, own: set[Host], stops: Stops, *, now: float) -> None:
    """What the planner stops by its own idea: a share at a time, for a reason, within the budget.

    What ran beside something that was to move, and need not move any more, is no loss: without it the slice
    still has all that people want. So it may end besides, whatever else does; the budget holds for it, too.
    """
    before = disruption.slice
    said = f"{sorted(own)} were stopped, though they were well and nobody asked"
    beside = _beyond(disruption)
    if stops.excused is not None and len(own - stops.excused) > beside:
        raise Broken(said)
    share = max(1, len(before.hosts) // 10)
    if len(own) - beside > share:
        raise Broken(f"{said}: at most {share} may at once{f', and {beside} besides' if beside else ''}")
    if len(own) > beside:
        since = now - stops.last.get(before.name, float("-inf"))
        if since < CALM_S:
            raise Broken(f"{said}: {since:.1f} s after others")
        stops.last[before.name] = now
    known_up = sum(disruption.healths[host] is Health.UP for host in own)
    if known_up > allowance(disruption):
        raise Broken(f"{said}: the budget allows {allowance(disruption)}")


def _beyond(disruption: Disruption) -> int:
    """How many instances the living have beyond the limit, where that is what a surge brings."""
    before = disruption.slice
    living = [host for host in before.hosts if not is_away(disruption.seen, host)]
    beyond = len(living) - limit_of(before)
    return beyond if 0 < beyond <= SURGE else 0


def _check_turned(before: WantedSlice, change: SliceChange) -> None:
    """What people turned stays turned while its host stays."""
    placed = {(one.host, one.application): one for one in before.placements}
    for one in change.placements:
        was = placed.get((one.host, one.application))
        if was is None or one.host not in before.hosts:
            continue
        if one.run is not was.run or one.restarts < was.restarts:
            raise Broken(f"what people wanted is lost: {was} became {one}")


def check_answered(store: Store) -> None:
    """What people were answered is what is stored.

    Raises:
        Broken: it is not.
    """
    for name, told in store.answered.items():
        kept = store.wanted.slices.get(name)
        if kept is None or _of_people(kept) != _of_people(_rolled(told, kept)):
            raise Broken(f"what people wanted of {name} is lost")


def _rolled(told: WantedSlice, kept: WantedSlice) -> WantedSlice:
    """What people were told, with the releases of what they had rolled out and is done by now."""
    done = {
        name: kept.rollouts[name].after
        for name, one in told.rollouts.items()
        if name in kept.rollouts
        and one.is_active
        and (one.number, Phase.DONE) == (kept.rollouts[name].number, kept.rollouts[name].phase)
    }
    return released(told, done)


def _of_people(slice_: WantedSlice) -> tuple[object, ...]:
    return slice_.plan, slice_.plan_parameters, slice_.plans, slice_.applications, slice_.managed


class Limit:
    """How many instances of one slice there may be.

    Args:
        name: of the slice.
        limit: at the beginning.
        moves: whether plans make the planner move something without being asked, as facts change.
    """

    def __init__(self, name: Slice, limit: int, *, moves: bool) -> None:
        self._name = name
        self._moves = moves
        self._last: tuple[int, set[Host]] = (limit, set())
        self._ran_before_lowered: set[Host] = set()

    def check(self, store: Store, seen: Fleet, counted: set[Host]) -> None:
        """Whether so many may run on hosts that count; one more may while something moves.

        Raises:
            Broken: they are too many.
        """
        slice_ = store.wanted.slices[self._name]
        limit = limit_of(slice_)
        if limit < self._last[0]:
            self._ran_before_lowered = self._last[1]
        elif limit > self._last[0]:
            self._ran_before_lowered = set()
        self._last = (limit, counted)
        moves = self._moves or len(slice_.hosts) > limit or seen.fits(self._name).out
        if self._name in store.unread or store.restored or len(counted) <= limit + (SURGE if moves else 0):
            return
        begun = counted - self._ran_before_lowered
        if begun and not _is_ending(slice_, counted):
            raise Broken(f"{len(counted)} instances on living nodes, the limit is {limit}")


def _is_ending(slice_: WantedSlice, running: set[Host]) -> bool:
    """Whether people have lowered the number, and nothing has begun since beside what is ending."""
    hosts, retired = slice_.hosts, slice_.retired
    ending = [retired[host] for host in running & retired.keys()]
    staying = [hosts[host] for host in running & hosts.keys()]
    known = len(ending) + len(staying) == len(running)
    return known and bool(ending) and max(staying, default=-1) < max(ending)


def limit_of(slice_: WantedSlice) -> int:
    """How many instances are wanted."""
    return int(slice_.plan_parameters["count"])


def differs(slice_: WantedSlice, truth: Truth, seen: Fleet, *, fits: int) -> str:
    """How a slice differs from what is wanted; empty when it does not."""
    wanted = {placement.host for placement in slice_.placements if placement.run is Run.RUNNING}
    running = {
        host for (host, of, _), process in truth.processes.items() if process.well and of == slice_.name
    }
    limit = limit_of(slice_)
    if len(slice_.hosts) != min(limit, fits) or slice_.retired:
        placed = f"{slice_.name} is placed on {sorted(slice_.hosts)}, retired {slice_.retired}"
        return f"{placed}, limit {limit}, {fits} hosts fit"
    if running != wanted:
        return f"{slice_.name} is wanted on {sorted(wanted)}, runs on {sorted(running)}"
    return next(filter(None, (_one_differs(one, truth.processes, seen) for one in slice_.placements)), "")


def _one_differs(placement: Placement, processes: Mapping[Place, Process], seen: Fleet) -> str:
    sliver = seen.sliver(placement.slice, placement.host)
    heard = sliver.applications.get(APP) if sliver else None
    state = State.RUNNING if placement.run is Run.RUNNING else State.TERMINATED
    if heard is None or (heard.state, heard.generation) != (state, placement.generation):
        return f"{placement} is seen as {heard}"
    process = processes.get((placement.host, placement.slice, APP))
    if process is not None and process.release != placement.release:
        return f"{placement} runs as {process.release}"
    return ""
