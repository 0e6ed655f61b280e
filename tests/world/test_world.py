"""Many seeds of the simulated world: ``DSMT_WORLD_SEEDS`` of them, from ``DSMT_WORLD_FIRST`` on.

A broken law names its seed; ``python -m tests.world --seed N`` runs it again, step by step the same.
"""

from __future__ import annotations

import os

import pytest

from tests.world.world import run

SEEDS = int(os.environ.get("DSMT_WORLD_SEEDS", "2000"))
FIRST = int(os.environ.get("DSMT_WORLD_FIRST", "0"))
CHUNK = 100


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
