"""A plan that is asked again of the same hosts is not evaluated again, and else always."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from dsmt_core.names import Host, PlanName, Slice
from planner.plans import Barred, Ground, Selection, World, evaluate, memory, select
from planner.plans.graph import Plans
from planner.plans.world import FAILED
from planner.wanted import Plan

HOSTS = [Host(f"n{number}.site{number % 2}.org") for number in range(6)]
LIMIT = PlanName("limit")
TWO: Mapping[str, str] = {"parent": "good", "count": "2"}
PLANS = {
    PlanName("good"): Plan(PlanName("good"), "minus", {"left": "all_nodes", "right": "failed"}),
    PlanName("doing"): Plan(PlanName("doing"), "status", {"is": "running"}),
}


def world(members: int = 0, **changed: object) -> World:
    """Six hosts that are alive, of which so many are in the slice."""
    ground = Ground.of({host: {} for host in HOSTS})
    plain = World(
        slice=Slice("s1"),
        ground=ground,
        trust=np.zeros(len(ground), dtype=np.int8),
        members=ground.mask(HOSTS[:members]),
    )
    return replace(plain, **changed)  # type: ignore[arg-type]


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The plans that were evaluated."""
    names: list[str] = []

    def noted(name: PlanName, parameters: Mapping[str, str], plans: Plans, there: World) -> Selection:
        names.append(name)
        return evaluate(name, parameters, plans, there)

    monkeypatch.setattr(memory, "evaluate", noted)
    return names


def failed(of: World, row: int) -> World:
    trust = of.trust.copy()
    trust[row] = FAILED
    return replace(of, trust=trust)


def test_the_same_again_is_not_evaluated_again(evaluated: list[str]) -> None:
    there = world(2)
    first = select(LIMIT, TWO, PLANS, there)
    assert first.hosts == (HOSTS[0], HOSTS[1])
    assert select(LIMIT, TWO, PLANS, replace(there, members=there.members.copy())) is first
    assert evaluated == [LIMIT]


def test_whatever_else_it_is_is_evaluated(evaluated: list[str]) -> None:
    there = world(2)
    select(LIMIT, TWO, PLANS, there)
    assert HOSTS[0] not in select(LIMIT, TWO, PLANS, failed(there, 0)).hosts
    assert len(select(LIMIT, TWO, PLANS, replace(there, members=there.ground.mask(HOSTS[2:4]))).hosts) == 2
    out = Barred(there.ground.mask(HOSTS[:1]), lambda _host: "out")
    assert HOSTS[0] not in select(LIMIT, TWO, PLANS, replace(there, barred=out)).hosts
    assert len(select(LIMIT, {**TWO, "count": "3"}, PLANS, there).hosts) == 3
    none = {
        PlanName("good"): replace(PLANS[PlanName("good")], parameters={"left": "failed", "right": "failed"})
    }
    assert select(LIMIT, TWO, none, there).hosts == ()
    assert len(select(PlanName("all_nodes"), {}, PLANS, there).hosts) == 6
    assert len(select(LIMIT, TWO, PLANS, replace(there, slice=Slice("s2"))).hosts) == 2
    assert len(evaluated) == 8


def test_the_world_as_it_is_and_as_it_would_be_in_order_are_remembered_side_by_side(
    evaluated: list[str],
) -> None:
    there = world(2)
    ill = failed(there, 0)
    for one in (there, ill, there, ill):
        select(LIMIT, TWO, PLANS, one)
    assert len(evaluated) == 2


def test_what_applications_do_is_asked_anew_each_time(evaluated: list[str]) -> None:
    there = world(2, states=lambda _doing: [HOSTS[5]])
    for _ in range(2):
        assert select(PlanName("doing"), {}, PLANS, there).hosts == (HOSTS[5],)
    assert len(evaluated) == 2
    select(LIMIT, TWO, PLANS, there)
    select(PlanName("doing"), {}, PLANS, there)
    select(PlanName("doing"), {}, PLANS, there)
    assert len(evaluated) == 5


def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_CELLS", 30)
    there = world(2)
    for number in range(100):
        select(LIMIT, TWO, PLANS, replace(there, slice=Slice(f"s{number}")))
        assert len(there.ground.memory) <= 6
