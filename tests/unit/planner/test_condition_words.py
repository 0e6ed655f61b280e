"""What is said of conditions, word by word: what is refused, how deep they may be, and where it is."""

from __future__ import annotations

from typing import Any

import pytest

from dsmt_core.errors import DsmtError, Invalid
from planner.plans.conditions import read_condition
from planner.plans.parsing import HINT
from planner.plans.pointing import pointed
from tests.unit.planner.toy import hosts

ALL = hosts(9)
A, B, C = ALL[:3]


def refused(kind: type[DsmtError], call: Any, *arguments: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(kind) as error:
        call(*arguments, **more)
    return error.value.message, error.value.hint


@pytest.mark.parametrize(
    ("condition", "column", "what"),
    [
        ("a = null", 1, "nothing is equal to null; a fact that nobody tells is asked for with is null"),
        ("a % 2 = 1", 1, "of operations there are + - * /"),
        ("sqrt(a) = 1", 1, "the function sqrt is not known here; there are lower and upper"),
        (f"{'f' * 41}(a) = 1", 1, f"the function {'f' * 40} is not known here; there are lower and upper"),
        ("(case when a = 1 then 2 end) = 1", 12, "this is neither a fact, a number nor a text"),
        ("1 between 'x' and 2", 1, "a number is compared with a text"),
        ("upper(1) = 'x'", 1, "lower and upper take a text"),
        ("1 like 'x'", 1, "like compares a text with a pattern in quotes"),
        ("1 - 'x' = a", 5, "only numbers can be counted with"),
        ("b = 2 and a is true", 11, "is takes null"),
        (
            "b = 2 and a.* = 1",
            11,
            "this is no name of a fact; one with other characters goes in double quotes",
        ),
        ("b = 2 and a like c", 11, "like compares a text with a pattern in quotes"),
        ("b = 2 and a", 11, "this is no condition"),
    ],
)
def test_what_is_wrong_in_a_condition_is_told_with_its_place(
    condition: str, column: int, what: str
) -> None:
    message, hint = refused(Invalid, read_condition, condition)
    assert message.startswith(f"the condition is not understood at column {column}, near ")
    assert message.endswith(f": {what}")
    assert hint == HINT


def test_as_deep_as_is_allowed_is_read() -> None:
    assert read_condition("(" * 49 + "a = 1" + ")" * 49) != read_condition("a = 1")
    assert read_condition("(" * 49 + "a = 1" + ")" * 49).term == read_condition("a = 1").term
    assert read_condition("not " * 49 + "a = 1").facts == {"a"}
    deep = ("the condition is nested more than 50 deep", "split it into several plans")
    assert refused(Invalid, read_condition, "not " * 51 + "a = 1") == deep
    assert refused(Invalid, read_condition, "(" * 51 + "a = 1" + ")" * 51) == deep
    assert read_condition("x = '" + "(" * 99 + "'").facts == {"x"}
    assert read_condition("x.y.z = 'a''(b'").facts == {"x.y.z"}
    longest = "a = '" + "x" * 4_090 + "'"
    assert len(longest) == 4_096
    assert read_condition(longest).facts == {"a"}
    assert refused(Invalid, read_condition, longest + " ") == (
        "the condition is 4097 bytes long",
        "at most 4096",
    )


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (0, "one\n^"),
        (3, "one\n   ^"),
        (4, "日本 two\n^"),
        (6, "日本 two\n    ^"),
        (10, "日本 two\n        ^"),
        (99, "日本 two\n        ^"),
        (-5, "one\n^"),
    ],
)
def test_a_place_is_pointed_at_in_its_line(at: int, shown: str) -> None:
    assert pointed("one\n日本 two", at) == shown


def test_of_a_long_line_what_is_around_the_place_is_shown() -> None:
    line = "".join(str(number % 10) for number in range(100))
    assert pointed(line, 10) == f"{line[:72]}…\n{' ' * 10}^"
    assert pointed(line, 50) == f"…{line[14:86]}…\n{' ' * 37}^"
    assert pointed(line, 99) == f"…{line[28:]}\n{' ' * 72}^"
    assert pointed(line[:72], 71) == f"{line[:72]}\n{' ' * 71}^"
    assert pointed("a\tb\x00c", 4) == "a b c\n    ^"


@pytest.mark.parametrize(
    ("condition", "column"),
    [("a = 'x", 4), ('a = "x', 4), ("a = 1 /* x", 6), ("a = 'b' and c = 'd", 16)],
)
def test_a_quote_or_remark_that_does_not_end_is_pointed_at(condition: str, column: int) -> None:
    with pytest.raises(Invalid) as error:
        read_condition(condition)
    assert error.value.message.startswith("the condition is not understood")
    assert error.value.place == f"{condition}\n{' ' * column}^"
