"""Whether a JSON value has the form that a type describes, so that no command meets another. Pure.

The types are those of the answers: `TypedDict`, lists, maps of texts, unions, texts, numbers and truth
values. What a record has beyond its type is no fault: a planner of a later version may say more. No
library does it here, because to load one takes longer than most commands.
"""

from __future__ import annotations

import functools
import json
import types
from collections.abc import Callable, Mapping
from typing import Any, Final, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

Check = Callable[[Any], str]

_ANYTHING: Final = (object, Any)
_WORDS: Final[Mapping[type, str]] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def read_json(text: bytes) -> Any:
    """The value of a JSON text; None, which no planner answers, when it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def fault(value: object, form: Any) -> str:
    """What is wrong with ``value``; empty: it has the form.

    Args:
        value: as `json.loads` returns it.
        form: a type, such as ``list[Account]``.

    Returns:
        A place in the answer and what is wrong there, such as ``answer.hosts[0].reason is missing``.
    """
    wrong = _check(form)(value)
    return f"answer{wrong}" if wrong else ""


@functools.cache
def _check(form: Any) -> Check:
    """The check for one type; made once, because a stream has many records of one form."""
    if form in _ANYTHING:
        return lambda _value: ""
    if is_typeddict(form):
        return _record(form)
    origin, parts = get_origin(form), get_args(form)
    if origin is list:
        return _list(parts[0])
    if origin is dict:
        return _map(parts[1])
    if origin in (types.UnionType, Union):
        return _either([_check(part) for part in parts])
    return _single(form)


def _record(form: Any) -> Check:
    hints = get_type_hints(form, include_extras=True)
    needed = [(name, _check(part)) for name, part in hints.items() if get_origin(part) is not NotRequired]
    other = [
        (name, _check(get_args(part)[0])) for name, part in hints.items() if get_origin(part) is NotRequired
    ]

    def check(value: Any) -> str:
        if not isinstance(value, dict):
            return " is no object"
        for name, of in needed:
            if name not in value:
                return f".{name} is missing"
            if wrong := of(value[name]):
                return f".{name}{wrong}"
        for name, of in other:
            if name in value and (wrong := of(value[name])):
                return f".{name}{wrong}"
        return ""

    return check


def _list(form: Any) -> Check:
    of = _check(form)

    def check(value: Any) -> str:
        if not isinstance(value, list):
            return " is no list"
        return next((f"[{at}]{wrong}" for at, each in enumerate(value) if (wrong := of(each))), "")

    return check


def _map(form: Any) -> Check:
    of = _check(form)

    def check(value: Any) -> str:
        if not isinstance(value, dict):
            return " is no object"
        return next((f".{name}{wrong}" for name, each in value.items() if (wrong := of(each))), "")

    return check


def _either(checks: list[Check]) -> Check:
    def check(value: Any) -> str:
        wrong = [of(value) for of in checks]
        return "" if "" in wrong else wrong[0]

    return check


def _single(form: Any) -> Check:
    if form is type(None):
        return lambda value: "" if value is None else " is not empty"
    kinds = (int, float) if form is float else (form,)

    def check(value: Any) -> str:
        # A truth value is a whole number in Python, and not in JSON.
        right = isinstance(value, kinds) and (form is bool or not isinstance(value, bool))
        return "" if right else f" is not {_WORDS[form]}"

    return check
