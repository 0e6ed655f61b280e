"""Evaluating a plan: from the plan in force down to the functions, each name once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from dsmt_core.errors import Conflict
from dsmt_core.names import PlanName
from planner.plans.arguments import read_arguments
from planner.plans.function import Call
from planner.plans.graph import Plans, in_force, resolve
from planner.plans.selection import Part, Reason, Selection
from planner.plans.world import World
from planner.wanted import Plan

# What decides about a node that is out of service: no plan and no function.
STANDING: Final = "standing"


def evaluate(name: PlanName, parameters: Mapping[str, str], plans: Plans, world: World) -> Selection:
    """What a plan, or a function, selects now.

    Args:
        name: of ``plans``, or of a function.
        parameters: further ones, which come before the plan's own.
        plans: the slice's plans, each of them checked by `check_plan`.
        world: the hosts.

    Raises:
        NotFound, Invalid, Conflict: a plan was not checked.
    """
    return Selection(_Evaluation(plans).part(in_force(name, parameters), world), world.ground)


class _Evaluation:
    """One evaluation. A name that is used in several places is decided once in each sense of staying."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self._known: dict[tuple[PlanName, bool], Part] = {}
        self._way: set[PlanName] = set()

    def part(self, plan: Plan, world: World, *, outside: bool = False) -> Part:
        function, parameters = resolve(plan, self._plans)
        arguments = read_arguments(plan.name, function, parameters)
        parts = {
            parameter: self._named(named, world, outside ^ (parameter in function.subtracts))
            for parameter, named in arguments.plans.items()
        }
        view = world.inverted() if outside and function.sticky else world
        chosen = function.choose(
            Call(
                plan.name,
                function.name,
                view,
                parts,
                arguments.numbers,
                arguments.hosts,
                arguments.texts,
                arguments.amounts,
            )
        )
        return _without_barred(chosen, world)

    def _named(self, name: PlanName, world: World, outside: bool) -> Part:  # noqa: FBT001
        key = name, outside
        if key not in self._known:
            if name in self._way:
                raise Conflict(f"the plan {name} selects by itself")
            self._way.add(name)
            plan = self._plans.get(name) or Plan(name, name)
            self._known[key] = self.part(plan, world, outside=outside)
            self._way.remove(name)
        return self._known[key]


def _without_barred(part: Part, world: World) -> Part:
    """What a function chose, as if the hosts that are out of service were not there."""
    barred, hosts = world.barred, world.ground.hosts
    if barred is None:
        return part

    def explain(row: int) -> Reason:
        if barred.mask[row]:
            return Reason(barred.why(hosts[row]), STANDING, STANDING)
        return part.explain(row)

    there = replace(part, mask=part.mask & ~barred.mask, explain=explain)
    return there.after(part, STANDING, STANDING)
