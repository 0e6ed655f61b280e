"""Reading the parameters of a plan: text in, typed values out; an error names plan, function, parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.names import Host, PlanName, host
from planner.amount import Amount, read_amount
from planner.plans.conditions import Condition, read_condition
from planner.plans.function import Function, Kind, Parameter
from planner.plans.nearest import nearest
from planner.plans.sword.query import Query
from planner.plans.sword.reading import read_query

# Of a number of nodes or members.
_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Arguments:
    """The parameters of one call, by kind; what was left out and has no default is missing in all.

    Attributes:
        facts: the names of facts that the texts ask for, by parameter.
    """

    plans: dict[str, PlanName] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    hosts: dict[str, tuple[Host, ...]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    amounts: dict[str, Amount] = field(default_factory=dict)
    facts: dict[str, frozenset[str]] = field(default_factory=dict)


def read_arguments(plan: str, function: Function, parameters: Mapping[str, str]) -> Arguments:
    """Read the parameters of ``function`` as the plan ``plan`` gives them.

    Raises:
        Invalid: one is unknown, given twice, missing or of the wrong type.
    """
    place = f"plan {plan}, {function.name}"
    texts = _texts(place, function, parameters)
    _check_one_of(place, function, texts)
    read = Arguments()
    for parameter in function.parameters:
        text = texts.get(parameter.name, parameter.default)
        if text is None:
            raise Invalid(f"{place}: {parameter.name} is missing", hint=f"it takes {parameter.takes}")
        if parameter.name in texts or text:
            _read(f"{place}: {parameter.name}", parameter, text, read)
    return read


def _texts(place: str, function: Function, parameters: Mapping[str, str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, text in parameters.items():
        parameter = function.parameter(name)
        if parameter is None:
            raise _unknown_parameter(place, name, function)
        if parameter.name in texts:
            raise Invalid(f"{place}: {parameter.name} is given twice")
        texts[parameter.name] = text
    return texts


def _check_one_of(place: str, function: Function, texts: Mapping[str, str]) -> None:
    given = [name for name in function.one_of if name in texts]
    if len(given) > 1:
        raise Invalid(f"{place}: {' and '.join(given)} contradict each other", hint="give one of them")
    if function.one_of and not given:
        raise Invalid(f"{place}: {function.one_of[0]} is missing", hint=f"or {function.one_of[1]}")


def _unknown_parameter(place: str, name: str, function: Function) -> Invalid:
    names = [parameter.name for parameter in function.parameters]
    close = nearest(name, names)
    hint = close if close.endswith("?") else f"it takes {', '.join(names) or 'none'}"
    return Invalid(f"{place}: {name[:80]!r} is not a parameter", hint=hint)


def _read(place: str, parameter: Parameter, text: str, read: Arguments) -> None:
    match parameter.kind:
        case Kind.PLAN:
            read.plans[parameter.name] = PlanName(text)
        case Kind.COUNT:
            read.numbers[parameter.name] = _count(place, text)
        case Kind.PERCENT | Kind.NUMBER:
            read.numbers[parameter.name] = _number(place, parameter, text)
        case Kind.AMOUNT:
            read.amounts[parameter.name] = _amount(place, text)
        case Kind.HOSTS:
            read.hosts[parameter.name] = _hosts(place, text)
        case _:
            read.texts[parameter.name] = _text(place, parameter, text, read)


def _count(place: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS or int(text) < 1:
        most = f" and at most {_DIGITS} digits" if text.isdecimal() and len(text) > _DIGITS else ""
        raise Invalid(f"{place} is {text[:40]!r}", hint=f"it takes {Kind.COUNT}{most}")
    return int(text)


def _number(place: str, parameter: Parameter, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    legal = 0 < number <= 100 if parameter.kind is Kind.PERCENT else math.isfinite(number)
    if not legal or not parameter.least <= number <= parameter.most:
        bounds = f" from {parameter.least:g} to {parameter.most:g}" if parameter.most < math.inf else ""
        raise Invalid(f"{place} is {text[:40]!r}", hint=f"it takes {parameter.kind}{bounds}")
    return number


def _amount(place: str, text: str) -> Amount:
    read = read_amount(text)
    if read is None:
        raise Invalid(f"{place} is {text[:40]!r}", hint=f"it takes {Kind.AMOUNT}, from 0% to 100%")
    return read


def _hosts(place: str, text: str) -> tuple[Host, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise Invalid(f"{place} names no host", hint=f"it takes {Kind.HOSTS}")
    try:
        return tuple(dict.fromkeys(map(host, names)))
    except Invalid as error:
        raise error.under(place) from error


def _text(place: str, parameter: Parameter, text: str, read: Arguments) -> str:
    if not text.strip():
        raise Invalid(f"{place} is empty", hint=f"it takes {parameter.takes}")
    if parameter.choices and text not in parameter.choices:
        raise Invalid(f"{place} is {text[:40]!r}", hint=f"it takes {parameter.takes}")
    if parameter.kind is Kind.FACT:
        read.facts[parameter.name] = frozenset({text})
    read_facts = _READ.get(parameter.kind)
    if read_facts is not None:
        try:
            read.facts[parameter.name] = read_facts(text).facts
        except Invalid as error:
            raise error.under(place) from error
    return text


# What is in a text, and which facts it asks for.
_READ: Final[Mapping[Kind, Callable[[str], Condition | Query]]] = {
    Kind.CONDITION: read_condition,
    Kind.QUERY: read_query,
}
