"""Many seeds of worlds in which people take nodes out of service; each law notices what it is there for."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from planner import leaving
from planner.budget import budget
from planner.disruption import Disruption
from planner.standing import Drain, Standing
from tests.world.standing_part import StandingWorld, run
from tests.world.world import SLICE

SEEDS = int(os.environ.get("DSMT_WORLD_SEEDS", "1000")) // 5
FIRST = int(os.environ.get("DSMT_WORLD_FIRST", "0"))
CHUNK = 20
DRAINED = Standing(drain=Drain(by="ann", since=0.0))


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, CHUNK))
def test_no_law_is_broken_in_worlds_from_seed(first: int) -> None:
    for seed in range(first, min(first + CHUNK, FIRST + SEEDS)):
        run(seed)


def calm(seed: int = 4) -> StandingWorld:
    """A world without misfortune that has come to rest."""
    world = StandingWorld(seed)
    world.simulation.faulty = False
    world.simulation.run(world.simulation.now + 20, world.check)
    assert not world.differs()
    return world


def test_the_laws_notice_a_drain_that_does_not_wait_for_the_replacement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = calm()
    monkeypatch.setattr(leaving, "SURGE", 0)
    monkeypatch.setattr(leaving, "_MAY_COME", frozenset())
    with pytest.raises(AssertionError, match=r"run while one moves|is not empty"):
        world._drain_in_calm_weather()


def test_the_laws_notice_a_budget_that_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    world = calm()
    everybody = replace(world.slice, budget=budget("keep 3"), plan_parameters={"count": "5"})
    world.planner.change(everybody)
    world.simulation.run(world.simulation.now + 30, world.check)
    monkeypatch.setattr(Disruption, "least", property(lambda _: 0))
    world.planner.stand(dict.fromkeys(sorted(world.truth.hosts(SLICE))[:4], DRAINED))
    with pytest.raises(AssertionError, match="have to be up"):
        world.simulation.run(world.simulation.now + 30, world.check)
