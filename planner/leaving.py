"""Leaving: which of the instances that are to leave a slice leave in this round, and why others stay yet.

    people's        what people took away by changing the slice leaves at once; of what is out of service
                    there, as many stay as come or lack, and one
    forced          excluded at once, or drained by force and over time: at once
    out of service  the replacement runs first where the plan can give one; the disruption budget is kept
    agreed to       what the planner held back until people agreed leaves at once
    misfits         what does not come to run on a host that the slice leaves alone leaves at once
    the planner's   few, and then people have to agree (`planner.restraint`); the disruption budget is kept

What has failed costs nothing: taking it away makes nothing worse. What starts may be up in a moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from dsmt_core.names import Host
from planner.abilities import unfit
from planner.disruption import Disruption, Health
from planner.restraint import Licence
from planner.standing import Bar
from planner.steps import Waiting

SURGE: Final = 1
"""So many instances beyond its limit a slice may have while something moves that has to run until then."""

FEW: Final = "without a change by people only few stop at a time; dsmtc agree lets it go"

# The least loss first.
_LOSS: Final = {Health.FAILED: 0, Health.STARTING: 1, Health.UNSURE: 2, Health.UP: 3}
# Where it does not come to run at all, what starts counts as down.
_DOWN: Final = frozenset({Health.STARTING, Health.FAILED})
_MAY_COME: Final = frozenset({Health.STARTING, Health.UNSURE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a plan makes of the hosts of a slice.

    Attributes:
        staying: hosts that it keeps.
        leaving: hosts that have not failed and are not selected any more, sorted.
        coming: how many hosts it selects beyond those.
        missing: how many it asks for, and does not find.
        beyond: how many instances the slice has beyond its limit, if not more than a surge brings.
    """

    staying: frozenset[Host]
    leaving: tuple[Host, ...]
    coming: int
    missing: int = 0
    beyond: int = 0


@dataclass(slots=True)
class Leaving:
    """Who leaves.

    Attributes:
        now: in this round.
        of_planner: how many of them by the planner's own idea.
        surge: how many instances more than its limit the slice may have meanwhile.
        waiting: who is to leave and stays yet, and why.
    """

    now: set[Host] = field(default_factory=set)
    of_planner: int = 0
    surge: int = 0
    waiting: list[Waiting] = field(default_factory=list)


def leave(change: Change, disruption: Disruption, licence: Licence) -> Leaving:
    """Who leaves in this round.

    Args:
        change: what the plan wants.
        disruption: how the slice stands to its budget.
        licence: what may leave of what is in service.
    """
    bars = {host: bar for host, bar in disruption.bars.items() if bar.leaves}
    barred = [host for host in change.leaving if host in bars]
    others = [host for host in change.leaving if host not in bars]
    leaving = Leaving(now={host for host in barred if bars[host].forced})
    free = licence.agreed | _idle_misfits(others, disruption)
    kept = [] if licence.people else [host for host in others if host not in free]
    leaving.now |= {*others} - {*kept}
    moved = [host for host in barred if not bars[host].forced]
    if licence.people:
        leaving.now |= _surplus(change, moved, disruption)
        moved = [host for host in moved if host not in leaving.now]
    if not (moved or kept):
        return leaving
    room = _Room(disruption, leaving.now)
    _move(leaving, change, moved, room)
    # What a surge began beyond the limit may end again: a drain was cancelled, or a window is over.
    ended = [host for host in room.cheapest(kept)[: change.beyond] if room.take(host)]
    leaving.now |= {*ended}
    _take(leaving, [host for host in kept if host not in leaving.now], room, licence.stops)
    if any(host not in leaving.now for host in moved) or room.is_short:
        leaving.surge = SURGE
    return leaving


def _idle_misfits(hosts: Collection[Host], disruption: Disruption) -> set[Host]:
    """Those that the slice leaves alone, where nothing of it runs: nobody misses what does not run."""
    out = {*disruption.seen.fits(disruption.slice.name).out, *unfit(disruption.slice, disruption.seen)}
    return {host for host in hosts if host in out and disruption.healths[host] in _DOWN}


def _surplus(change: Change, moved: Collection[Host], disruption: Disruption) -> set[Host]:
    """Of what is out of service, what people took away: they have lowered the number of instances.

    Back in service it would be the planner's own idea to stop it, so it would be held, and run.
    """
    order = sorted(moved, key=lambda host: (_LOSS[disruption.healths[host]], host))
    return {*order[: max(len(order) - change.coming - change.missing - SURGE, 0)]}


class _Room:
    """What the budget still allows in this round; ``is_short`` once it has held something up."""

    def __init__(self, disruption: Disruption, gone: Iterable[Host]) -> None:
        self.disruption = disruption
        self.is_short = False
        self._left = disruption.up - disruption.least
        for host in gone:
            self._left -= disruption.healths[host] is Health.UP

    def costs(self, host: Host) -> bool:
        return self.disruption.healths[host] is not Health.FAILED

    def take(self, host: Host) -> bool:
        """Whether the budget allows ``host`` to go; then it is gone."""
        if not self.costs(host):
            return True
        if self._left <= 0:
            self.is_short = True
            return False
        self._left -= 1
        return True

    def cheapest(self, hosts: Collection[Host]) -> list[Host]:
        return sorted(hosts, key=lambda host: (self.costs(host), host))

    @property
    def sentence(self) -> str:
        one = self.disruption
        said = f"{one.up} of {one.wanted} {'runs' if one.up == 1 else 'run'}, at least {one.least} must"
        never = f"; {one.contradiction}" if one.contradiction else ""
        return f"the disruption budget ({one.slice.budget.text}) holds it: {said}{never}"


def _move(leaving: Leaving, change: Change, hosts: list[Host], room: _Room) -> None:
    """What is out of service goes, each after what comes in its place."""
    health = room.disruption.healths
    to_come = change.coming + sum(health[host] in _MAY_COME for host in change.staying)
    replaced = len(hosts) - to_come
    for host in room.cheapest(hosts):
        bar = room.disruption.bars[host]
        if room.costs(host) and replaced <= 0:
            leaving.waiting.append(_waits(room, host, bar, "its replacement does not run yet"))
        elif room.take(host):
            leaving.now.add(host)
            replaced -= 1
        else:
            leaving.waiting.append(_waits(room, host, bar, room.sentence))


def _take(leaving: Leaving, hosts: list[Host], room: _Room, stops: int) -> None:
    """What the plan gives up without a change by people: few go, the others when people agree."""
    for host in room.cheapest(hosts):
        to_agree = leaving.of_planner >= stops
        if to_agree:
            why = FEW
        elif room.take(host):
            leaving.now.add(host)
            leaving.of_planner += 1
            continue
        else:
            why = room.sentence
        reason = f"it is to leave the slice, but {why}"
        leaving.waiting.append(
            Waiting(slice=room.disruption.slice.name, host=host, reason=reason, to_agree=to_agree)
        )


def _waits(room: _Room, host: Host, bar: Bar, why: str) -> Waiting:
    late = "over time: " if bar.late else ""
    reason = f"{late}{bar.sentence}, but {why}"
    return Waiting(slice=room.disruption.slice.name, host=host, reason=reason)
