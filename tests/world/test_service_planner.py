"""A service planner over the simulated world: the load goes up, the count follows, and down again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from dsmt_core.guards import Guard, Ruled
from planner.guarded import Guarded
from tests.examples import example
from tests.world.laws import limit_of
from tests.world.test_scenes import Scene
from tests.world.world import SLICE

LOOK_S = 5.0
RAILS = Guard(least=1, most=4, step=1, cool_down_s=10.0)


scaling = example("autoscaler", "scaling")
AIMS = scaling.Aims(low=0.3, high=0.8)


class Loop:
    """The loop over a scene: instances that are reached share the demand, and say their load."""

    def __init__(self, demand: float, *, wish: Callable[..., int] = scaling.wish) -> None:
        self.scene = Scene(Counter())
        self.demand = demand
        self.counts = [limit_of(self.scene.slice)]
        self._wish = wish
        self._changed_at = float("-inf")

    def run(self, seconds: float) -> None:
        end = self.scene.simulation.now + seconds
        while self.scene.simulation.now < end:
            self._look()
            self.scene.wait(LOOK_S)

    def _look(self) -> None:
        running = self.scene.truth.hosts(SLICE) - self.scene.simulation.cut
        loads = [self.demand / len(running) for _ in running]
        current, now = limit_of(self.scene.slice), self.scene.simulation.now
        wished = self._wish(loads, current, AIMS)
        ruled: Ruled = RAILS.decide(current, wished, now=now, changed_at=self._changed_at)
        if ruled.count == current:
            return
        # As the planner keeps it, too.
        Guarded(RAILS, self._changed_at).check(current, ruled.count, now=now)
        slice_ = self.scene.slice
        parameters = {**slice_.plan_parameters, "count": str(ruled.count)}
        self.scene.planner.change(replace(slice_, plan_parameters=parameters))
        self._changed_at = now
        self.counts.append(ruled.count)

    @property
    def running(self) -> int:
        return len(self.scene.truth.hosts(SLICE))


def test_the_count_follows_the_load_up_and_down_again_and_rests_between() -> None:
    loop = Loop(demand=0.5 * 3)
    began = limit_of(loop.scene.slice)
    loop.run(60)
    assert loop.counts == [began], "it changed although the load was as it should be"
    loop.demand = 4 * 0.75
    loop.run(120)
    assert (loop.counts[-1], loop.running) == (4, 4)
    loop.demand = 0.5
    loop.run(120)
    assert (loop.counts[-1], loop.running) == (1, 1)
    assert all(
        abs(after - before) == 1 for before, after in zip(loop.counts, loop.counts[1:], strict=False)
    )
    rested = list(loop.counts)
    loop.run(60)
    assert loop.counts == rested


def test_a_lost_node_makes_no_other_count() -> None:
    loop = Loop(demand=0.5 * 3)
    lost = min(loop.scene.truth.hosts(SLICE))
    loop.scene.nodes[lost].fail()
    loop.run(60)
    assert loop.counts == [3]
    assert len(loop.scene.slice.hosts) == 3
    assert lost not in loop.scene.slice.hosts


def test_a_mad_service_planner_neither_empties_nor_floods_the_slice() -> None:
    wishes = iter([0, 100] * 100)
    loop = Loop(demand=1.0, wish=lambda *_: next(wishes))
    loop.run(150)
    assert RAILS.least <= min(loop.counts) <= max(loop.counts) <= RAILS.most
    assert len(loop.counts) <= 1 + 150 / RAILS.cool_down_s + 1
    loop.run(0)
    assert loop.running >= 1
