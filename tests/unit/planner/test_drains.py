"""Nodes out of service in rounds: what runs there moves, and the service goes on meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.commands import Order
from dsmt_core.lifecycle import State
from dsmt_core.names import Host, PlanName
from planner.budget import budget
from planner.fleet import NodeState
from planner.standing import Drain, Exclusion, Mark, Standing, Window
from planner.steps import Round
from planner.wanted import WantedSlice
from tests.unit.planner.toy import APP, SLICE, Toy, ToyNode, hosts, plan, plans, wanted_slice

DRAINED = Standing(drain=Drain(by="ann", since=0.0, reason="disk swap"))
EXCLUDED = Standing(excluded=Exclusion(by="ann", since=0.0))
AT_ONCE = Standing(excluded=Exclusion(by="ann", since=0.0, at_once=True))
CORDONED = Standing(cordoned=Mark(by="ann", since=0.0))


class Watched(Toy):
    """A toy world that keeps count of what runs after every round."""

    def __init__(self, count: int, slice_: WantedSlice) -> None:
        super().__init__(count, (slice_,))
        self.fewest, self.most = 10**6, 0

    def deliver(self, orders: tuple[Order, ...]) -> None:
        super().deliver(orders)
        self.fewest = min(self.fewest, len(self.running()))
        self.most = max(self.most, len(self.running()))

    def settle(self, rounds: int = 20) -> Round:
        last = self.run(rounds)
        self.fewest, self.most = len(self.running()), len(self.running())
        return last


def running(count: int = 6, plan: str = "only3", *, keep: str = "") -> Watched:
    toy = Watched(count, replace(wanted_slice(plan), budget=budget(keep)))
    toy.settle()
    return toy


def reasons(last: Round, host: Host) -> list[str]:
    return [one.reason for one in last.waiting if one.host == host]


def first(toy: Toy, count: int = 1) -> list[Host]:
    return sorted(toy.running())[:count]


@pytest.mark.parametrize("standing", [DRAINED, EXCLUDED])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_replacements_run_before_what_is_out_of_service_stops(standing: Standing, count: int) -> None:
    toy = running()
    leaving = first(toy, count)
    toy.stand(standing, *leaving)
    last = toy.run(40)
    assert len(toy.running()) == 3
    assert not toy.running() & {*leaving}
    assert (toy.fewest, toy.most) == (3, 4)
    assert (last.waiting, last.orders) == ((), ())


def test_a_replacement_that_does_not_come_up_holds_the_drain() -> None:
    toy = running()
    [leaving] = first(toy)
    for host in toy.nodes.keys() - toy.running():
        toy.nodes[host].deaf = True
    toy.stand(DRAINED, leaving)
    last = toy.run(40)
    assert leaving in toy.running()
    assert toy.most == 3
    assert reasons(last, leaving) == [
        "draining: disk swap (by ann, since 1970-01-01 00:00 UTC), but its replacement does not run yet"
    ]


def test_without_another_node_a_drain_takes_what_the_budget_allows_and_says_what_holds_the_rest() -> None:
    toy = running(3, keep="keep 2")
    leaving = first(toy, 2)
    toy.stand(DRAINED, *leaving)
    last = toy.run(40)
    assert len(toy.running()) == 2
    [held] = toy.running() & {*leaving}
    assert reasons(last, held)[0].endswith(
        "but the disruption budget (keep 2) holds it: 2 of 3 run, at least 2 must"
    )


def test_a_held_drain_goes_on_when_a_node_comes() -> None:
    toy = running(3, keep="keep 3")
    [leaving] = first(toy)
    toy.stand(DRAINED, leaving)
    toy.run(20)
    assert len(toy.running()) == 3
    toy.join(ToyNode(Host("late.org")))
    toy.run(20)
    assert leaving not in toy.running()
    assert toy.fewest == 3


def test_a_budget_of_everything_with_one_instance_is_kept_by_a_surge() -> None:
    toy = Watched(2, replace(wanted_slice(), plan_parameters={"count": "1"}, budget=budget("keep 100%")))
    toy.settle()
    [leaving] = first(toy)
    toy.stand(DRAINED, leaving)
    toy.run(20)
    assert leaving not in toy.running()
    assert (toy.fewest, toy.most) == (1, 2)


def test_failures_and_drains_together_keep_the_budget() -> None:
    toy = running(10, "all_nodes", keep="keep 80%")
    lost, *leaving = sorted(toy.nodes)[:4]
    toy.nodes[lost].mute = toy.nodes[lost].deaf = True
    toy.fleet.judge(lost, NodeState.FAILED)
    toy.stand(DRAINED, *leaving)
    toy.run(40)
    assert len(toy.running() - {lost}) == 8
    toy.nodes[lost].mute = toy.nodes[lost].deaf = False
    toy.fleet.judge(lost, NodeState.ALIVE)
    toy.run(40)
    assert len(toy.running()) == 8
    assert len(toy.running() & {*leaving}) == 1


def test_a_deadline_stops_the_rest_only_by_force() -> None:
    toy = running(3, keep="keep 3")
    [leaving] = first(toy)
    drain = Drain(by="ann", since=0.0, deadline=toy.now + 5)
    toy.stand(Standing(drain=drain), leaving)
    last = toy.run(20)
    assert last.again_at == drain.deadline
    toy.now += 5
    last = toy.run(20)
    assert reasons(last, leaving)[0].startswith("over time: draining (by ann")
    assert leaving in toy.running()
    toy.stand(Standing(drain=replace(drain, force=True)), leaving)
    toy.run(20)
    assert leaving not in toy.running()


def test_time_alone_makes_a_round_over_everything() -> None:
    toy = running(3, keep="keep 3")
    [leaving] = first(toy)
    toy.stand(Standing(drain=Drain(by="ann", since=0.0, deadline=toy.now + 5, force=True)), leaving)
    toy.run(10)
    assert leaving in toy.running()
    toy.now += 5
    toy.run(10)
    assert leaving not in toy.running()


def test_excluded_at_once_is_stopped_at_once() -> None:
    toy = running(3, keep="keep 3")
    toy.stand(AT_ONCE, *first(toy, 2))
    toy.run(3)
    assert len(toy.running()) == 1


def test_under_a_cordon_everything_stays_and_nothing_is_placed() -> None:
    toy = running(4)
    [free] = toy.nodes.keys() - toy.running()
    toy.stand(CORDONED, *first(toy, 2), free)
    before = toy.slice
    assert toy.run(20).changes == ()
    assert toy.slice == before
    lost = max(toy.running())
    toy.nodes[lost].mute = toy.nodes[lost].deaf = True
    toy.fleet.judge(lost, NodeState.FAILED)
    last = toy.run(20)
    assert free not in toy.running()
    assert "1 of 3 missing: only 2 nodes qualify (standing left out 1; good left out 1)" in [
        one.reason for one in last.waiting
    ]


def test_a_drain_that_is_cancelled_ends_with_the_limit() -> None:
    toy = running()
    leaving = first(toy, 3)
    toy.stand(DRAINED, *leaving)
    toy.run(3)
    toy.stand(DRAINED)
    toy.run(20)
    assert len(toy.running()) == len(toy.slice.hosts) == 3
    assert toy.most <= 4


def test_what_does_not_run_may_leave_whatever_the_budget_says() -> None:
    toy = running(3, keep="keep 3")
    [leaving] = first(toy)
    held = toy.nodes[leaving].applications[SLICE]
    held[APP] = replace(held[APP], state=State.FAILED)
    toy.fleet.fold(toy.nodes[leaving].agent_holdings(SLICE), now=toy.now)
    toy.stand(DRAINED, leaving)
    toy.run(10)
    assert leaving not in toy.slice.hosts


def test_people_who_lower_the_number_are_not_held_up_and_a_drain_is() -> None:
    toy = running(3, keep="keep 2")
    leaving = first(toy, 2)
    toy.stand(DRAINED, *leaving)
    toy.change(replace(toy.slice, plan_parameters={"count": "1"}))
    toy.run(20)
    assert toy.running() & {*leaving}
    assert len(toy.running()) == 2


def test_changing_the_budget_frees_nothing_that_is_held_back() -> None:
    gone = ",".join(hosts(20)[:10])
    named = plans(plan("rest", "minus", left="all_nodes", right="gone"), plan("gone", "nodes", list=gone))
    toy = running(20, "all_nodes")
    toy.slip(replace(toy.slice, plans=named, plan=PlanName("rest")))
    toy.run(5)
    assert len(toy.running()) == 18
    toy.change(replace(toy.slice, budget=budget("keep 1")))
    toy.run(5)
    assert len(toy.running()) == 18


def test_a_window_empties_the_node_before_and_gives_it_back_after() -> None:
    toy = running(3, "all_nodes", keep="keep 1")
    [host] = first(toy)
    window = Window(by="ann", since=0.0, begins=toy.now + 60, ends=toy.now + 120, lead=30)
    toy.stand(Standing(windows=(window,)), host)
    last = toy.run(5)
    assert host in toy.running()
    assert last.again_at == window.begins - 30
    toy.now = window.begins - 30
    toy.run(5)
    assert host not in toy.running()
    toy.now = window.ends
    toy.run(5)
    assert host in toy.running()


def test_a_drained_slice_without_applications_moves_too() -> None:
    toy = Watched(5, wanted_slice(apps={}))
    toy.settle()
    host = min(toy.slice.hosts)
    toy.stand(DRAINED, host)
    toy.run(20)
    assert host not in toy.slice.hosts
    assert len(toy.slice.hosts) == 3


def test_a_planner_that_starts_in_the_middle_of_a_drain_takes_nothing_down_on_a_guess() -> None:
    toy = running(6, keep="keep 3")
    toy.stand(DRAINED, *first(toy, 3))
    toy.run(4)
    after = Watched(0, wanted_slice())
    after.wanted, after.nodes = toy.wanted, toy.nodes
    for host in hosts(6):
        after.fleet.join(host, now=after.now)
        after.fleet.judge(host, NodeState.ALIVE)
    before = len(toy.running())
    after.round()
    assert len(after.slice.hosts) >= 3
    after.run(300)
    assert len(after.running()) == 3
    assert after.fewest >= 3 <= before
