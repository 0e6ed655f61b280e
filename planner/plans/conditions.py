"""Conditions over facts and labels: text that looks like SQL, read into a small tree of our own.

A library parses the text; what it makes of it is looked at node by node, and only what stands here is taken
over. SQL text never reaches an engine, and what is long, deep or of many terms is refused before it costs
anything. An error shows the place.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from dsmt_core.errors import Invalid
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

BYTES: Final = 4096
TERMS: Final = 200
DEPTH: Final = 50
_HINT: Final = "such as \"country in ('CN','JP') and load1 < 2\"; docs/reference/plans.md has all of it"
_MARKS: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[()]")
_NEAR: Final = 12
_CALLS: Final = 3_000
# What of a node is looked at; one that says more is refused, as it would mean something else.
_LOOKED_AT: Final = frozenset({"this", "expression", "expressions", "low", "high", "negate", "is_string"})
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


def read_condition(text: str) -> Condition:
    """Read a condition.

    Args:
        text: at most `BYTES` bytes, `TERMS` terms, `DEPTH` deep.

    Raises:
        Invalid: it cannot be understood, or is more than that; the place is told where there is one.
    """
    _check_size(text)
    term = _Reader(text).term(_parsed(text), 0)
    return Condition(text, term, facts_of(term))


def _check_size(text: str) -> None:
    size = len(text.encode(errors="surrogatepass"))
    if size > BYTES:
        raise Invalid(f"the condition is {size} bytes long", hint=f"at most {BYTES}")
    depth = deepest = 0
    for mark in _MARKS.findall(text):
        depth += {"(": 1, ")": -1}.get(mark, 0)
        deepest = max(deepest, depth)
    if deepest > DEPTH:
        raise _too_deep()


def _too_deep() -> Invalid:
    return Invalid(f"the condition is nested more than {DEPTH} deep", hint="split it into several plans")


def _parsed(text: str) -> Any:
    import sqlglot  # noqa: PLC0415 - only who has a condition loads the parser
    from sqlglot.errors import ParseError, SqlglotError  # noqa: PLC0415

    try:
        with _deep_enough():
            found = sqlglot.parse(text, dialect="postgres")
    except RecursionError:
        raise _too_deep() from None
    except ParseError as error:
        where = error.errors[0] if error.errors else {}
        raise _not_understood(text, where.get("col"), where.get("highlight", "")) from None
    except SqlglotError:
        raise Invalid(
            "the condition is not understood: a quote or remark does not end", hint=_HINT
        ) from None
    if len(found) != 1 or found[0] is None:
        raise Invalid(
            "the condition is empty" if not any(found) else "there are several conditions", hint=_HINT
        )
    return found[0]


@contextmanager
def _deep_enough() -> Iterator[None]:
    """Each level takes the parser some twenty calls, and whoever asks has made many already."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _CALLS))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _not_understood(text: str, column: int | None, highlight: str) -> Invalid:
    if column is None:
        return Invalid("the condition is not understood", hint=_HINT)
    end = min(column, len(text))
    near = text[max(0, end - len(highlight) - _NEAR) : end + _NEAR]
    return Invalid(f"the condition is not understood at column {end}, near {near!r}", hint=_HINT)


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
            self._refuse(node, "this is neither a fact, a number nor a text")
        value = read(node, depth + 1)
        self._check_whole(node)
        return value

    def _bare(self, node: Any, depth: int) -> Any:
        while isinstance(node, self._exp.Paren):
            node, depth = node.this, depth + 1
        if depth > DEPTH:
            raise _too_deep()
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
        if not isinstance(node.this, self._exp.Identifier) or len(node.parts) != 1:
            self._refuse(node, "this is no name of a fact; one with dots is written in double quotes")
        return Fact(str(node.this.this))

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
        more = {name for name, said in node.args.items() if said} - _LOOKED_AT - _PASSED_OVER
        if more:
            self._refuse(node, f"{', '.join(sorted(more))} is not known here")

    def _count(self, node: Any) -> None:
        self._terms += 1
        if self._terms > TERMS:
            self._refuse(node, f"there are more than {TERMS} terms")

    def _refuse(self, node: Any, what: str) -> NoReturn:
        starts = [one.meta["start"] for one in node.walk() if "start" in one.meta]
        if not starts:
            raise Invalid(f"the condition is not understood: {what}", hint=_HINT)
        near = self._text[max(0, min(starts) - _NEAR) : min(starts) + 2 * _NEAR]
        place = f"column {min(starts) + 1}, near {near!r}"
        raise Invalid(f"the condition is not understood at {place}: {what}", hint=_HINT)
