"""What is said of plans, word by word: which text a parameter takes, what is refused, what is shown."""

from __future__ import annotations

from typing import Any

import pytest

from dsmt_core.errors import Conflict, DsmtError, Invalid, NotFound
from dsmt_core.lifecycle import State
from dsmt_core.names import Host, PlanName
from planner.plans import World, check_in_force, check_plan, check_removal, evaluate
from planner.plans.catalogue import FUNCTIONS, unknown, written_function
from planner.plans.graph import below, is_live
from planner.plans.nearest import nearest
from planner.wanted import Plan
from tests.unit.planner.toy import LIMITED, hosts, plan, plans
from tests.unit.planner.worlds import world_of

ALL = hosts(9)
A, B, C = ALL[:3]


def refused(kind: type[DsmtError], call: Any, *arguments: Any, **more: Any) -> tuple[str, str]:
    with pytest.raises(kind) as error:
        call(*arguments, **more)
    return error.value.message, error.value.hint


# -- parameters -----------------------------------------------------------------------------------------

WHOLE = "it takes a whole number of at least 1"
SHARE = "it takes a whole number, or a share such as 10%, from 0% to 100%"


@pytest.mark.parametrize(
    ("parameters", "message", "hint"),
    [
        ({"count": "1" * 10}, f"count is '{'1' * 10}'", f"{WHOLE} and at most 9 digits"),
        ({"count": "x" * 41}, f"count is '{'x' * 40}'", WHOLE),
        ({"count": "x" * 10}, f"count is '{'x' * 10}'", WHOLE),
        ({"percent": "9" * 41}, f"percent is '{'9' * 40}'", "it takes a number above 0 and at most 100"),
        ({"count": "3", "churn": "x" * 41}, f"churn is '{'x' * 40}'", SHARE),
        ({"count": "3", "churn": "101%"}, "churn is '101%'", SHARE),
    ],
)
def test_a_text_that_a_parameter_does_not_take_is_told(
    parameters: dict[str, str], message: str, hint: str
) -> None:
    told = refused(Invalid, check_plan, plan("p", "limit", **parameters), {})
    assert told == (f"plan p, limit: {message}", hint)


@pytest.mark.parametrize(
    ("bad", "message", "hint"),
    [
        (
            plan("p", "limit", count="3", zzzzzz="1"),
            "limit: 'zzzzzz' is not a parameter",
            "it takes parent, count, percent, churn",
        ),
        (
            plan("p", "all_nodes", **{"y" * 81: "1"}),
            f"all_nodes: '{'y' * 80}' is not a parameter",
            "it takes none",
        ),
        (
            plan("p", "near", lat="-91", lon="0", km="1"),
            "near: lat is '-91'",
            "it takes a number from -90 to 90",
        ),
        (
            plan("p", "status", state="x" * 41),
            f"status: is is '{'x' * 40}'",
            f"it takes one of {', '.join(State)}",
        ),
        (
            plan("p", "nodes", list=" , "),
            "nodes: list names no host",
            "it takes host names, separated by commas",
        ),
    ],
)
def test_what_a_function_does_not_take_is_told(bad: Plan, message: str, hint: str) -> None:
    assert refused(Invalid, check_plan, bad, {}) == (f"plan p, {message}", hint)


@pytest.mark.parametrize(
    "good",
    [
        plan("p", "limit", count="123456789"),
        plan("p", "limit", percent="100", churn="100%"),
        plan("p", "near", lat="-90", lon="180", km="0"),
        plan("p", "near", lat="90", lon="-180", km="20016"),
        plan("p", "status", state="running", grace="86400"),
    ],
)
def test_what_lies_on_a_bound_is_taken(good: Plan) -> None:
    check_plan(good, {})


# -- functions and graphs -------------------------------------------------------------------------------


def test_a_function_is_shown_with_its_parameters() -> None:
    text = "at most so many nodes of each site; who is in stays"
    assert written_function(FUNCTIONS["site"]) == {
        "name": "site",
        "text": text,
        "one_of": [],
        "parameters": [
            {"name": "parent", "takes": "the name of a plan or of a function", "default": "all_nodes"},
            {"name": "max_per_site", "takes": "a whole number of at least 1", "default": "1"},
        ],
    }
    assert written_function(FUNCTIONS["limit"])["one_of"] == ["count", "percent"]
    assert written_function(FUNCTIONS["rank"])["parameters"][2]["takes"] == "one of asc, desc"


