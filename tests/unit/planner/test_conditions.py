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
from planner.plans.parsing import DEPTH
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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        ("  ", ["empty"]),
        ("load1 <", ["column 7", "not understood"]),
        ("country in ('CN' and load1 <", ["column 28"]),
        ("load1 < 2 and and free > 1", ["column"]),
        ("country = 'CN", ["not understood"]),
        ("free > 1; free > 2", ["several"]),
        ("select 1", ["no condition"]),
        ("free > 1 union select 2", ["no condition"]),
        ("free in (select 1)", ["in takes"]),
        ("exists (select 1)", ["no condition"]),
        ("sleep(10) > 1", ["column", "the function sleep"]),
        ("pg_read_file('x') = 'y'", ["the function pg_read_file"]),
        ("free::int = 2", ["nothing to convert"]),
        ("cast(free as int) = 2", ["nothing to convert"]),
        ("$1 = 2", ["no parameters"]),
        ("a.* = 2", ["double quotes"]),
        ("case when free > 1 then true end", ["no condition"]),
        ("free", ["no condition"]),
        ("1", ["no condition"]),
        ("*", ["no condition"]),
        ("free < 'x' + 1", ["only numbers"]),
        ("lower(2) = 'x'", ["lower and upper"]),
        ("1 = 'x'", ["compared with a text"]),
        ("free + 1 in ('a')", ["compared with a text"]),
        ("country in ('a', 1)", ["in takes"]),
        ("country in ()", ["column"]),
        ("country like load1", ["pattern"]),
        ("free is true", ["is takes null"]),
        ("free between symmetric 2 and 1", ["symmetric"]),
        ("country like 'x' escape '!'", ["no condition"]),
        ("free is distinct from null", ["no condition"]),
        (f"free < {'9' * 400}", ["too great"]),
        ("free < 1e999", ["too great"]),
        ("x = 1 -- " + "é" * 2_050, ["bytes long"]),
        (" and ".join(["a = 1"] * 400), [f"more than {TERMS}"]),
        ("a in (" + ",".join(["1"] * 300) + ")", [f"more than {TERMS}"]),
        ("(" * 60 + "a = 1" + ")" * 60, [f"{DEPTH} deep"]),
        ("not " * 100 + "a = 1", [f"{DEPTH} deep"]),
        ("- " * 500 + "1 = a", [f"{DEPTH} deep"]),
        ("not " * 1_000 + "a = 1", [f"{DEPTH} deep"]),
    ],
)
def test_what_is_not_allowed_is_refused_in_a_plain_line(text: str, words: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        read_condition(text)
    assert all(word in refused.value.message for word in words), refused.value.message
    assert "\n" not in refused.value.message
    assert len(refused.value.message) < 200


def test_the_largest_that_is_allowed_is_evaluated() -> None:
    assert set(says(" and ".join(["free > 0"] * TERMS))) == {True}
    assert set(says("(" * (DEPTH - 1) + "free > 0" + ")" * (DEPTH - 1))) == {True}


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
