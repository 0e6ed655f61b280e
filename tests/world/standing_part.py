"""Nodes out of service in the simulated world: what people say of them, and the laws.

* never more than the limit and one on the living, while something moves;
* never below the disruption budget by the planner's own doing: what it takes away leaves as many instances
  up as the budget says, counted by what really runs;
* what is drained in calm weather leaves after its replacement runs: never one less, never two more;
* under a cordon nothing is placed;
* whom people distrust has failed, or is on probation, whatever is heard of it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from dsmt_core.names import Host, Slice
from planner.disruption import Disruption
from planner.fleet import Fleet
from planner.standing import (
    IN_SERVICE,
    Bar,
    Bars,
    Kind,
    Mark,
    Standings,
    Verb,
    Window,
    Wish,
    bars_at,
    next_change,
    wished,
)
from planner.wanted import Run, WantedSlice
from tests.world.laws import SURGE, limit_of
from tests.world.layout import APP, fits
from tests.world.store import is_away
from tests.world.truth import Broken, Place

if TYPE_CHECKING:
    from tests.world.world import World

# What people say; the second half gives nodes back.
VERBS: Final = (
    Verb.DRAIN,
    Verb.DRAIN,
    Verb.EXCLUDE,
    Verb.CORDON,
    Verb.WINDOW,
    Verb.DISTRUST,
    Verb.TRUST,
    Verb.UNCORDON,
    Verb.CANCEL_DRAIN,
    Verb.INCLUDE,
    Verb.CANCEL_WINDOWS,
)
# So long it may take until the planner knows of what befell an instance: an agent tells all each 10 s.
HEARD_S: Final = 13.0
EMPTY_S: Final = 60.0


def stand(world: World) -> None:
    """People say something of a node or two."""
    luck, now = world.simulation.luck, world.planner.now
    standings = dict(world.planner.store.wanted.standings)
    begins = now + luck.uniform(0.0, 5.0)
    window = Window(
        by="ann", since=now, begins=begins, ends=begins + luck.uniform(1.0, 20.0), lead=luck.uniform(0, 5)
    )
    wish = Wish(
        verb=luck.choice(VERBS),
        mark=Mark(by="ann", since=now, reason="a reason"),
        at_once=luck.random() < 0.3,
        deadline_s=luck.uniform(1.0, 20.0),
        force=luck.random() < 0.5,
        window=window,
    )
    for host in luck.sample(sorted(world.nodes), luck.randint(1, 2)):
        standings[host] = wished(standings.get(host, IN_SERVICE), wish, now)
        if wish.verb is Verb.TRUST:
            world.planner.tracker.trusted(host, wish.mark)
    _put(world, standings)


def give_back(world: World) -> None:
    """Everything is in service again."""
    if world.planner.store.wanted.standings:
        _put(world, {})


def _put(world: World, standings: Standings) -> None:
    world.planner.stand({host: one for host, one in standings.items() if one})
    now = world.planner.now
    due = next_change(standings, now)
    if due < float("inf"):
        # A window begins or ends, or a deadline comes: people had said so.
        world.simulation.after(due - now + 0.001, lambda: _put(world, world.planner.store.wanted.standings))


def check_distrusted(standings: Standings, seen: Fleet) -> None:
    """Whom people distrust does not count as one of the living once the tracker has looked.

    Raises:
        Broken: one does.
    """
    for host, standing in standings.items():
        if standing.distrusted and host in seen.hosts and not is_away(seen, host):
            raise Broken(f"{host} is {seen.state(host)}, though people distrust it")


class Service:
    """The laws of one world in which nodes are taken out of service."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ended: dict[Place, float] = {}
        self._begun: dict[Place, float] = {}
        self._running: set[Place] = set()
        self._before = world.planner.store.wanted.slices
        self._calm: int | None = None

    def check(self) -> None:
        """The laws about what was taken away, and placed, since the last look.

        Raises:
            Broken: one was.
        """
        world = self._world
        running = {place for place, process in world.truth.processes.items() if process.well}
        self._ended |= dict.fromkeys(self._running - running, world.simulation.now)
        self._begun |= dict.fromkeys(running - self._running, world.simulation.now)
        self._running = running
        before, self._before = self._before, world.planner.store.wanted.slices
        for name, after in self._before.items():
            was = before[name]
            if was.hosts.keys() != after.hosts.keys() and not world.planner.store.restored:
                self._check_budget(was, after)
                self._check_placed(was, after)
        if self._calm is not None:
            now = len(self._really_up(world.slice, world.slice.hosts.keys() | world.slice.retired.keys()))
            if not self._calm <= now <= self._calm + SURGE:
                raise Broken(f"{now} run while one moves, {self._calm} did before")

    def drain_in_calm_weather(self) -> None:
        """One node, and there is another: its replacement runs before it stops.

        Raises:
            Broken: it does not.
        """
        world = self._world
        used = sorted(self._really_up(world.slice, world.slice.hosts))
        runs = {world.slice.applications[APP].run, *(one.run for one in world.slice.placements)}
        if Run.STOPPED in runs:
            # What people turned on some hosts alone is not said of others.
            return
        if not used or self._fits(world.slice, {}) <= len(world.slice.hosts):
            return
        host = world.simulation.luck.choice(used)
        self._calm = len(used)
        drained = wished(IN_SERVICE, Wish(verb=Verb.DRAIN, mark=Mark(by="ann", since=0.0)), 0.0)
        world.planner.stand({host: drained})
        last = world.simulation.now + EMPTY_S
        while self._is_used(host):
            world.simulation.run(world.simulation.now + 1.0, world.check)
            if world.simulation.now > last:
                waiting = world.planner.held_back.of(world.slice.name)
                raise Broken(f"{host} is not empty {EMPTY_S:g} s after it was drained: {waiting}")
        if len(self._really_up(world.slice, world.slice.hosts)) != len(used):
            raise Broken(f"{len(used)} ran before {host} was drained, and not after")

    def _is_used(self, host: Host) -> bool:
        slice_ = self._world.slice
        return host in slice_.hosts or bool(slice_.retired) or host in self._world.truth.hosts(slice_.name)

    def _check_budget(self, before: WantedSlice, after: WantedSlice) -> None:
        """What the planner takes away leaves as many as the budget says."""
        bars = self._bars()
        taken = self._really_up(before, before.hosts.keys() - after.hosts.keys())
        # Where people have lowered the number, what is out of service leaves with the rest, but for one.
        carried = before.name in self._world.planner.store.carried
        if carried and len(before.hosts) > limit_of(after) + SURGE:
            return
        own = {host for host in taken if self._is_planners(before, host, bars.get(host))}
        own -= {host for host in own if self._is_away(host) or self._has_begun_lately(before.name, host)}
        if not own:
            return
        left = self._up_or_unlucky(before, before.hosts.keys() & after.hosts.keys())
        wanted = min(limit_of(after), self._fits(after, bars))
        if self._world.layout.facts or self._world.layout.follows:
            # Whom the planner knows not enough of it cannot count.
            wanted = min(wanted, Disruption(before, self._world.planner.fleet, bars).wanted)
        # People may have changed the budget since the last look.
        least = min(one.budget.least(wanted) for one in (before, after))
        if len(left) < least:
            raise Broken(f"{sorted(own)} were taken away: {sorted(left)} are left, {least} have to be up")

    def _check_placed(self, before: WantedSlice, after: WantedSlice) -> None:
        placed = (after.hosts.keys() - before.hosts.keys()) & self._bars().keys()
        if placed:
            raise Broken(f"{sorted(placed)} were placed on, and are out of service")

    def _bars(self) -> Bars:
        return bars_at(self._world.planner.store.wanted.standings, self._world.planner.now)

    def _is_planners(self, before: WantedSlice, host: Host, bar: Bar | None) -> bool:
        """Whether taking it away now is the planner's own doing."""
        if bar is not None:
            return bar.leaves and not bar.forced
        of_people = before.name in self._world.planner.store.carried or host in before.restraint.agreed
        return not of_people

    def _is_away(self, host: Host) -> bool:
        return is_away(self._world.planner.fleet, host)

    def _has_begun_lately(self, slice_: Slice, host: Host) -> bool:
        begun = self._begun.get((host, slice_, APP), 0.0)
        return self._world.simulation.now - begun < HEARD_S

    def _fits(self, slice_: WantedSlice, bars: Bars) -> int:
        """How many nodes that nobody forgot there are for the plan when all are well and in service."""
        gone = {host for host, bar in bars.items() if bar.kind is Kind.EXCLUDED}
        known = [host for host in self._world.living() if host in self._world.planner.store.nodes]
        there = [host for host in known if host not in gone]
        return fits(slice_, {host: self._world.facts(host) for host in there}, self._world.led())

    def _really_up(self, slice_: WantedSlice, hosts: Collection[Host]) -> set[Host]:
        return {host for host, of, _ in self._running if of == slice_.name and host in hosts}

    def _up_or_unlucky(self, slice_: WantedSlice, hosts: Collection[Host]) -> set[Host]:
        """What runs, what people have stopped, and what ended so lately that nobody can know."""
        stopped = {one.host for one in slice_.placements if one.run is Run.STOPPED}
        now = self._world.simulation.now
        lately = {
            place[0]
            for place, when in self._ended.items()
            if place[1] == slice_.name and now - when < HEARD_S
        }
        return self._really_up(slice_, hosts) | {host for host in hosts if host in stopped | lately}