def test_the_nearest_name_is_asked_for_or_all_are_told() -> None:
    assert nearest("lmit", ["limit", "site"]) == "did you mean limit?"
    assert nearest("x", ["b", "a"]) == "there are a, b"
    assert nearest("x", ["a"]) == "there is a"
    assert nearest("x", []) == "there are none"
    twenty = [f"n{number:02}" for number in range(20)]
    assert nearest("x", twenty) == f"there are {', '.join(twenty)}"
    assert nearest("x", [*twenty, "n20"]) == f"there are {', '.join(twenty)} and 1 more"
    assert nearest("y" * 200, ["y" * 95]) == f"did you mean {'y' * 95}?"
    fleet = [f"n{number:05}" for number in range(5_000)]
    assert nearest("n03000x", fleet) == "did you mean n03000?"
    told = unknown("the plan", "z" * 81, ["a"])
    assert (told.message, told.hint) == (f"the plan '{'z' * 80}' is not known", "there is a")


GOOD = LIMITED[PlanName("good")]


@pytest.mark.parametrize(
    ("kind", "call", "message", "hint"),
    [
        (
            NotFound,
            lambda: check_in_force(PlanName("only33"), {}, LIMITED),
            "the plan 'only33' is not known",
            "did you mean only3?",
        ),
        (
            NotFound,
            lambda: check_removal(PlanName("onl3"), LIMITED),
            "the plan 'onl3' is not known",
            "did you mean only3?",
        ),
        (
            Conflict,
            lambda: check_removal(PlanName("failed"), LIMITED),
            "failed is a function and cannot be deleted",
            "",
        ),
        (
            Conflict,
            lambda: check_removal(PlanName("good"), LIMITED),
            "the plan good is used by the plan only3",
            "change what uses it first",
        ),
        (
            Conflict,
            lambda: check_removal(PlanName("good"), LIMITED, PlanName("good")),
            "the plan good is used by the plan only3, the slice: it is in force",
            "change what uses it first",
        ),
        (
            NotFound,
            lambda: check_plan(plan("p", "nodes", list=f"{A},n0.site0.or"), {}, known=world_of(ALL).ground),
            "plan p: the node 'n0.site0.or' is not known",
            "did you mean n0.site0.org?",
        ),
        (
            Invalid,
            lambda: check_plan(
                plan("only3", "all_nodes"), {**LIMITED, **plans(plan("q", "only3", count="4"))}
            ),
            "plan q, all_nodes: 'count' is not a parameter",
            "it takes none",
        ),
    ],
)
def test_what_cannot_be_done_with_a_plan_is_told(
    kind: type[DsmtError], call: Any, message: str, hint: str
) -> None:
    told = refused(kind, call)
    assert told == (message, hint)


def test_a_fact_that_nobody_tells_is_pointed_at() -> None:
    ground = world_of(ALL, facts={A: {"load1": "1", "city": "x"}}).ground
    with pytest.raises(NotFound) as error:
        check_plan(plan("p", "where", expr="load1 < 2 and ctiy = 'x'"), {}, known=ground)
    assert error.value.message == "plan p, expr: the fact or label 'ctiy' is not known"
    assert error.value.hint == "did you mean city?"
    assert error.value.place == "load1 < 2 and ctiy = 'x'\n" + " " * 14 + "^"
    with pytest.raises(NotFound) as error:
        check_plan(plan("p", "rank", by="laod1"), {}, known=ground)
    assert (error.value.message, error.value.place) == (
        "plan p, by: the fact or label 'laod1' is not known",
        "",
    )


def test_how_deep_plans_may_be_nested() -> None:
    chain = plans(plan("p0", "all_nodes"))
    for number in range(1, 50):
        chain |= plans(plan(f"p{number}", "minus", left=f"p{number - 1}", right="failed"))
    assert refused(Invalid, check_plan, plan("p50", "minus", left="p49", right="failed"), chain) == (
        "the plan p50 would be nested more than 50 deep",
        "",
    )
    bases = plans(plan("b0", "limit", count="1"))
    for number in range(1, 52):
        bases |= plans(plan(f"b{number}", f"b{number - 1}"))
    check_plan(
        bases[PlanName("b49")], {name: one for name, one in bases.items() if name not in {"b50", "b51"}}
    )
    assert len(evaluate(PlanName("b49"), {}, bases, world_of(ALL)).hosts) == 1
    assert refused(Conflict, evaluate, PlanName("b51"), {}, bases, world_of(ALL))[0] == (
        "plan b51: its bases are nested more than 50 deep"
    )
    knot = plans(plan("c", "d"), plan("d", "c"))
    assert refused(Conflict, evaluate, PlanName("c"), {}, knot, world_of(ALL))[0] == (
        "plan c: its bases are nested more than 50 deep"
    )
    knot = plans(plan("a", "minus", left="b", right="failed"), plan("b", "minus", left="a", right="failed"))
    assert (
        refused(Conflict, evaluate, PlanName("a"), {}, knot, world_of(ALL))[0]
        == "the plan b selects by itself"
    )


