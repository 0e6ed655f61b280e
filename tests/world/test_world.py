"""Many seeds of the simulated world: ``DSMT_WORLD_SEEDS`` of them, from ``DSMT_WORLD_FIRST`` on.

A broken law names its seed; ``python -m tests.world --seed N`` runs it again, step by step the same.
"""

from __future__ import annotations

import os

import pytest

from tests.world.truth import Process, Truth
from tests.world.world import APP, SLICE, World, run

SEEDS = int(os.environ.get("DSMT_WORLD_SEEDS", "1000"))
FIRST = int(os.environ.get("DSMT_WORLD_FIRST", "0"))
CHUNK = 50


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, CHUNK))
def test_no_law_is_broken_in_worlds_from_seed(first: int) -> None:
    for seed in range(first, min(first + CHUNK, FIRST + SEEDS)):
        run(seed)


def test_the_same_seed_is_the_same_run() -> None:
    first, second = run(7), run(7)
    assert first.simulation.steps == second.simulation.steps
    assert first.simulation.now == second.simulation.now
    assert first.truth.started == second.truth.started
    assert first.slice == second.slice


def test_the_laws_notice_an_instance_too_many() -> None:
    world = World(1)
    world.simulation.faulty = False
    world.simulation.run(world.simulation.now + 10, world.check)
    for host in world.nodes:
        world.truth.processes[host, SLICE, APP] = Process("1.0-1")
    with pytest.raises(AssertionError, match="5 instances on living nodes, the limit is 3"):
        world.check()


def test_the_laws_notice_a_second_instance_and_a_stop_without_reason() -> None:
    truth = Truth()
    place = (next(iter(World(1).nodes)), SLICE, APP)
    truth.start(place, "1.0-1")
    with pytest.raises(AssertionError, match="a second pinger"):
        truth.start(place, "1.0-1")
    with pytest.raises(AssertionError, match="without a reason"):
        truth.stop(place, why="")
