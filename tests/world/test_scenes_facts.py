"""Scenes about facts: a source of them fails, somebody makes a mistake in it, people agree or do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dsmt_core.names import Host, PlanName
from planner.plans import World as PlanWorld
from tests.world.layout import small
from tests.world.truth import Broken
from tests.world.world import SLICE, World

LONGER_THAN_VALID_S = 12.0


class Ours(World):
    """A world at rest whose plan asks the inventory for machines of our own."""

    def __init__(self) -> None:
        super().__init__(4, replace(small(), facts=True))
        self.simulation.faulty = False
        self.wait(5)
        self.planner.change(replace(self.slice, plan=PlanName("ours")))
        self.wait(20)
        assert not self.differs()
        self.members = set(self.slice.hosts)

    def wait(self, seconds: float) -> None:
        self.simulation.run(self.simulation.now + seconds, self.check)

    def sell(self, *hosts: Host) -> None:
        for host in hosts:
            self.planner.inventory.owners[host] = "them"
            self.excuse(host)

    def crash_planner(self) -> None:
        self.planner.crash(away_s=1.0)
        self.wait(5)


def test_a_source_that_fails_makes_nobody_leave_also_when_the_planner_starts_anew() -> None:
    world = Ours()
    world.planner.inventory.is_up = False
    world.wait(LONGER_THAN_VALID_S)
    assert set(world.slice.hosts) == world.members
    world.crash_planner()
    assert set(world.slice.hosts) == world.members
    assert world.truth.hosts(SLICE) == world.members


def test_the_law_notices_when_unknown_is_taken_for_false(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Ours()
    nobody = property(lambda of: np.zeros(len(of.members), dtype=np.bool_))
    monkeypatch.setattr(PlanWorld, "staying", nobody)
    world.planner.inventory.is_up = False
    with pytest.raises(Broken, match="though they were well and nobody asked"):
        world.wait(LONGER_THAN_VALID_S)


def test_a_mistake_in_a_source_costs_one_instance_until_people_agree() -> None:
    world = Ours()
    first, second, _ = sorted(world.members)
    world.sell(first, second)
    world.wait(40)
    assert len(world.members - world.slice.hosts.keys()) == 1
    assert "dsmtc agree" in world.differs()
    world.planner.agree(SLICE)
    world.wait(10)
    assert not {first, second} & world.slice.hosts.keys()
    assert not world.differs()


def test_a_mistake_that_is_put_right_costs_no_more_than_the_first() -> None:
    world = Ours()
    first, second, _ = sorted(world.members)
    world.sell(first, second)
    world.wait(3)
    world.planner.inventory.owners |= dict.fromkeys((first, second), "us")
    world.wait(40)
    assert len(world.members - world.slice.hosts.keys()) == 1
    assert not world.differs()
