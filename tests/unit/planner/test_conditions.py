"""Conditions over facts: what they mean, that unknown is not false, and what is refused, with its place."""

from __future__ import annotations

import fnmatch
import math
import operator
import re
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from dsmt_core.names import Host
from planner.plans.conditions import TERMS, read_condition
from planner.plans.ground import Ground
from planner.plans.parsing import HINT
from planner.plans.truth import truth

COUNTRIES = ["CN", "JP", None]
GROUND = Ground.of(
    {
        Host(f"n{number}.site{number % 2}.org"): {
            name: text
            for name, text in (
                ("country", COUNTRIES[number % 3]),
                ("load1", ["0.5", "3", "many", None][number % 4]),
                ("free", ["1", "10"][number % 2]),
                ("rack-no.x", "a"),
            )
            if text is not None
        }
        for number in range(12)
    }
)


def says(text: str) -> list[bool | None]:
    return truth(read_condition(text).term, GROUND).to_list()


def facts(row: int) -> dict[str, Any]:
    """What a host tells, as a reader of SQL would see it."""
    load = float(GROUND.numbers("load1")[row])
    return {
        "load1": None if math.isnan(load) else load,
        "free": float(GROUND.numbers("free")[row]),
        "country": GROUND.texts("country")[row],
        "host": GROUND.hosts[row],
    }


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("country in ('CN','JP') and load1 < 2 and free > 5", lambda f: all3(
            in3(f["country"], {"CN", "JP"}), cmp3(f["load1"], operator.lt, 2), f["free"] > 5)),
        ("not load1 < 2", lambda f: not3(cmp3(f["load1"], operator.lt, 2))),
        ("load1 < 2 or free = 10", lambda f: any3(cmp3(f["load1"], operator.lt, 2), f["free"] == 10)),
        ("load1 between 0.5 and 3", lambda f: cmp3(f["load1"], lambda a, _: 0.5 <= a <= 3, 0)),
        ("load1 not between 0.5 and 2", lambda f: cmp3(f["load1"], lambda a, _: not 0.5 <= a <= 2, 0)),
        ("load1 * 1 is null", lambda f: f["load1"] is None),
        ("load1 is null", lambda f: f["host"].startswith(("n3.", "n7.", "n11."))),
        ("country is not null", lambda f: f["country"] is not None),
        ("load1 * 2 + free > -3 / 1", lambda f: cmp3(f["load1"], lambda *_: True, 0)),
        ("free / 0 > 1", lambda _f: None),
        ("free / (load1 - load1) > 1", lambda _f: None),
        ("load1 < free", lambda f: cmp3(f["load1"], operator.lt, f["free"])),
        ("country = country", lambda f: None if f["country"] is None else True),
        ("lower(country) = 'cn'", lambda f: cmp3(f["country"], operator.eq, "CN")),
        ("upper(host) like 'N1%'", lambda f: f["host"].startswith("n1")),
        ("country <> country", lambda f: None if f["country"] is None else False),
        ("country <> 'CN'", lambda f: cmp3(f["country"], operator.ne, "CN")),
        ("country != 'CN'", lambda f: cmp3(f["country"], operator.ne, "CN")),
        ("country < 'D'", lambda f: cmp3(f["country"], operator.lt, "D")),
        ("host like 'n1%.org'", lambda f: f["host"].startswith("n1")),
        ("host ilike 'N_.SITE0.%'", lambda f: fnmatch.fnmatch(f["host"], "n?.site0.*")),
        ("host not like '%site0%'", lambda f: "site0" not in f["host"]),
        ("site = 'site0.org'", lambda f: "site0" in f["host"]),
        ("load1 in (0.5, 7)", lambda f: cmp3(f["load1"], lambda a, _: a in (0.5, 7), 0)),
        ("load1 not in (0.5)", lambda f: cmp3(f["load1"], lambda a, _: a != 0.5, 0)),
        ("\"rack-no.x\" = 'a' -- a remark", lambda _f: True),
        ("free > 5 and (nobody = 'x' or nobody is null)", lambda f: f["free"] > 5),
        ("nobody = 'x' and free > 5", lambda f: None if f["free"] > 5 else False),
        ("nobody = 'x' or free > 5", lambda f: True if f["free"] > 5 else None),
        ("country like 'C.'", lambda f: None if f["country"] is None else False),
        ("((((free))) = ((1)))", lambda f: f["free"] == 1),
        ("free = '10'", lambda f: f["free"] == 10),
        ("country = true", lambda f: None if f["country"] is None else False),
    ],
)  # fmt: skip
def test_a_condition_says_of_each_host_true_false_or_unknown(text: str, means: Any) -> None:
    assert says(text) == [means(facts(row)) for row in range(len(GROUND))]


