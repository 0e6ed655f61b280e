"""The laws of nodes out of service notice what they are there for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner import leaving
from planner.budget import budget
from planner.disruption import Disruption
from planner.standing import Drain, Mark, Standing
from tests.world.layout import small
from tests.world.standing_part import Service
from tests.world.truth import Broken
from tests.world.world import SLICE, World

DRAINED = Standing(drain=Drain(by="ann", since=0.0))


def calm(seed: int = 4) -> World:
    """A world without misfortune that has come to rest."""
    world = World(seed, replace(small(), stands=True))
    world.simulation.faulty = False
    world.simulation.run(world.simulation.now + 20, world.check)
    assert not world.differs()
    return world


def service(world: World) -> Service:
    assert world._service is not None
    return world._service


def test_a_drain_in_calm_weather_is_legal() -> None:
    service(calm()).drain_in_calm_weather()


def test_the_laws_notice_a_drain_that_does_not_wait_for_the_replacement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = calm()
    monkeypatch.setattr(leaving, "SURGE", 0)
    monkeypatch.setattr(leaving, "_MAY_COME", frozenset())
    with pytest.raises(AssertionError, match=r"run while one moves|is not empty"):
        service(world).drain_in_calm_weather()


def test_the_laws_notice_what_is_placed_under_a_cordon() -> None:
    world = calm()
    spare = min(world.nodes.keys() - world.slice.hosts.keys())
    cordoned = Standing(cordoned=Mark(by="ann", since=0.0))
    world.planner.stand({spare: cordoned})
    placed = {**world.slice.hosts, spare: world.slice.generation}
    world.planner.store.keep(replace(world.slice, hosts=placed))
    with pytest.raises(Broken, match="are out of service"):
        service(world).check()


def test_the_laws_notice_a_budget_that_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    world = calm()
    everybody = replace(world.slice, budget=budget("keep 3"), plan_parameters={"count": "5"})
    world.planner.change(everybody)
    world.simulation.run(world.simulation.now + 30, world.check)
    monkeypatch.setattr(Disruption, "least", property(lambda _: 0))
    world.planner.stand(dict.fromkeys(sorted(world.truth.hosts(SLICE))[:4], DRAINED))
    with pytest.raises(AssertionError, match="have to be up"):
        world.simulation.run(world.simulation.now + 30, world.check)
