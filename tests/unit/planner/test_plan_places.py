"""Errors in expressions show the place; choices that are empty say why."""

from __future__ import annotations

import json
from unicodedata import east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import DsmtError, Invalid, NotFound, from_code
from dsmt_core.names import PlanName
from dsmtc.failures import report
from planner.api.refusals import answer
from planner.plans import check_in_force, check_plan, evaluate
from planner.plans.pointing import pointed
from tests.unit.planner.toy import Toy, hosts, plan, plans, wanted_slice
from tests.unit.planner.worlds import world_of

ALL = hosts(9)
GROUND = world_of(ALL, facts={ALL[0]: {"load1": "1", "country": "CN"}}).ground


@pytest.mark.parametrize(
    ("expr", "kind", "words", "under"),
    [
        ("load1 < 2 and and x", Invalid, "at column 15", "and x"),
        ("load1 <", Invalid, "at column 7", "<"),
        ("country = 'CN", Invalid, "a quote or remark does not end", "'CN"),
        ("load1 < 2 and sleep(10) > 1", Invalid, "the function sleep is not known here", "sleep"),
        ("load1 < 2 and load1 = null", Invalid, "asked for with is null", "load1 = null"),
        ("load1 < 2 and load1 = :x", Invalid, "there are no parameters here", "load1 = :x"),
        ("load1 % 2 = 0", Invalid, "of operations there are + - * /", "load1"),
        ("load1::int < 2", Invalid, "nothing to convert", "load1"),
        ("country < 3 and 'a' < 3", Invalid, "a number is compared with a text", "'a'"),
        ("load1 < 1 and laod1 < 2", NotFound, "expr: the fact or label 'laod1' is not known", "laod1"),
        ("load1 < 1 and\n 国 = 'x'", NotFound, "'国' is not known", "国"),
        (" or ".join(["load1 < 2"] * 201), Invalid, "there are more than 200 terms", "load1 < 2"),
        ("load1 < " + "9" * 400, Invalid, "a number is too great", "9999"),
    ],
)
def test_an_error_in_an_expression_shows_its_place(
    expr: str, kind: type[DsmtError], words: str, under: str
) -> None:
    with pytest.raises(kind) as refused:
        check_plan(plan("p", "where", expr=expr), {}, known=GROUND)
    assert words in refused.value.message
    line, caret = refused.value.place.split("\n")
    assert caret.strip() == "^"
    width, at = 0, 0
    while width < len(caret) - 1:
        width += 2 if east_asian_width(line[at]) in "WF" else 1
        at += 1
    assert line[at:].startswith(under)
    assert len(line) < 80


@given(st.text(), st.integers(-5, 200))
def test_whatever_the_text_and_the_place_two_short_lines_point_at_it(text: str, at: int) -> None:
    line, caret = pointed(text, at).split("\n")
    assert len(line) <= 74
    assert caret.endswith("^")
    assert caret[:-1].strip() == ""
    assert line.isprintable()


def test_the_place_goes_over_the_wire_and_is_shown_below_the_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(Invalid) as refused:
        check_in_force(PlanName("where"), {"expr": "load1 < 2 and and x"}, {})
    said = json.loads(bytes(answer(refused.value).body))
    error = from_code(said["code"], said["message"], said["hint"], said["place"])
    assert error.place == refused.value.place
    assert report(error, verbose=0) == Invalid.exit_code
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("dsmtc: plan where, where: expr: the condition is not understood")
    assert told[1:3] == ["    load1 < 2 and and x", "                  ^"]
    assert "place" not in json.loads(bytes(answer(Invalid("no")).body))


def test_a_cycle_is_told_with_the_whole_way() -> None:
    stored = plans(
        plan("a", "minus", left="b", right="failed"),
        plan("b", "limit", parent="c", count="3"),
        plan("c", "all_nodes"),
    )
    with pytest.raises(DsmtError, match=r"a cycle: c -> a -> b -> c"):
        check_plan(plan("c", "union", left="failed", right="a"), stored)


def test_what_each_function_left_out_is_counted() -> None:
    facts = {host: {"load1": str(number)} for number, host in enumerate(ALL)}
    world = world_of(ALL, facts=facts, failed=ALL[:2])
    stored = plans(
        plan("idle", "where", expr="load1 < 5"),
        plan("good", "minus", left="idle", right="failed"),
        plan("ten", "limit", parent="good", count="10"),
    )
    selection = evaluate(PlanName("ten"), {}, stored, world)
    assert [tuple(loss) for loss in selection.losses] == [("idle", "where", 4), ("good", "minus", 2)]
    assert selection.why_missing == "idle left out 4; good left out 2"


def test_a_slice_says_why_it_has_no_nodes() -> None:
    nobody = Toy(0)
    assert [one.reason for one in nobody.round().waiting] == [
        "3 of 3 missing: no node qualifies (no node is known yet)"
    ]
    stored = plans(plan("none", "where", expr="load1 < 5 and load1 > 6"))
    unlimited = Toy(3, (wanted_slice("none"),))
    unlimited.change(
        type(unlimited.slice)(
            name=unlimited.slice.name, managed=True, generation=0, plan=PlanName("none"), plans=stored
        )
    )
    assert [one.reason for one in unlimited.round().waiting] == [
        "the plan none selects no node (none left out 3)"
    ]
