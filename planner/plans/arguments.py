"""Reading the parameters of a plan: text in, typed values out; an error names plan, function, parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from dsmt_core.errors import Invalid
from dsmt_core.names import Host, PlanName, host
from planner.plans.function import Function, Kind, Parameter


@dataclass(frozen=True, slots=True)
class Arguments:
    """The parameters of one call, by kind."""

    plans: dict[str, PlanName]
    counts: dict[str, int]
    hosts: dict[str, tuple[Host, ...]]


def read_arguments(plan: str, function: Function, parameters: Mapping[str, str]) -> Arguments:
    """Read the parameters of ``function`` as the plan ``plan`` gives them.

    Raises:
        Invalid: one is unknown, given twice, missing or of the wrong type.
    """
    place = f"plan {plan}, {function.name}"
    texts = _texts(place, function, parameters)
    read = Arguments({}, {}, {})
    for parameter in function.parameters:
        text = texts.get(parameter.name, parameter.default)
        if text is None:
            raise Invalid(f"{place}: {parameter.name} is missing", hint=f"it takes {parameter.kind}")
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


def _unknown_parameter(place: str, name: str, function: Function) -> Invalid:
    names = [parameter.name for parameter in function.parameters]
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"it takes {', '.join(names) or 'none'}"
    return Invalid(f"{place}: {name[:80]!r} is not a parameter", hint=hint)


def _read(place: str, parameter: Parameter, text: str, read: Arguments) -> None:
    if parameter.kind is Kind.PLAN:
        read.plans[parameter.name] = PlanName(text)
    elif parameter.kind is Kind.COUNT:
        read.counts[parameter.name] = _count(place, text)
    else:
        read.hosts[parameter.name] = _hosts(place, text)


def _count(place: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 9 or int(text) < 1:
        raise Invalid(f"{place} is {text[:40]!r}", hint=f"it takes {Kind.COUNT}")
    return int(text)


def _hosts(place: str, text: str) -> tuple[Host, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise Invalid(f"{place} names no host", hint=f"it takes {Kind.HOSTS}")
    try:
        return tuple(dict.fromkeys(map(host, names)))
    except Invalid as error:
        raise Invalid(f"{place}: {error.message}", hint=error.hint) from error