def cmp3(left: Any, compare: Any, right: Any) -> bool | None:
    return None if left is None or right is None else compare(left, right)


def in3(left: Any, choices: set[Any]) -> bool | None:
    return None if left is None else left in choices


def not3(said: bool | None) -> bool | None:  # noqa: FBT001 - a truth of three values
    return None if said is None else not said


def all3(*said: bool | None) -> bool | None:
    return False if False in said else None if None in said else True


def any3(*said: bool | None) -> bool | None:
    return True if True in said else None if None in said else False


@pytest.mark.parametrize("number", range(2, 8))
def test_every_part_counts_wherever_it_stands(number: int) -> None:
    for place in range(number):
        one = ["free > 0"] * number
        one[place] = "free < 0"
        assert set(says(" and ".join(one))) == {False}
        other = ["free < 0"] * number
        other[place] = "free > 0"
        assert set(says(" or ".join(other))) == {True}


TRUTHS = st.sampled_from([("free > 0", True), ("free < 0", False), ("nobody > 0", None)])
TREES = st.recursive(
    TRUTHS,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=5)),
    ),
    max_leaves=30,
)


def written(tree: Any) -> tuple[str, bool | None]:
    """A condition, and what a table of three values says of it."""
    kind, below = tree
    if kind == "not":
        text, said = written(below)
        return f"not ({text})", not3(said)
    if kind in {"and", "or"}:
        parts = [written(part) for part in below]
        said = (all3 if kind == "and" else any3)(*(one for _, one in parts))
        return f" {kind} ".join(f"({text})" for text, _ in parts), said
    return kind, below


@given(TREES)
@settings(max_examples=200)
def test_three_values_are_joined_as_in_sql(tree: Any) -> None:
    text, said = written(tree)
    assert set(says(text)) == {said}


