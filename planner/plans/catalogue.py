"""The families of plan functions, and the errors of whoever names one that is not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from dsmt_core.errors import NotFound
from dsmt_core.names import PlanName
from planner.plans import filters, limits, sets, sword
from planner.plans.function import Function
from planner.plans.nearest import nearest
from planner.wanted import Plan

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        function.name: function
        for family in (sets.FAMILY, filters.FAMILY, limits.FAMILY, sword.FAMILY)
        for function in family
    }
)


def builtin_plans() -> tuple[Plan, ...]:
    """The functions that can be called without a parameter, as the plans that they also are."""
    return tuple(
        Plan(PlanName(name), name)
        for name, function in FUNCTIONS.items()
        if not function.one_of and all(parameter.default is not None for parameter in function.parameters)
    )


def written_function(function: Function) -> dict[str, Any]:
    """A function as the API shows it."""
    return {
        "name": function.name,
        "text": function.text,
        "one_of": list(function.one_of),
        "parameters": [
            {"name": one.name, "takes": one.takes, "default": one.default} for one in function.parameters
        ],
    }


def unknown(what: str, name: str, known: Iterable[str]) -> NotFound:
    """The error for a name that is not there, with the nearest one that is.

    Args:
        what: the place, such as ``plan only3, limit: parent``.
        name: what was written.
        known: what could have been meant.
    """
    return NotFound(f"{what} {name[:80]!r} is not known", hint=nearest(name, known))
