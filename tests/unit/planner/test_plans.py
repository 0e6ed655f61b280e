"""The algebra of plans: what is selected, why, and what is refused."""

from __future__ import annotations

import pytest

from dsmt_core.errors import Conflict, DsmtError, Invalid, NotFound
from dsmt_core.names import Host, PlanName
from planner.plans import (
    Selection,
    World,
    builtin_plans,
    check_in_force,
    check_plan,
    check_removal,
    evaluate,
    site_of,
)
from planner.wanted import Plan
from tests.unit.planner.toy import LIMITED, hosts, plan, plans
from tests.unit.planner.worlds import world_of

ALL = frozenset(hosts(9))
A, B, C = hosts(3)


def world(*, failed: frozenset[Host] = frozenset(), members: frozenset[Host] = frozenset()) -> World:
    return world_of(ALL, failed=failed, members=members)


def select(name: str, all_: dict[PlanName, Plan], world_: World, **parameters: str) -> Selection:
    return evaluate(PlanName(name), parameters, all_, world_)


def test_the_guide_s_three_node_selections_work() -> None:
    failed = frozenset({A})
    assert set(select("all_nodes", {}, world()).hosts) == ALL
    assert len(select("limit", {}, world(), count="10").hosts) == 9
    assert select("broken", plans(plan("broken", "failed")), world(failed=failed)).hosts == (A,)


def test_nested_and_named_plans_select_among_the_living() -> None:
    selection = select("only3", LIMITED, world(failed=frozenset({A, B})))
    assert len(selection.hosts) == 3
    assert selection.hosts == tuple(sorted(selection.hosts))
    assert not {A, B} & set(selection.hosts)
    assert (selection.missing, selection.bound) == (0, 3)


def test_every_host_learns_why_it_is_in_or_out() -> None:
    first = select("only3", LIMITED, world(failed=frozenset({A})))
    members = frozenset(first.hosts)
    lost = first.hosts[0]
    again = select("only3", LIMITED, world(failed=frozenset({A, lost}), members=members))
    reasons = {host: reason.text for host, reason in again.chosen() + again.left_out()}
    assert reasons.keys() == ALL
    assert reasons[lost] == "left out: failed"
    assert reasons[first.hosts[1]] == "kept: was a member"
    assert list(reasons.values()).count("chosen") == 1
    assert list(reasons.values()).count("over the limit of 3") == 4


def test_a_limit_that_cannot_be_filled_tells_how_many_are_missing() -> None:
    selection = select("limit", {}, world(), count="12")
    assert (len(selection.hosts), selection.missing) == (9, 3)


def test_a_limit_spreads_over_sites() -> None:
    chosen = select("limit", {}, world(), count="3").hosts
    assert {site_of(host) for host in chosen} == {"site0.org", "site1.org", "site2.org"}


def test_a_fact_about_the_site_comes_before_the_name() -> None:
    everywhere = world_of(ALL, facts={host: {"site": "there" if host == A else "here"} for host in ALL})
    assert A in select("limit", {}, everywhere, count="2").hosts


def test_a_limit_prefers_the_living_to_the_doubtful_and_these_to_the_failed() -> None:
    doubt = world_of(ALL, failed=ALL - {A, B}, doubtful=frozenset({B}))
    assert select("limit", {}, doubt, count="2").hosts == (A, B)


def test_another_slice_or_plan_draws_other_hosts() -> None:
    def drawn(slice_: str, name: str) -> tuple[Host, ...]:
        named = plans(plan(name, "limit", count="3"))
        return evaluate(PlanName(name), {}, named, world_of(frozenset(hosts(60)))).hosts

    assert len({drawn("xyz1", f"p{number}") for number in range(5)}) > 1


def test_the_draw_is_the_same_for_ever() -> None:
    assert select("limit", {}, world(), count="2").hosts == ("n2.site2.org", "n4.site1.org")


def test_what_is_subtracted_by_a_limit_stays_outside() -> None:
    without = plans(plan("some", "limit", count="3"), plan("rest", "minus", left="all_nodes", right="some"))
    first = frozenset(select("rest", without, world()).hosts)
    again = frozenset(select("rest", without, world(members=first)).hosts)
    assert again == first


