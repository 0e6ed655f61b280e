"""What plans selected last: a plan that is asked again of the same hosts selects the same.

Kept with the ground (`planner.plans.ground`), for each slice and each way of looking at it the last answer
only. Another fact, node or name makes another ground, and so an empty memory. Plans in which applications'
doings decide (`planner.plans.graph.is_live`) are asked anew each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dsmt_core.names import PlanName
from planner.plans.evaluation import evaluate
from planner.plans.graph import Plans, is_live
from planner.plans.selection import Selection
from planner.plans.world import ALIVE, World

# An answer keeps some columns of all hosts: so many cells in all, some hundred megabytes at the very most.
MOST_CELLS: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A selection, and what it was made of."""

    name: PlanName
    parameters: Mapping[str, str]
    plans: Plans
    seen: tuple[bytes, ...]
    selection: Selection

    def is_of(self, name: PlanName, parameters: Mapping[str, str], plans: Plans) -> bool:
        """Whether just this plan was asked, made of the very same objects."""
        return self.name == name and self.parameters is parameters and self.plans is plans


def select(name: PlanName, parameters: Mapping[str, str], plans: Plans, world: World) -> Selection:
    """The hosts that a plan selects, as `planner.plans.evaluate` says; for who asks for no reasons.

    Args:
        name: of ``plans``, or of a function.
        parameters: further ones; as ``plans`` never changed in place.
        plans: the slice's plans, each of them checked.
        world: the hosts.

    Raises:
        NotFound, Invalid, Conflict: a plan was not checked.
    """
    memory: dict[object, Answer] = world.ground.memory
    barred = b"" if world.barred is None else world.barred.mask.tobytes()
    seen = world.trust.tobytes(), world.members.tobytes(), barred
    key = world.slice, bool((world.trust == ALIVE).all())
    known = memory.get(key)
    same = known is not None and known.is_of(name, parameters, plans)
    if known is not None and same and known.seen == seen:
        return known.selection
    selection = evaluate(name, parameters, plans, world)
    # What is known of a plan once was no plan in which doings decide.
    if same or not is_live(name, parameters, plans):
        if len(memory) * len(world.ground) > MOST_CELLS:
            memory.clear()
        memory[key] = Answer(name, parameters, plans, seen, selection)
    return selection
