"""The graph of names: who names whom. Checked before a plan is stored, so that evaluating cannot fail.

A plan may not take a function's name: names and functions are interchangeable in a parameter, and
``right=failed`` must mean one thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dsmt_core.errors import Conflict, Invalid, NotFound
from dsmt_core.names import PlanName
from planner.plans.arguments import Arguments, read_arguments
from planner.plans.catalogue import FUNCTIONS, unknown
from planner.plans.function import Function, Kind
from planner.plans.ground import Ground
from planner.plans.pointing import pointed
from planner.wanted import NO_PLAN, Plan

# Each level is a frame or two of recursion when evaluated; nobody reads fifty nested names.
DEPTH: Final = 50

Plans = Mapping[PlanName, Plan]


def check_plan(plan: Plan, plans: Plans, *, known: Ground | None = None) -> None:
    """Check a plan that is to be stored among ``plans``, where it may replace one of its name.

    Args:
        plan: the new definition.
        plans: the slice's plans as they are.
        known: the hosts and facts that are known, when one that is not shall be refused.

    Raises:
        NotFound: it names a plan, function, host or fact that is not there.
        Invalid: a parameter is missing, unknown or of the wrong type.
        Conflict: it closes a cycle, or takes the name of a function.
    """
    if plan.name in FUNCTIONS:
        raise Conflict(
            f"the plan {plan.name} cannot be made: a function has this name", hint="choose another name"
        )
    graph = {**plans, plan.name: plan}
    _check_acyclic(plan.name, graph)
    _check_known(_checked(plan, graph), plan, known)
    for user in _users(plan.name, plans):
        # A new base can take away a parameter that a plan built on this one gives.
        _checked(plans[user], graph)


def check_in_force(
    name: PlanName,
    parameters: Mapping[str, str],
    plans: Plans,
    *,
    known: Ground | None = None,
) -> None:
    """Check what ``setplan`` puts in force: a plan or a function, with further parameters.

    Raises:
        NotFound, Invalid: as for `check_plan`.
    """
    if name not in plans and name not in FUNCTIONS:
        raise unknown("the plan", name, {*plans, *FUNCTIONS})
    plan = in_force(name, parameters)
    _check_known(_checked(plan, plans), plan, known)


def check_removal(name: PlanName, plans: Plans, in_force_name: PlanName = NO_PLAN) -> None:
    """Check that a plan can be deleted.

    Raises:
        NotFound: there is none of this name.
        Conflict: a plan names it, or it is in force; the users are named.
    """
    if name in FUNCTIONS:
        raise Conflict(f"{name} is a function and cannot be deleted")
    if name not in plans:
        raise unknown("the plan", name, plans)
    users = [f"the plan {user}" for user in _users(name, plans)]
    if name == in_force_name:
        users.append("the slice: it is in force")
    if users:
        raise Conflict(f"the plan {name} is used by {', '.join(users)}", hint="change what uses it first")


def in_force(name: PlanName, parameters: Mapping[str, str]) -> Plan:
    """What ``setplan`` makes of a name and further parameters."""
    return Plan(name, name, parameters)


def below(name: PlanName, parameters: Mapping[str, str], plans: Plans) -> frozenset[PlanName]:
    """The plans of which a plan in force is made, itself included; functions are none."""
    found: set[PlanName] = set()
    ahead = [*_names(in_force(name, parameters), plans)]
    while ahead:
        named = ahead.pop()
        if named not in found:
            found.add(named)
            ahead += _names(plans[named], plans)
    return frozenset(found)


def is_live(name: PlanName, parameters: Mapping[str, str], plans: Plans) -> bool:
    """Whether what applications do may decide in a plan in force: a function below it looks at that."""
    made_of = [in_force(name, parameters), *(plans[one] for one in below(name, parameters, plans))]
    named = {one for plan in made_of for one in _named(plan, plans)}
    return any(FUNCTIONS[one].live for one in named & FUNCTIONS.keys())


def resolve(plan: Plan, plans: Plans) -> tuple[Function, dict[str, str]]:
    """The function below a plan, and the parameters gathered on the way, the plan's own first.

    Raises:
        NotFound: a base names neither plan nor function.
        Conflict: the bases form a cycle.
    """
    parameters, base, seen = dict(plan.parameters), plan.base, 0
    while base not in FUNCTIONS:
        below = plans.get(PlanName(base))
        if below is None:
            raise unknown(f"plan {plan.name}: the base", base, {*plans, *FUNCTIONS} - {plan.name})
        parameters = {**below.parameters, **parameters}
        base, seen = below.base, seen + 1
        if seen > DEPTH:
            raise Conflict(f"plan {plan.name}: its bases are nested more than {DEPTH} deep")
    return FUNCTIONS[base], parameters


def _checked(plan: Plan, plans: Plans) -> Arguments:
    function, parameters = resolve(plan, plans)
    arguments = read_arguments(plan.name, function, parameters)
    for parameter, named in arguments.plans.items():
        _check_named(f"plan {plan.name}, {function.name}: {parameter}", named, plans)
    return arguments


def _check_named(place: str, named: PlanName, plans: Plans) -> None:
    if named in plans:
        return
    function = FUNCTIONS.get(named)
    if function is None:
        raise unknown(place, named, {*plans, *FUNCTIONS})
    lacking = [parameter.name for parameter in function.parameters if parameter.default is None]
    lacking += [" or ".join(function.one_of)] if function.one_of else []
    if lacking:
        raise Invalid(
            f"{place} names the function {named}, which needs {', '.join(lacking)}",
            hint=f"make a plan of it first: plan set --plan NAME --base {named} …",
        )


def _check_known(arguments: Arguments, plan: Plan, known: Ground | None) -> None:
    if known is None:
        return
    for host in (host for hosts in arguments.hosts.values() for host in hosts):
        if host not in known.rows:
            raise unknown(f"plan {plan.name}: the node", host, known.rows)
    # As long as no node has told anything, nobody can say which facts there will be.
    facts = known.names if known.told else frozenset[str]()
    for parameter, names in arguments.facts.items():
        strange = sorted(names - facts) if facts else []
        if strange:
            error = unknown(f"plan {plan.name}, {parameter}: the fact or label", strange[0], facts)
            text = arguments.texts[parameter]
            place = pointed(text, text.find(strange[0])) if text != strange[0] else ""
            raise NotFound(error.message, hint=error.hint, place=place)


def _names(plan: Plan, plans: Plans) -> list[PlanName]:
    """The plans that a plan names, its base included."""
    return [PlanName(name) for name in _named(plan, plans) if name in plans]


def _named(plan: Plan, plans: Plans) -> list[str]:
    """The same with the functions that it names."""
    try:
        function, parameters = resolve(plan, plans)
    except (Conflict, NotFound):
        return [plan.base]
    return [plan.base, *(text for name, text in parameters.items() if _takes_plan(function, name))]


def _takes_plan(function: Function, name: str) -> bool:
    parameter = function.parameter(name)
    return parameter is not None and parameter.kind is Kind.PLAN


def _users(name: PlanName, plans: Plans) -> list[PlanName]:
    return sorted(user for user, plan in plans.items() if user != name and name in _names(plan, plans))


def _check_acyclic(start: PlanName, plans: Plans) -> None:
    """Depth first, from ``start`` on; the way back to a name on the way is the cycle."""
    depths: dict[PlanName, int] = {}

    def depth(name: PlanName, way: tuple[PlanName, ...]) -> int:
        if name in way:
            cycle = [*way[way.index(name) :], name]
            raise Conflict(
                f"the plans would form a cycle: {' -> '.join(cycle)}", hint="a plan cannot select by itself"
            )
        if name not in depths:
            below = [depth(named, (*way, name)) for named in _names(plans[name], plans)]
            depths[name] = 1 + max(below, default=0)
        return depths[name]

    # The others too: what is put below them makes them deeper.
    for name in (start, *plans):
        if depth(name, ()) > DEPTH:
            raise Invalid(f"the plan {name} would be nested more than {DEPTH} deep")
