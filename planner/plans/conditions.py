"""Conditions over facts and labels: text that looks like SQL, read into a small tree of our own.

What the parser makes of the text is looked at node by node, and only what stands here is taken over: SQL
text never reaches an engine. An error shows the place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NoReturn

from dsmt_core.errors import Invalid
from planner.plans.parsing import DEPTH, HINT, NEAR, parsed, too_deep
from planner.plans.pointing import pointed
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
    facts_of,
    is_number,
    is_text,
)

TERMS: Final = 200
_REMEMBERED: Final = 256
# What of a node is looked at; one that says more is refused, as it would mean something else.
_LOOKED_AT: Final = frozenset({"this", "expression", "expressions", "low", "high", "negate", "is_string"})
# The parser takes a name with dots for one of a column of a table; here it is a fact of a source.
_DOTTED: Final = frozenset({"table", "db", "catalog"})
# How the engine of another dialect would divide; here it is always by numbers with fractions.
_PASSED_OVER: Final = frozenset({"typed", "safe"})


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was read.

    Attributes:
        text: as it was written.
        term: what it says.
        facts: the facts that it asks for.
    """

    text: str
    term: Term
    facts: frozenset[str]


@lru_cache(_REMEMBERED)
def read_condition(text: str) -> Condition:
    """Read a condition; the last ones are remembered, as each round evaluates the same plans.

    Args:
        text: at most `planner.plans.parsing.BYTES`, `TERMS` terms, `DEPTH` deep.

    Raises:
        Invalid: it cannot be understood, or is more than that; the place is told where there is one.
    """
    term = _Reader(text).term(parsed(text), 0)
    return Condition(text, term, facts_of(term))


