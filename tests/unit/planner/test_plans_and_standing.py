"""Plans and nodes that are out of service: to every function it is as if they were not there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.names import Host, PlanName
from planner.fleet import NodeState
from planner.outlook import world_of
from planner.plans import Selection, evaluate
from planner.standing import Bars, Drain, Exclusion, Mark, Standing, bars_at
from tests.unit.planner.toy import LIMITED, Toy, hosts, plan, plans, wanted_slice

CORDONED = Standing(cordoned=Mark(by="ann", since=0.0, reason="disk swap"))
EXCLUDED = Standing(excluded=Exclusion(by="ann", since=0.0, reason="too old"))
DRAINED = Standing(drain=Drain(by="ann", since=0.0))
ALL = hosts(5)
PLANS = LIMITED | plans(
    plan("named", "nodes", list=",".join(ALL[:3])),
    plan("rest", "minus", left="all_nodes", right="named"),
    plan("both", "union", left="named", right="rest"),
    plan("most", "limit", parent="named", percent="100"),
)


def select(name: str, bars: Bars, *, members: tuple[Host, ...] = (), **parameters: str) -> Selection:
    toy = Toy(5)
    slice_ = replace(wanted_slice(), hosts=dict.fromkeys(members, 1), plans=PLANS)
    return evaluate(PlanName(name), parameters, PLANS, world_of(slice_, toy.fleet, bars))


@pytest.mark.parametrize("standing", [CORDONED, EXCLUDED, DRAINED])
@pytest.mark.parametrize("name", ["all_nodes", "named", "good", "both", "most", "only3"])
def test_no_plan_gives_a_node_that_is_out_of_service(name: str, standing: Standing) -> None:
    selection = select(name, bars_at({ALL[0]: standing}, 5.0))
    assert not selection.has(ALL[0])
    assert selection.hosts
    reason = selection.reason(ALL[0])
    assert reason.function == "standing"
    assert "by ann, since 1970-01-01 00:00 UTC" in reason.text


def test_what_is_subtracted_does_not_bring_it_back() -> None:
    selection = select("minus", bars_at({ALL[4]: EXCLUDED}, 5.0), left="all_nodes", right="rest")
    assert selection.hosts == tuple(ALL[:3])


def test_under_a_cordon_members_stay_and_nobody_joins() -> None:
    bars = bars_at(dict.fromkeys(ALL[:2], CORDONED), 5.0)
    selection = select("only3", bars, members=(ALL[0], ALL[3]))
    assert selection.has(ALL[0])
    assert not selection.has(ALL[1])
    assert len(selection.hosts) == 3
    assert selection.reason(ALL[1]).text == "cordoned: disk swap (by ann, since 1970-01-01 00:00 UTC)"


def test_members_that_are_drained_or_excluded_leave() -> None:
    for standing in (DRAINED, EXCLUDED):
        selection = select("only3", bars_at({ALL[0]: standing}, 5.0), members=tuple(ALL[:3]))
        assert not selection.has(ALL[0])
        assert {*ALL[1:3]} < {*selection.hosts}
        assert selection.missing == 0


def test_what_is_missing_for_that_reason_is_told() -> None:
    selection = select("only3", bars_at(dict.fromkeys(ALL[:3], CORDONED), 5.0))
    assert (len(selection.hosts), selection.missing) == (2, 1)


def test_a_failed_member_under_a_cordon_leaves_where_the_plan_leaves_out_the_failed() -> None:
    toy = Toy(5)
    toy.run()
    lost = min(toy.running())
    toy.fleet.judge(lost, NodeState.FAILED)
    world = world_of(toy.slice, toy.fleet, bars_at({lost: CORDONED}, 5.0))
    assert not evaluate(toy.slice.plan, {}, toy.slice.plans, world).has(lost)
