"""Worlds in which people also take nodes out of service, in the middle of everything else.

Besides the laws of every world:

* never more than the limit and one on the living, while something moves;
* never below the disruption budget by the planner's own doing: what it takes away leaves as many instances
  up as the budget says, counted by what really runs;
* what is drained in calm weather leaves after its replacement runs: never one less, never two more;
* under a cordon nothing is placed.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from dsmt_core.names import Host
from planner.budget import budget
from planner.leaving import SURGE
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
from tests.world.laws import Limit, limit_of
from tests.world.layout import small
from tests.world.store import is_away
from tests.world.truth import Broken, Place
from tests.world.world import APP, SLICE, World

BUDGETS: Final = tuple(map(budget, ("", "keep 1", "keep 50%", "max-unavailable 2", "keep 100%")))
# What people say; the second half gives nodes back.
VERBS: Final = (
    Verb.DRAIN,
    Verb.DRAIN,
    Verb.EXCLUDE,
    Verb.CORDON,
    Verb.WINDOW,
    Verb.UNCORDON,
    Verb.CANCEL_DRAIN,
    Verb.INCLUDE,
    Verb.CANCEL_WINDOWS,
)
# So long it may take until the planner knows of what befell an instance: an agent tells all each 10 s.
HEARD_S: Final = 13.0
EMPTY_S: Final = 60.0
_DEEDS: Final = 6


class StandingWorld(World):
    """One run."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, small())
        # What comes back into service may make a plan move something.
        self.planner.allow_moves()
        self._limits = {SLICE: Limit(SLICE, limit_of(self.slice), moves=True)}
        self._ended: dict[Place, float] = {}
        self._running: set[Place] = set()
        self._begun: dict[Place, float] = {}
        self._before = self.slice
        self._calm: int | None = None
        chosen = self.simulation.luck.choice(BUDGETS)
        self._put(replace(self.slice, budget=chosen))

    def run(self) -> None:
        """The whole run: with faults and people, then in calm weather.

        Raises:
            Broken: a law was.
        """
        last = self.layout.faults_s
        for _ in range(_DEEDS):
            self.simulation.after(self.simulation.luck.uniform(0.0, last - 1), self._stand)
        self.simulation.after(last, self._give_back)
        super().run()
        self._drain_in_calm_weather()

    def check(self) -> None:
        """The laws of every world, and those of nodes out of service."""
        super().check()
        running = {place for place, process in self.truth.processes.items() if process.well}
        self._ended |= dict.fromkeys(self._running - running, self.simulation.now)
        self._begun |= dict.fromkeys(running - self._running, self.simulation.now)
        self._running = running
        before, self._before = self._before, self.slice
        if before.hosts.keys() != self.slice.hosts.keys() and not self.planner.store.restored:
            self._check_budget(before, self.slice)
            self._check_placed(before, self.slice)
        if self._calm is not None:
            now = len(self._really_up(self.slice.hosts.keys() | self.slice.retired.keys()))
            if not self._calm <= now <= self._calm + SURGE:
                raise Broken(f"{now} run while one moves, {self._calm} did before")

    # -- laws -----------------------------------------------------------------------------------------

    def _check_budget(self, before: WantedSlice, after: WantedSlice) -> None:
        """What the planner takes away leaves as many as the budget says."""
        bars = bars_at(self.planner.store.wanted.standings, self.planner.now)
        taken = self._really_up(before.hosts.keys() - after.hosts.keys())
        own = {host for host in taken if self._is_planners(before, bars.get(host))}
        own -= {host for host in own if self._is_away(host) or self._has_begun_lately(host)}
        if not own:
            return
        left = self._up_or_unlucky(before.hosts.keys() & after.hosts.keys())
        least = before.budget.least(min(limit_of(self.slice), self._fits(bars)))
        if len(left) < least:
            raise Broken(f"{sorted(own)} were taken away: {sorted(left)} are left, {least} have to be up")

    def _check_placed(self, before: WantedSlice, after: WantedSlice) -> None:
        bars = bars_at(self.planner.store.wanted.standings, self.planner.now)
        placed = (after.hosts.keys() - before.hosts.keys()) & bars.keys()
        if placed:
            raise Broken(f"{sorted(placed)} were placed on, and are out of service")

    def _is_planners(self, before: WantedSlice, bar: Bar | None) -> bool:
        """Whether taking it away now is the planner's own doing."""
        if bar is not None:
            return bar.leaves and not bar.forced
        return before.name not in self.planner.store.asked

    def _is_away(self, host: Host) -> bool:
        return is_away(self.planner.fleet, host)

    def _has_begun_lately(self, host: Host) -> bool:
        begun = self._begun.get((host, SLICE, APP), 0.0)
        return self.simulation.now - begun < HEARD_S

    def _fits(self, bars: Bars) -> int:
        """How many nodes there are for the plan when all are well and in service."""
        gone = {host for host, bar in bars.items() if bar.kind is Kind.EXCLUDED}
        hosts = {host: self.nodes[host].facts for host in self.living() if host not in gone}
        return self.layout.fits(self.slice.plan, hosts)

    def _really_up(self, hosts: Collection[Host]) -> set[Host]:
        return {
            host
            for (host, of, _), process in self.truth.processes.items()
            if of == SLICE and process.well and host in hosts
        }

    def _up_or_unlucky(self, hosts: Collection[Host]) -> set[Host]:
        """What runs, what people have stopped, and what ended so lately that nobody can know."""
        stopped = {one.host for one in self.slice.placements if one.run is Run.STOPPED}
        lately = {place[0] for place, when in self._ended.items() if self.simulation.now - when < HEARD_S}
        return self._really_up(hosts) | {host for host in hosts if host in stopped | lately}

    # -- people ---------------------------------------------------------------------------------------

    def _stand(self) -> None:
        """People say something of a node or two."""
        if not self.planner.alive:
            return
        luck, now = self.simulation.luck, self.planner.now
        standings = dict(self.planner.store.wanted.standings)
        mark = Mark(by="ann", since=now, reason="a reason")
        verb = luck.choice(VERBS)
        begins = now + luck.uniform(0.0, 5.0)
        window = Window(
            by="ann",
            since=now,
            begins=begins,
            ends=begins + luck.uniform(1.0, 20.0),
            lead=luck.uniform(0, 5),
        )
        wish = Wish(
            verb=verb,
            mark=mark,
            at_once=luck.random() < 0.3,
            deadline_s=luck.uniform(1.0, 20.0),
            force=luck.random() < 0.5,
            window=window,
        )
        for host in luck.sample(sorted(self.nodes), luck.randint(1, 2)):
            standings[host] = wished(standings.get(host, IN_SERVICE), wish, now)
        self._put_standings(standings)

    def _give_back(self) -> None:
        """Everything is in service again, and no budget holds roll-outs up for ever."""
        self._put_standings({})
        self._put(replace(self.slice, budget=BUDGETS[0]))

    def _put_standings(self, standings: Standings) -> None:
        self.planner.stand({host: one for host, one in standings.items() if one})
        now = self.planner.now
        due = next_change(standings, now)
        if due < float("inf"):
            self.simulation.after(due - now + 0.001, self._time_passes)

    def _time_passes(self) -> None:
        """A window begins or ends, or a deadline comes: people had said so."""
        self._put_standings(self.planner.store.wanted.standings)

    def _put(self, slice_: WantedSlice) -> None:
        self.planner.change(slice_)
        self._before = self.slice

    def _drain_in_calm_weather(self) -> None:
        """One node, and there is another: its replacement runs before it stops."""
        used = sorted(self._really_up(frozenset(self.slice.hosts)))
        spare = self._fits({}) > len(self.slice.hosts)
        if not used or not spare:
            return
        host = self.simulation.luck.choice(used)
        self._calm = len(used)
        drained = wished(IN_SERVICE, Wish(verb=Verb.DRAIN, mark=Mark(by="ann", since=0.0)), 0.0)
        self.planner.stand({host: drained})
        last = self.simulation.now + EMPTY_S
        while host in self.slice.hosts or self.slice.retired or host in self.truth.hosts(SLICE):
            self.simulation.run(self.simulation.now + 1.0, self.check)
            if self.simulation.now > last:
                waiting = self.planner.held_back.of(SLICE)
                raise Broken(f"{host} is not empty {EMPTY_S:g} s after it was drained: {waiting}")
        if len(self._really_up(frozenset(self.slice.hosts))) != len(used):
            raise Broken(f"{len(used)} ran before {host} was drained, and not after")


def run(seed: int) -> StandingWorld:
    """Run the world of one seed.

    Raises:
        Broken: a law was broken; the message says how to see it again.
    """
    world = StandingWorld(seed)
    try:
        world.run()
    except Exception as error:
        at = world.simulation.now - 1_000.0
        again = f"python -m tests.world.standing_part {seed}"
        raise Broken(
            f"at {at:.2f} s, step {world.simulation.steps}: {error}\nagain with: {again}"
        ) from error
    return world


if __name__ == "__main__":
    for number in range(int(sys.argv[1]), int(sys.argv[1]) + int([*sys.argv, "1"][2])):
        run(number)