class _Reader:
    """Takes over one parsed condition."""

    def __init__(self, text: str) -> None:
        from sqlglot import exp  # noqa: PLC0415 - see `_parsed`

        self._exp = exp
        self._text = text
        self._terms = 0
        self._orders = dict(zip((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), ORDERS, strict=True))
        self._sums = dict(zip((exp.Add, exp.Sub, exp.Mul, exp.Div), SUMS, strict=True))
        self._terms_of: dict[type, Callable[[Any, int], Term]] = {
            exp.And: lambda node, depth: All(self._joined(node, depth)),
            exp.Or: lambda node, depth: Any_(self._joined(node, depth)),
            exp.Not: lambda node, depth: Not(self.term(node.this, depth)),
            exp.Between: self._between,
            exp.In: self._within,
            exp.Is: self._missing,
            exp.Like: self._like,
            exp.ILike: self._like,
            **dict.fromkeys(self._orders, self._ordered),
        }
        self._values_of: dict[type, Callable[[Any, int], Value]] = {
            exp.Column: self._fact,
            exp.Literal: self._literal,
            exp.Boolean: lambda node, _depth: Text("true" if node.this else "false"),
            exp.Neg: lambda node, depth: Sum(Number(0.0), "-", self._summand(node.this, depth)),
            exp.Lower: lambda node, depth: Case(self._spelt(node, depth), "lower"),
            exp.Upper: lambda node, depth: Case(self._spelt(node, depth), "upper"),
            **dict.fromkeys(self._sums, self._sum),
        }

    def term(self, node: Any, depth: int) -> Term:
        """What ``node`` says, which is to be true, false or unknown."""
        node = self._bare(node, depth)
        read = self._terms_of.get(type(node))
        if read is None:
            self._refuse(node, "this is no condition")
        term = read(node, depth + 1)
        self._check_whole(node)
        return Not(term) if node.args.get("negate") else term

    def value(self, node: Any, depth: int) -> Value:
        """What ``node`` stands for: a number or a text."""
        node = self._bare(node, depth)
        read = self._values_of.get(type(node))
        if read is None:
            self._refuse(node, self._why_no_value(node))
        value = read(node, depth + 1)
        self._check_whole(node)
        return value

    def _why_no_value(self, node: Any) -> str:
        if isinstance(node, self._exp.Null):
            return "nothing is equal to null; a fact that nobody tells is asked for with is null"
        if isinstance(node, self._exp.Placeholder | self._exp.Parameter):
            return "there are no parameters here; write the value itself"
        if isinstance(node, self._exp.Binary):
            return "of operations there are + - * /"
        if isinstance(node, self._exp.Cast):
            return "a fact is a number when it is compared with one; there is nothing to convert"
        if isinstance(node, self._exp.Func) and not isinstance(node, self._exp.Case | self._exp.Array):
            name = node.name if isinstance(node, self._exp.Anonymous) else node.sql_name().lower()
            return f"the function {name[:40]} is not known here; there are lower and upper"
        return "this is neither a fact, a number nor a text"

    def _bare(self, node: Any, depth: int) -> Any:
        while isinstance(node, self._exp.Paren):
            node, depth = node.this, depth + 1
        if depth > DEPTH:
            raise too_deep()
        return node

    def _joined(self, node: Any, depth: int) -> tuple[Term, ...]:
        """``a and b and c`` without nesting; the parser nests it to the left."""
        kind, parts = type(node), []
        while type(node) is kind:
            parts.append(node.args["expression"])
            node = node.args["this"]
        return tuple(self.term(part, depth) for part in reversed([*parts, node]))

    def _ordered(self, node: Any, depth: int) -> Term:
        left, right = self.value(node.this, depth), self.value(node.expression, depth)
        return self._compared(node, left, self._orders[type(node)], right)

    def _between(self, node: Any, depth: int) -> Term:
        value, low, high = (self.value(node.args[part], depth) for part in ("this", "low", "high"))
        return All((self._compared(node, value, ">=", low), self._compared(node, value, "<=", high)))

    def _compared(self, node: Any, left: Value, order: str, right: Value) -> Comparison:
        self._count(node)
        self._check_alike(node, left, right)
        return Comparison(left, order, right)

    def _within(self, node: Any, depth: int) -> Term:
        choices = [self.value(choice, depth) for choice in node.expressions]
        value = self.value(node.this, depth)
        for choice in choices:
            self._count(node)
            self._check_alike(node, value, choice)
        texts = tuple(choice.text for choice in choices if isinstance(choice, Text))
        numbers = tuple(choice.number for choice in choices if isinstance(choice, Number))
        if not choices or len(choices) not in {len(texts), len(numbers)}:
            self._refuse(node, "in takes texts, or numbers, in brackets")
        return Within(value, texts or numbers)

    def _missing(self, node: Any, depth: int) -> Term:
        self._count(node)
        if not isinstance(node.expression, self._exp.Null):
            self._refuse(node, "is takes null")
        return Missing(self.value(node.this, depth))

    def _like(self, node: Any, depth: int) -> Term:
        self._count(node)
        value, pattern = self.value(node.this, depth), self.value(node.expression, depth)
        if not isinstance(pattern, Text) or is_number(value):
            self._refuse(node, "like compares a text with a pattern in quotes")
        return Like(value, pattern.text, folded=isinstance(node, self._exp.ILike))

    def _fact(self, node: Any, _depth: int) -> Fact:
        if not all(isinstance(part, self._exp.Identifier) for part in node.parts):
            self._refuse(node, "this is no name of a fact; one with other characters goes in double quotes")
        return Fact(".".join(str(part.this) for part in node.parts))

    def _literal(self, node: Any, _depth: int) -> Value:
        if node.is_string:
            return Text(str(node.this))
        try:
            number = float(node.this)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self._refuse(node, "a number is too great, or is none")
        return Number(number)

    def _sum(self, node: Any, depth: int) -> Value:
        self._count(node)
        left, right = self._summand(node.this, depth), self._summand(node.expression, depth)
        return Sum(left, self._sums[type(node)], right)

    def _summand(self, node: Any, depth: int) -> Value:
        value = self.value(node, depth)
        if is_text(value):
            self._refuse(node, "only numbers can be counted with")
        return value

    def _spelt(self, node: Any, depth: int) -> Value:
        value = self.value(node.this, depth)
        if is_number(value):
            self._refuse(node, "lower and upper take a text")
        return value

    def _check_alike(self, node: Any, left: Value, right: Value) -> None:
        if (is_number(left) and is_text(right)) or (is_text(left) and is_number(right)):
            self._refuse(node, "a number is compared with a text")

    def _check_whole(self, node: Any) -> None:
        looked_at = _LOOKED_AT | (_DOTTED if isinstance(node, self._exp.Column) else frozenset())
        more = {name for name, said in node.args.items() if said} - looked_at - _PASSED_OVER
        if more:
            self._refuse(node, f"{', '.join(sorted(more))} is not known here")

    def _count(self, node: Any) -> None:
        self._terms += 1
        if self._terms > TERMS:
            self._refuse(node, f"there are more than {TERMS} terms")

    def _refuse(self, node: Any, what: str) -> NoReturn:
        start = None
        while node is not None and start is None:
            starts = (one.meta["start"] for one in node.walk() if "start" in one.meta)
            start, node = min(starts, default=None), node.parent
        if start is None:
            raise Invalid(f"the condition is not understood: {what}", hint=HINT)
        near = self._text[max(0, start - NEAR) : start + 2 * NEAR]
        where = f"column {start + 1}, near {near!r}"
        place = pointed(self._text, start)
        raise Invalid(f"the condition is not understood at {where}: {what}", hint=HINT, place=place)