def test_parameters_of_setplan_come_before_the_plan_s_own() -> None:
    assert len(select("only3", LIMITED, world(), count="5").hosts) == 5


def test_a_plan_may_build_on_a_plan() -> None:
    more = LIMITED | plans(plan("only4", "only3", count="4"))
    check_plan(more[PlanName("only4")], LIMITED)
    assert len(select("only4", more, world(failed=frozenset({A}))).hosts) == 4


def test_named_nodes_are_selected_in_either_spelling_and_unknown_ones_left_out() -> None:
    assert select("nodes", {}, world(), list=f"{B}, {A}").hosts == (A, B)
    assert select("nodes", {}, world(), hosts=f"{A},gone.org").hosts == (A,)


def test_slice_nodes_are_the_members() -> None:
    assert select("slice_nodes", {}, world(members=frozenset({A}))).hosts == (A,)


def test_union_and_intersection_explain_themselves() -> None:
    named = plans(plan("a", "nodes", list=f"{A},{B}"), plan("b", "nodes", list=f"{B},{C}"))
    both = named | plans(
        plan("either", "union", left="a", right="b"), plan("both", "intersect", left="a", right="b")
    )
    assert select("either", both, world()).hosts == (A, B, C)
    assert select("both", both, world()).hosts == (B,)
    assert select("either", both, world()).bound == 4
    assert select("both", both, world()).bound == 2
    assert dict(select("both", both, world()).left_out())[A] == ("not named", "b", "nodes")


@pytest.mark.parametrize(
    ("bad", "kind", "message", "hint"),
    [
        (
            plan("p", "limits", count="3"),
            NotFound,
            "plan p: the base 'limits' is not known",
            "did you mean limit?",
        ),
        (
            plan("p", "limit", parent="god", count="3"),
            NotFound,
            "plan p, limit: parent 'god' is not known",
            "did you mean good?",
        ),
        (
            plan("p", "limit", cuont="3"),
            Invalid,
            "plan p, limit: 'cuont' is not a parameter",
            "did you mean count?",
        ),
        (plan("p", "limit"), Invalid, "plan p, limit: count is missing", "or percent"),
        (
            plan("p", "limit", count="0"),
            Invalid,
            "plan p, limit: count is '0'",
            "it takes a whole number of at least 1",
        ),
        (
            plan("p", "limit", count="-1"),
            Invalid,
            "plan p, limit: count is '-1'",
            "it takes a whole number of at least 1",
        ),
        (
            plan("p", "limit", count="three"),
            Invalid,
            "plan p, limit: count is 'three'",
            "it takes a whole number of at least 1",
        ),
        (
            plan("p", "limit", count="²"),
            Invalid,
            "plan p, limit: count is '²'",
            "it takes a whole number of at least 1",
        ),
        (
            plan("p", "minus", left="all_nodes"),
            Invalid,
            "plan p, minus: right is missing",
            "it takes the name of a plan or of a function",
        ),
        (
            plan("p", "minus", left="limit", right="failed"),
            Invalid,
            "plan p, minus: left names the function limit, which needs count or percent",
            "make a plan of it first: plan set --plan NAME --base limit …",
        ),
        (
            plan("p", "all_nodes", x="1"),
            Invalid,
            "plan p, all_nodes: 'x' is not a parameter",
            "it takes none",
        ),
        (
            plan("p", "nodes", list="a b!"),
            Invalid,
            "plan p, nodes: list: 'a b!' is not a host name",
            "use letters, digits, dots and hyphens, such as node1.example.org",
        ),
        (
            plan("p", "nodes", list=","),
            Invalid,
            "plan p, nodes: list names no host",
            "it takes host names, separated by commas",
        ),
        (plan("p", "nodes", list="a", hosts="b"), Invalid, "plan p, nodes: list is given twice", ""),
        (
            plan("failed", "all_nodes"),
            Conflict,
            "the plan failed cannot be made: a function has this name",
            "choose another name",
        ),
        (
            plan("p", "p"),
            Conflict,
            "the plans would form a cycle: p -> p",
            "a plan cannot select by itself",
        ),
        (
            plan("good", "minus", left="only3", right="failed"),
            Conflict,
            "the plans would form a cycle: good -> only3 -> good",
            "a plan cannot select by itself",
        ),
    ],
)
def test_a_bad_plan_is_refused_with_its_place(
    bad: Plan, kind: type[DsmtError], message: str, hint: str
) -> None:
    with pytest.raises(kind) as refused:
        check_plan(bad, LIMITED)
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_an_unknown_node_is_refused_when_the_nodes_are_known() -> None:
    named = plan("p", "nodes", list="n0.site0.or")
    check_plan(named, {})
    with pytest.raises(NotFound, match=r"n0\.site0\.or"):
        check_plan(named, {}, known=world().ground)
    with pytest.raises(NotFound):
        check_in_force(PlanName("nodes"), {"list": "nowhere.org"}, {}, known=world().ground)