def at(column: int, near: str, what: str = "") -> str:
    where = f"the condition is not understood at column {column}, near {near!r}"
    return f"{where}: {what}" if what else where


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "the condition is empty", HINT),
        ("  ", "the condition is empty", HINT),
        ("load1 <", at(7, "load1 <"), HINT),
        ("country in ('CN' and load1 <", at(28, "' and load1 <"), HINT),
        ("load1 < 2 and and free > 1", at(15, "ad1 < 2 and and free > 1"), HINT),
        ("country = 'CN", "the condition is not understood: a quote or remark does not end", HINT),
        ("free > 1; free > 2", "there are several conditions", HINT),
        ("select 1", at(8, "select 1", "this is no condition"), HINT),
        ("free > 1 union select 2", at(1, "free > 1 union select 2", "this is no condition"), HINT),
        (
            "free in (select 1)",
            at(1, "free in (select 1)", "in takes texts, or numbers, in brackets"),
            HINT,
        ),
        ("exists (select 1)", at(16, "sts (select 1)", "this is no condition"), HINT),
        (
            "sleep(10) > 1",
            at(1, "sleep(10) > 1", "the function sleep is not known here; there are lower and upper"),
            HINT,
        ),
        (
            "pg_read_file('x') = 'y'",
            at(
                1,
                "pg_read_file('x') = 'y'",
                "the function pg_read_file is not known here; there are lower and upper",
            ),
            HINT,
        ),
        (
            "free::int = 2",
            at(
                1,
                "free::int = 2",
                "a fact is a number when it is compared with one; there is nothing to convert",
            ),
            HINT,
        ),
        (
            "cast(free as int) = 2",
            at(
                6,
                "cast(free as int) = 2",
                "a fact is a number when it is compared with one; there is nothing to convert",
            ),
            HINT,
        ),
        ("$1 = 2", at(2, "$1 = 2", "there are no parameters here; write the value itself"), HINT),
        (
            "a.* = 2",
            at(1, "a.* = 2", "this is no name of a fact; one with other characters goes in double quotes"),
            HINT,
        ),
        (
            "case when free > 1 then true end",
            at(11, "case when free > 1 then true end", "this is no condition"),
            HINT,
        ),
        ("free", at(1, "free", "this is no condition"), HINT),
        ("1", at(1, "1", "this is no condition"), HINT),
        ("*", at(1, "*", "this is no condition"), HINT),
        ("free < 'x' + 1", at(8, "free < 'x' + 1", "only numbers can be counted with"), HINT),
        ("lower(2) = 'x'", at(1, "lower(2) = 'x'", "lower and upper take a text"), HINT),
        ("1 = 'x'", at(1, "1 = 'x'", "a number is compared with a text"), HINT),
        ("free + 1 in ('a')", at(1, "free + 1 in ('a')", "a number is compared with a text"), HINT),
        (
            "country in ('a', 1)",
            at(1, "country in ('a', 1)", "in takes texts, or numbers, in brackets"),
            HINT,
        ),
        ("country in ()", at(1, "country in ()", "in takes texts, or numbers, in brackets"), HINT),
        (
            "country like load1",
            at(1, "country like load1", "like compares a text with a pattern in quotes"),
            HINT,
        ),
        ("free is true", at(1, "free is true", "is takes null"), HINT),
        (
            "free between symmetric 2 and 1",
            at(1, "free between symmetric 2", "symmetric is not known here"),
            HINT,
        ),
        ("country like 'x' escape '!'", at(1, "country like 'x' escape ", "this is no condition"), HINT),
        ("free is distinct from null", at(1, "free is distinct from nu", "this is no condition"), HINT),
        (
            f"free < {'9' * 400}",
            at(8, "free < 999999999999999999999999", "a number is too great, or is none"),
            HINT,
        ),
        ("free < 1e999", at(8, "free < 1e999", "a number is too great, or is none"), HINT),
        ("x = 1 -- " + "é" * 2_050, "the condition is 4109 bytes long", "at most 4096"),
        (
            " and ".join(["a = 1"] * 400),
            at(2001, "d a = 1 and a = 1 and a = 1 and a = ", "there are more than 200 terms"),
            HINT,
        ),
        (
            "a in (" + ",".join(["1"] * 300) + ")",
            at(1, "a in (1,1,1,1,1,1,1,1,1,", "there are more than 200 terms"),
            HINT,
        ),
        (
            "(" * 60 + "a = 1" + ")" * 60,
            "the condition is nested more than 50 deep",
            "split it into several plans",
        ),
        (
            "not " * 100 + "a = 1",
            "the condition is nested more than 50 deep",
            "split it into several plans",
        ),
        ("- " * 500 + "1 = a", "the condition is nested more than 50 deep", "split it into several plans"),
        (
            "not " * 1_000 + "a = 1",
            "the condition is nested more than 50 deep",
            "split it into several plans",
        ),
    ],
)
def test_what_is_not_allowed_is_refused_in_a_plain_line(text: str, message: str, hint: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_condition(text)
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_the_largest_that_is_allowed_is_evaluated() -> None:
    assert set(says(" and ".join(["free > 0"] * TERMS))) == {True}
    assert set(says("(" * (50 - 1) + "free > 0" + ")" * (50 - 1))) == {True}


PIECES = (
    "free country load1 'CN' 1 2.5 < = >= ( ) and or not in like between is null , - * / ' \" -- /* ; "
    "select from case :: [ ] $1 x'1f' e'\\n' interval array { } ? @ ~ || \x00 é true lower( symmetric "
    "escape any distinct limit exists union with over filter within group as"
)


@given(st.lists(st.sampled_from(PIECES.split(" ")), max_size=25).map(" ".join) | st.text(max_size=60))
@settings(max_examples=400, deadline=None)
@example("load1 [1")
def test_whatever_is_written_is_a_condition_or_refused(text: str) -> None:
    try:
        condition = read_condition(text)
    except Invalid as error:
        assert not re.search(r"[\x00-\x08\x0b-\x1f]", error.message)  # noqa: PT017 - either is right
    else:
        assert truth(condition.term, GROUND).dtype == pl.Boolean
