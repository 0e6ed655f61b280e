"""One seed, as another process can be asked for it."""

from __future__ import annotations

import sys

from tests.world.truth import Broken
from tests.world.world import run


def attempt(asked: tuple[int, bool]) -> tuple[int, str]:
    """One world: how many steps it took, and which law it broke."""
    seed, trace = asked
    try:
        world = run(seed, trace=trace)
    except Broken as error:
        return 0, f"seed {seed}: {error}\n"
    if trace:
        sys.stdout.write("\n".join([*(world.simulation.trace or ()), ""]))
    return world.simulation.steps, ""