def test_putting_in_force_is_checked_too() -> None:
    check_in_force(PlanName("limit"), {"count": "10"}, {})
    check_in_force(PlanName("only3"), {}, LIMITED)
    for name, parameters in (("limit", {}), ("only33", {}), ("only3", {"count": "none"})):
        with pytest.raises((NotFound, Invalid)):
            check_in_force(PlanName(name), parameters, LIMITED)


def test_a_new_base_may_not_break_the_plans_built_on_it() -> None:
    built = LIMITED | plans(plan("only4", "only3", count="4"))
    with pytest.raises(Invalid, match="only4"):
        check_plan(plan("only3", "all_nodes"), built)


def test_a_plan_in_use_is_not_deleted() -> None:
    with pytest.raises(Conflict, match="the plan only3"):
        check_removal(PlanName("good"), LIMITED)
    with pytest.raises(Conflict, match="in force"):
        check_removal(PlanName("only3"), LIMITED, PlanName("only3"))
    with pytest.raises(NotFound, match="only2"):
        check_removal(PlanName("only2"), LIMITED)
    with pytest.raises(Conflict, match="function"):
        check_removal(PlanName("failed"), LIMITED)
    check_removal(PlanName("only3"), LIMITED)


def test_a_count_is_no_name_of_a_plan() -> None:
    odd = plans(plan("3", "all_nodes"), plan("p", "limit", count="3"))
    check_plan(plan("3", "p"), odd | plans(plan("p", "limit", count="3")))
    check_removal(PlanName("3"), odd)


def test_plans_nested_too_deep_are_refused() -> None:
    chain = {PlanName("p0"): plan("p0", "all_nodes")}
    for number in range(1, 50):
        chain[PlanName(f"p{number}")] = plan(f"p{number}", "minus", left=f"p{number - 1}", right="failed")
    check_plan(chain[PlanName("p49")], chain)
    with pytest.raises(Invalid, match="deep"):
        check_plan(plan("p50", "minus", left="p49", right="failed"), chain)
    deeper = chain | plans(plan("q", "minus", left="all_nodes", right="failed"))
    with pytest.raises(Invalid, match="p49"):
        check_plan(plan("p0", "minus", left="q", right="failed"), deeper)


def test_a_knot_that_was_stored_all_the_same_ends_in_an_error() -> None:
    knot = plans(plan("a", "minus", left="b", right="failed"), plan("b", "minus", left="a", right="failed"))
    with pytest.raises(Conflict):
        select("a", knot, world())
    with pytest.raises(Conflict):
        select("c", plans(plan("c", "d"), plan("d", "c")), world())


def test_diamonds_are_evaluated_once() -> None:
    tower = plans(plan("d0", "all_nodes"))
    for number in range(1, 45):
        tower |= plans(plan(f"d{number}", "union", left=f"d{number - 1}", right=f"d{number - 1}"))
    assert set(select("d44", tower, world()).hosts) == ALL


def test_functions_without_parameters_are_plans_of_their_own() -> None:
    assert {one.name for one in builtin_plans()} == {"all_nodes", "slice_nodes", "failed", "site"}