def test_what_a_plan_is_made_of() -> None:
    more = LIMITED | plans(
        plan("up", "status", state="running"), plan("both", "union", left="only3", right="up")
    )
    assert below(PlanName("both"), {}, more) == {"both", "only3", "good", "up"}
    assert below(PlanName("limit"), {"parent": "good", "count": "3"}, more) == {"good"}
    assert below(PlanName("limit"), {"count": "3"}, more) == set()
    assert is_live(PlanName("both"), {}, more)
    assert not is_live(PlanName("only3"), {}, more)
    assert is_live(PlanName("status"), {"is": "running"}, {})
    assert is_live(PlanName("minus"), {"left": "all_nodes", "right": "up"}, more)
    assert not is_live(PlanName("limit"), {"count": "3"}, {})


def test_what_a_function_needs_is_told_when_it_is_named() -> None:
    make = "make a plan of it first: plan set --plan NAME --base {} …"
    for function, needs in (("near", "lat, lon, km"), ("rank", "by"), ("limit", "count or percent")):
        bad = plan("p", "union", left="all_nodes", right=function)
        assert refused(Invalid, check_plan, bad, {}) == (
            f"plan p, union: right names the function {function}, which needs {needs}",
            make.format(function),
        )
    with pytest.raises(Conflict) as error:
        check_plan(plan("failed", "all_nodes"), {})
    assert error.value.hint == "choose another name"


# -- what evaluations tell ------------------------------------------------------------------------------


def text(world: World, host: Host, name: str, *more: Plan, **parameters: str) -> str:
    return evaluate(PlanName(name), parameters, plans(*more), world).reason(host).text


def test_the_sets_say_why() -> None:
    world = world_of(ALL, failed=[A], members=[B])
    assert text(world, A, "all_nodes") == "is a node"
    assert (text(world, B, "slice_nodes"), text(world, C, "slice_nodes")) == (
        "is in the slice",
        "is not in the slice",
    )
    assert (text(world, A, "failed"), text(world, B, "failed")) == ("failed", "not failed")
    assert (text(world, A, "nodes", list=A), text(world, B, "nodes", list=A)) == ("named", "not named")
    assert text(world, A, "minus", left="all_nodes", right="failed") == "left out: failed"
    assert text(world, A, "minus", left="slice_nodes", right="failed") == "is not in the slice"
    assert text(world, C, "union", left="slice_nodes", right="failed") == "is not in the slice"
    assert text(world, A, "union", left="slice_nodes", right="failed") == "failed"
    assert text(world, B, "union", left="slice_nodes", right="failed") == "is in the slice"
    assert text(world, B, "intersect", left="slice_nodes", right="failed") == "not failed"
    assert text(world, A, "intersect", left="slice_nodes", right="failed") == "is not in the slice"
    assert text(world, A, "status", state="running") == "no application is running"
    running = world_of(ALL, states=lambda asked: [A] if not asked.slice else [])
    assert text(running, A, "status", state="running") == "an application is running"
    assert text(running, A, "status", state="running", slice="s") == "no application of s is running"
    some = evaluate(PlanName("nodes"), {"list": A}, {}, world)
    assert (some.has(A), some.has(B)) == (True, False)
    barred = plan("r", "random", count="1")
    assert text(world, B, "r", barred) == "kept: was a member"
    assert text(world, C, "r", barred) == "over the limit of 1"
    lonely = world_of([Host("n1"), Host("n2")], members=[Host("n1")])
    assert text(lonely, Host("n2"), "site") == "its site (none) has 1 already"
    assert text(lonely, Host("n1"), "site") == "is a node"


def test_sets_add_up_what_is_missing_and_what_bounds_them() -> None:
    world = world_of(ALL, failed=[A])
    five = plan("five", "limit", parent="few", count="5")
    few = plan("few", "nodes", list=f"{A},{B}")
    nine = plan("nine", "limit", parent="failed", count="9")
    each = few, five, nine

    def of(name: str, left: str, right: str) -> tuple[int, int | None]:
        selection = evaluate(PlanName(name), {"left": left, "right": right}, plans(*each), world)
        return selection.missing, selection.bound

    assert of("union", "five", "nine") == (11, 14)
    assert of("union", "five", "all_nodes") == (3, None)
    assert of("union", "all_nodes", "five") == (3, None)
    assert of("intersect", "five", "nine") == (8, 5)
    assert of("intersect", "five", "all_nodes") == (3, 5)
    assert of("intersect", "all_nodes", "slice_nodes") == (0, None)
    assert of("minus", "five", "failed") == (3, 5)
