"""The tree of a condition: terms that are true, false or unknown of a host, and the values in them."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

ORDERS: Final = ("=", "<>", "<", "<=", ">", ">=")
SUMS: Final = ("+", "-", "*", "/")


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact or label, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written."""

    number: float


@dataclass(frozen=True, slots=True)
class Text:
    """A text as written."""

    text: str


@dataclass(frozen=True, slots=True)
class Sum:
    """``left + right``, or another of `SUMS`; dividing by zero is unknown."""

    left: Value
    sign: str
    right: Value


@dataclass(frozen=True, slots=True)
class Case:
    """``lower(text)`` or ``upper(text)``."""

    value: Value
    case: str


Value = Fact | Number | Text | Sum | Case


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left < right``, or another of `ORDERS`.

    With a number on one side numbers are compared, with a text texts; two facts are the same when their
    texts are, and one is less when its number is.
    """

    left: Value
    order: str
    right: Value


@dataclass(frozen=True, slots=True)
class Within:
    """``value in (…)``."""

    value: Value
    choices: tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """``value like 'a%'``: ``%`` stands for any text, ``_`` for one character."""

    value: Value
    pattern: str
    folded: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """``value is null``: nobody has told it."""

    value: Value


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    term: Term


@dataclass(frozen=True, slots=True)
class All:
    """``… and …``."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Any_:  # noqa: N801 - `Any` is a type
    """``… or …``."""

    terms: tuple[Term, ...]


Term = Comparison | Within | Like | Missing | Not | All | Any_


def is_number(value: Value) -> bool:
    """Whether it can only be a number; a fact may be either."""
    return isinstance(value, Number | Sum)


def is_text(value: Value) -> bool:
    """Whether it can only be a text."""
    return isinstance(value, Text | Case)


def facts_of(term: Any) -> frozenset[str]:
    """The facts that a term, or a value, asks for."""
    if isinstance(term, Fact):
        return frozenset({term.name})
    if isinstance(term, tuple):
        return frozenset().union(*map(facts_of, term))
    if not is_dataclass(term):
        return frozenset()
    return frozenset().union(*(facts_of(getattr(term, field.name)) for field in fields(term)))
