"""What a condition says of every host: true, false or unknown (null).

Logic of three values, as in SQL: false and unknown is false, true or unknown is true, everything else with
an unknown part is unknown. So what nobody knows neither qualifies a host nor, under ``not``, its contrary.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import polars as pl

from planner.plans.ground import Ground
from planner.plans.terms import (
    ORDERS,
    SUMS,
    All,
    Any_,
    Case,
    Comparison,
    Fact,
    Like,
    Missing,
    Not,
    Number,
    Sum,
    Term,
    Text,
    Value,
    Within,
    is_number,
    is_text,
)

_COMPARE: Final[Mapping[str, Callable[[Any, Any], Any]]] = dict(
    zip(
        ORDERS,
        (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge),
        strict=True,
    )
)
_ADD_UP: Final[Mapping[str, Callable[[Any, Any], Any]]] = dict(
    zip(SUMS, (operator.add, operator.sub, operator.mul, operator.truediv), strict=True)
)


def truth(term: Term, ground: Ground) -> pl.Series:
    """What ``term`` says of each host: a column of true, false and null."""
    match term:
        case All(terms):
            return _joined([truth(one, ground) for one in terms], operator.and_)
        case Any_(terms):
            return _joined([truth(one, ground) for one in terms], operator.or_)
        case Not(inner):
            return ~truth(inner, ground)
        case _:
            return _plain(term, ground)


def _plain(term: Comparison | Within | Like | Missing, ground: Ground) -> pl.Series:
    """The same of a term that holds no other."""
    match term:
        case Missing(value):
            return (_numbers if is_number(value) else _texts)(value, ground).is_null()
        case Like(value, pattern, folded):
            return _texts(value, ground).str.contains(_regex(pattern, folded=folded))
        case Within(value, choices):
            columns = _numbers if isinstance(choices[0], float) else _texts
            return columns(value, ground).is_in(list(choices))
        case Comparison(left, order, right):
            columns = _numbers if _as_numbers(left, order, right) else _texts
            compared: pl.Series = _COMPARE[order](columns(left, ground), columns(right, ground))
            return compared


def _as_numbers(left: Value, order: str, right: Value) -> bool:
    if is_number(left) or is_number(right):
        return True
    return not (is_text(left) or is_text(right)) and order not in {"=", "<>"}


def _joined(columns: list[pl.Series], join: Callable[[Any, Any], Any]) -> pl.Series:
    """By halves: the nesting of two hundred terms is eight deep."""
    while len(columns) > 1:
        odd = columns[len(columns) // 2 * 2 :]
        columns = [join(a, b) for a, b in zip(columns[::2], columns[1::2], strict=False)] + odd
    return columns[0]


def _numbers(value: Value, ground: Ground) -> pl.Series:
    match value:
        case Number(number):
            return _same(number, pl.Float64, ground)
        case Fact(name):
            return pl.Series(ground.numbers(name), nan_to_null=True)
        case Sum(left, sign, right):
            made: pl.Series = _ADD_UP[sign](_numbers(left, ground), _numbers(right, ground))
            return made.set(~made.is_finite(), None)
    raise AssertionError(f"{value} is no number")


def _texts(value: Value, ground: Ground) -> pl.Series:
    match value:
        case Text(text):
            return _same(text, pl.String, ground)
        case Fact(name):
            return ground.series(name)
        case Case(inner, "lower"):
            return _texts(inner, ground).str.to_lowercase()
        case Case(inner, _):
            return _texts(inner, ground).str.to_uppercase()
    raise AssertionError(f"{value} is no text")


def _same(value: object, dtype: type[pl.DataType], ground: Ground) -> pl.Series:
    return pl.Series([value], dtype=dtype).new_from_index(0, len(ground))


def _regex(pattern: str, *, folded: bool) -> str:
    wild = {"%": ".*", "_": "."}
    body = "".join(wild.get(character) or re.escape(character) for character in pattern)
    return f"(?s{'i' if folded else ''})^{body}$"
