"""Roll-outs over toy nodes: waves, judgement, budget, turning back, and what people do meanwhile."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from dsmt_core.commands import Verb
from dsmt_core.errors import Conflict, NotFound
from dsmt_core.lifecycle import State
from dsmt_core.names import Host
from dsmt_core.packages import PackageRef
from planner.budget import budget
from planner.fleet import NodeState
from planner.reconcile import SentOrders
from planner.rollout import Phase, Policy, Release, Rollout, policy
from planner.rollout.order import in_order
from planner.rollout.turns import Deed, Wish, started, turned
from planner.turns import turn
from planner.wanted import NO_PLAN
from tests.unit.planner.toy import APP, SLICE, Toy, ToyNode, wanted_slice

OLD, NEW = "1.8-1", "1.9-1"
RELEASE = Release(NEW, (PackageRef("b" * 64, 10, "dsmtw_pinger-1.9-1.noarch.rpm"),))
WAVES = ["1", "30%", "100%"]


class Fleet(Toy):
    """Ten nodes that all have the pinger, healthy; laws are watched after every round."""

    def __init__(self, count: int = 10) -> None:
        super().__init__(count, (wanted_slice("good"),))
        self.down = 0
        self.run(30)
        assert self.versions().total() == self.versions()[OLD] == count

    def roll(self, release: Release = RELEASE, chosen: Policy | None = None) -> None:
        chosen = chosen or policy(WAVES, min_healthy_s=1.0, deadline_s=20.0)
        wish = Wish(by="ann", now=self.now)
        self._put(started(self.slice, APP, release, chosen, wish))

    def do(self, deed: Deed, *, all_at_once: bool = False, back: bool = False) -> None:
        wish = Wish(by="ann", now=self.now, all_at_once=all_at_once, back=back)
        self._put(turned(self.slice, APP, deed, wish))

    def _put(self, rollout: Rollout) -> None:
        self.change(replace(self.slice, rollouts={APP: rollout}))

    @property
    def rollout(self) -> Rollout:
        return self.slice.rollouts[APP]

    def placed(self) -> Counter[str]:
        return Counter(one.version for one in self.slice.placements)

    def versions(self) -> Counter[str]:
        """What really runs."""
        return Counter(
            held.version
            for node in self.nodes.values()
            for held in node.applications.get(SLICE, {}).values()
            if held.state is State.RUNNING
        )

    def until(self, phase: Phase, rounds: int = 600) -> None:
        for _ in range(rounds):
            self.run(1)
            self.down = max(self.down, len(self.slice.hosts) - self.up())
            if self.rollout.phase is phase:
                return
        raise AssertionError(f"not {phase}: {self.rollout}")

    def up(self) -> int:
        return sum(self.versions().values())

    def hosts_with(self, version: str) -> set[Host]:
        return {one.host for one in self.slice.placements if one.version == version}

    def first(self) -> Host:
        return in_order(SLICE, APP, self.slice.hosts)[0]

    def restarted(self) -> None:
        """The planner dies and comes back: only what was committed is left, and what is said again."""
        self.sent = SentOrders()
        for node in self.nodes.values():
            self.fleet.forget(node.host)
        self.fleet = type(self.fleet)()
        for node in self.nodes.values():
            self.fleet.join(node.host, now=self.now)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


def test_the_new_version_goes_out_in_waves_and_becomes_the_slices(fleet: Fleet) -> None:
    fleet.roll()
    sizes = []
    for _ in range(600):
        fleet.run(1)
        sizes.append((fleet.rollout.wave, len(fleet.hosts_with(NEW))))
        if not fleet.rollout.is_active:
            break
    assert max(size for wave, size in sizes if wave == 0) == 1
    assert max(size for wave, size in sizes if wave == 1) == 3
    assert fleet.rollout.phase is Phase.DONE
    assert fleet.versions() == {NEW: 10}
    assert fleet.slice.applications[APP].version == NEW
    assert fleet.slice.applications[APP].packages == RELEASE.packages


def test_nothing_moves_once_it_is_done(fleet: Fleet) -> None:
    fleet.roll()
    fleet.until(Phase.DONE)
    before = fleet.slice
    fleet.orders.clear()
    fleet.run(50, step=5.0)
    assert fleet.slice == before
    assert not [order for order in fleet.orders if order.verb is not Verb.REPORT]


def test_orders_carry_the_packages_of_the_version_that_they_name(fleet: Fleet) -> None:
    fleet.roll()
    fleet.orders.clear()
    fleet.until(Phase.DONE)
    updates = [order for order in fleet.orders if order.version == NEW]
    assert updates
    assert all(order.packages == RELEASE.packages for order in updates)


def test_a_host_that_does_not_run_long_enough_proves_nothing(fleet: Fleet) -> None:
    fleet.roll(chosen=policy(WAVES, min_healthy_s=5.0, deadline_s=20.0))
    fleet.run(45)
    assert fleet.rollout.wave == 0
    fleet.run(15)
    assert fleet.rollout.wave == 1


def test_a_broken_version_stops_at_the_first_host_and_goes_back_by_itself(fleet: Fleet) -> None:
    for node in fleet.nodes.values():
        node.broken.add(NEW)
    fleet.roll()
    fleet.until(Phase.RETURNED)
    assert list(fleet.rollout.failed) == [fleet.first()]
    assert "too many" in fleet.rollout.reason
    assert fleet.versions() == {OLD: 10}
    assert fleet.slice.applications[APP].version == OLD
    assert fleet.down == 1


def test_a_version_that_breaks_on_some_hosts_is_noticed_in_a_later_wave(fleet: Fleet) -> None:
    for host, node in fleet.nodes.items():
        if host != fleet.first():
            node.broken.add(NEW)
    fleet.roll()
    fleet.until(Phase.RETURNED)
    assert fleet.rollout.wave == 1
    assert fleet.versions() == {OLD: 10}
    assert fleet.down == 1, "the way back keeps the budget, too"


def test_a_host_that_never_answers_counts_as_failed_after_its_deadline(fleet: Fleet) -> None:
    fleet.nodes[fleet.first()].deaf = True
    fleet.roll()
    fleet.run(150)
    assert fleet.rollout.phase is Phase.RUNNING
    fleet.until(Phase.RETURNING)
    assert "did not answer within 20 s" in fleet.rollout.failed[fleet.first()]
    # It is not waited for either on the way back.
    fleet.until(Phase.RETURNED)


def test_n_of_m_suffice_and_the_rest_follows() -> None:
    fleet = Fleet(20)
    fleet.change(replace(fleet.slice, budget=budget("max-unavailable 100%")))
    slow = in_order(SLICE, APP, fleet.slice.hosts)[4]
    fleet.nodes[slow].deaf = True
    fleet.roll(chosen=policy(["1", "10"], min_healthy_s=1.0, deadline_s=60.0, errors="5", need="80%"))
    fleet.run(60)
    assert fleet.rollout.phase is Phase.DONE, "nine of ten were well, and eight were needed"
    assert fleet.versions() == {NEW: 19, OLD: 1}
    fleet.nodes[slow].deaf = False
    fleet.run(400)
    assert fleet.versions() == {NEW: 20}


def test_never_more_are_down_than_the_budget_has_room_for() -> None:
    fleet = Fleet(20)
    fleet.change(replace(fleet.slice, budget=budget("max-unavailable 3")))
    fleet.roll(chosen=policy(["100%"], min_healthy_s=0.0, deadline_s=20.0))
    most = 0
    for _ in range(200):
        before = fleet.hosts_with(NEW)
        fleet.now += 0.1
        for node in fleet.nodes.values():
            fleet.beat(node)
        round_ = fleet.round()
        most = max(most, len(fleet.hosts_with(NEW) - before))
        fleet.deliver(round_.orders)
    assert most == 3
    assert fleet.rollout.phase is Phase.DONE


def test_what_is_down_already_uses_up_the_budget_and_that_is_said(fleet: Fleet) -> None:
    last = in_order(SLICE, APP, fleet.slice.hosts)[-1]
    fleet.change(replace(fleet.slice, budget=budget("max-unavailable 1")))
    fleet.nodes[last].deaf = True
    fleet.change(turn(fleet.slice, APP, Verb.RESTART, hosts=[last]))
    fleet.roll()
    last_round = fleet.run(50)
    assert fleet.hosts_with(NEW) == set()
    assert any("disruption budget has no room" in one.reason for one in last_round.waiting)
    fleet.nodes[last].deaf = False
    fleet.run(80)
    fleet.until(Phase.DONE)


def test_an_instance_that_is_down_anyway_costs_nothing(fleet: Fleet) -> None:
    sick = fleet.first()
    fleet.nodes[sick].broken.add(OLD)
    fleet.change(turn(fleet.slice, APP, Verb.RESTART, hosts=[sick]))
    fleet.run(5)
    assert fleet.up() == 9
    fleet.roll()
    fleet.run(3)
    assert fleet.hosts_with(NEW) == {sick}
    fleet.until(Phase.DONE)


def test_a_failed_node_does_not_hold_a_wave_up_and_follows_when_it_is_back() -> None:
    fleet = Fleet()
    fleet.change(replace(fleet.slice, plan=wanted_slice("all_nodes").plan))
    fleet.run(5)
    gone = fleet.first()
    fleet.change(replace(fleet.slice, budget=budget("max-unavailable 2")))
    fleet.nodes[gone].mute = fleet.nodes[gone].deaf = True
    fleet.fleet.judge(gone, NodeState.FAILED)
    fleet.roll()
    fleet.until(Phase.DONE)
    assert fleet.hosts_with(OLD) == {gone} or gone in fleet.hosts_with(NEW)
    fleet.nodes[gone].mute = fleet.nodes[gone].deaf = False
    fleet.fleet.judge(gone, NodeState.ALIVE)
    fleet.fleet.fold(fleet.nodes[gone].holdings(asks=True), now=fleet.now)
    fleet.fleet.fold(fleet.nodes[gone].agent_holdings(SLICE, asks=True), now=fleet.now)
    fleet.run(20)
    assert fleet.versions() == {NEW: 10}


def test_a_node_that_fails_in_a_wave_is_neither_well_nor_failed(fleet: Fleet) -> None:
    first = fleet.first()
    fleet.nodes[first].deaf = True
    fleet.change(replace(fleet.slice, budget=budget("max-unavailable 2")))
    fleet.roll()
    fleet.run(3)
    assert first in fleet.rollout.told
    fleet.nodes[first].mute = True
    fleet.fleet.judge(first, NodeState.FAILED)
    fleet.until(Phase.DONE)
    assert not fleet.rollout.failed


def test_with_all_nodes_failed_it_waits_and_says_so(fleet: Fleet) -> None:
    fleet.change(replace(fleet.slice, plan=wanted_slice("all_nodes").plan))
    fleet.roll()
    for node in fleet.nodes.values():
        node.mute = node.deaf = True
        fleet.fleet.judge(node.host, NodeState.FAILED)
    last = fleet.run(50, step=10.0)
    assert fleet.rollout.phase is Phase.RUNNING
    assert any("all its nodes have failed" in one.reason for one in last.waiting)


def test_a_host_that_joins_gets_the_old_version_while_the_wave_is_full(fleet: Fleet) -> None:
    fleet.roll(chosen=policy(["1"], min_healthy_s=3.0, deadline_s=20.0))
    fleet.run(3)
    new = Host("late.site9.org")
    fleet.join(ToyNode(new))
    fleet.run(10)
    assert new in fleet.hosts_with(OLD)
    assert len(fleet.hosts_with(NEW)) == 1
    fleet.until(Phase.DONE)
    assert fleet.versions() == {NEW: 11}


def test_a_host_that_joins_in_the_last_wave_or_later_gets_the_new_version(fleet: Fleet) -> None:
    fleet.roll(chosen=policy(["100%"], min_healthy_s=1.0, deadline_s=20.0))
    fleet.run(20)
    during = ToyNode(Host("during.site9.org"))
    fleet.join(during)
    fleet.until(Phase.DONE)
    after = ToyNode(Host("after.site9.org"))
    fleet.join(after)
    fleet.run(20)
    assert {held.version for node in (during, after) for held in node.applications[SLICE].values()} == {NEW}


def test_over_no_host_it_waits_says_so_and_goes_on_when_some_come() -> None:
    toy = Fleet(0)
    toy.roll()
    last = toy.run(50, step=10.0)
    assert toy.rollout.phase is Phase.RUNNING
    assert [one.reason for one in last.waiting if one.application] == [
        "the roll-out waits: the slice has no hosts now"
    ]
    for name in ("one", "two"):
        toy.join(ToyNode(Host(f"{name}.site.org")))
    toy.until(Phase.DONE)
    assert toy.versions() == {NEW: 2}
    assert toy.rollout.well == 1


def test_a_bad_version_that_loses_its_hosts_on_the_way_is_not_called_done(fleet: Fleet) -> None:
    fleet.roll(chosen=policy(["1"], min_healthy_s=1.0, deadline_s=20.0))
    while not fleet.rollout.wave:
        fleet.run(1)
    for node in fleet.nodes.values():
        node.mute = node.deaf = True
        fleet.fleet.judge(node.host, NodeState.FAILED)
    fleet.run(50, step=10.0)
    assert (fleet.slice.hosts, fleet.rollout.phase) == ({}, Phase.RUNNING)
    assert fleet.slice.applications[APP].version == OLD
    fleet.do(Deed.ABORT)
    fleet.run(3)
    assert fleet.rollout.phase is Phase.ABORTED


def test_without_a_plan_nothing_is_meant_to_run_and_it_is_done_at_once() -> None:
    toy = Fleet(0)
    toy.change(replace(toy.slice, plan=NO_PLAN))
    toy.roll()
    toy.until(Phase.DONE, rounds=3)
    assert toy.slice.applications[APP].version == NEW
    assert toy.rollout.moved_at == toy.now


def test_without_a_plan_what_is_held_stays_held() -> None:
    toy = Fleet(0)
    toy.change(replace(toy.slice, plan=NO_PLAN))
    toy.roll()
    toy.do(Deed.PAUSE)
    toy.run(3)
    assert toy.rollout.phase is Phase.PAUSED


def test_a_planner_that_dies_after_every_commit_goes_on(fleet: Fleet) -> None:
    fleet.roll()
    obeyed: Counter[tuple[Host, int]] = Counter()
    for _ in range(3000):
        committed = fleet.slice
        fleet.now += 0.1
        for node in fleet.nodes.values():
            fleet.beat(node)
        round_ = fleet.round()
        if fleet.slice != committed:
            # Its orders were never sent.
            fleet.restarted()
            for node in fleet.nodes.values():
                fleet.fleet.judge(node.host, NodeState.ALIVE)
                fleet.fleet.fold(node.holdings(), now=fleet.now)
            continue
        obeyed.update((order.host, order.generation) for order in round_.orders if order.version == NEW)
        fleet.deliver(round_.orders)
        assert fleet.up() >= 9
        if fleet.rollout.phase is Phase.DONE:
            break
    assert fleet.rollout.phase is Phase.DONE
    assert fleet.versions() == {NEW: 10}


def test_a_planner_that_has_just_started_changes_nothing_before_the_hosts_have_spoken(
    fleet: Fleet,
) -> None:
    fleet.roll(chosen=policy(["100%"], min_healthy_s=0.0, deadline_s=5.0))
    fleet.run(2)
    fleet.restarted()
    for node in fleet.nodes.values():
        node.deaf = True
        fleet.fleet.judge(node.host, NodeState.ALIVE)
    before = fleet.hosts_with(NEW)
    fleet.run(100, step=1.0)
    assert fleet.hosts_with(NEW) == before


# -- people ---------------------------------------------------------------------------------------------


def test_paused_it_gives_the_version_to_nobody_and_resumed_it_goes_on(fleet: Fleet) -> None:
    fleet.roll()
    fleet.run(2)
    fleet.do(Deed.PAUSE)
    fleet.run(100)
    assert len(fleet.hosts_with(NEW)) == 1
    assert fleet.rollout.phase is Phase.PAUSED
    assert fleet.rollout.well == 1, "who was told already is judged all the same"
    fleet.do(Deed.RESUME)
    fleet.until(Phase.DONE)


def test_promoted_it_does_not_wait_for_the_wave(fleet: Fleet) -> None:
    fleet.roll(chosen=policy(["1", "2"], min_healthy_s=2.0, deadline_s=1000.0))
    fleet.run(3)
    fleet.do(Deed.PROMOTE)
    assert fleet.rollout.wave == 1
    fleet.do(Deed.PROMOTE, all_at_once=True)
    assert fleet.rollout.wave == 2
    with pytest.raises(Conflict, match="last wave"):
        fleet.do(Deed.PROMOTE)
    fleet.until(Phase.DONE)
    assert fleet.down <= 1, "who goes faster keeps the budget all the same"


def test_aborted_it_stays_as_it_is_and_a_host_that_joins_gets_the_old_version(fleet: Fleet) -> None:
    fleet.roll(chosen=policy(["3"], min_healthy_s=1.0, deadline_s=20.0))
    fleet.run(25)
    with_new = fleet.hosts_with(NEW)
    assert with_new
    fleet.do(Deed.ABORT)
    fleet.join(ToyNode(Host("late.site9.org")))
    fleet.run(50, step=10.0)
    assert fleet.hosts_with(NEW) == with_new
    assert fleet.versions() == {NEW: len(with_new), OLD: 11 - len(with_new)}


def test_aborted_back_everybody_has_the_version_before_again(fleet: Fleet) -> None:
    fleet.roll(chosen=policy(["5"], min_healthy_s=0.5, deadline_s=20.0))
    fleet.run(40)
    assert 1 < fleet.versions()[NEW] < 10
    fleet.do(Deed.ABORT)
    fleet.run(20)
    fleet.do(Deed.ABORT, back=True)
    fleet.until(Phase.RETURNED)
    fleet.run(5)
    assert fleet.versions() == {OLD: 10}
    with pytest.raises(Conflict, match="rolled back"):
        fleet.do(Deed.ABORT, back=True)


def test_a_second_roll_out_and_an_update_are_refused_while_one_is_on(fleet: Fleet) -> None:
    fleet.roll()
    with pytest.raises(Conflict, match=r"roll-out 1 of pinger to 1\.9-1 is running") as refused:
        fleet.roll(Release("2.0-1", RELEASE.packages))
    assert "abort" in refused.value.hint
    with pytest.raises(Conflict, match="is running"):
        turn(fleet.slice, APP, Verb.UPDATE, version=("2.0-1", RELEASE.packages))


def test_what_everybody_has_already_is_not_rolled_out(fleet: Fleet) -> None:
    with pytest.raises(Conflict, match="every host"):
        fleet.roll(Release(OLD, RELEASE.packages))


def test_after_an_abort_another_version_may_be_rolled_out_over_the_mixture(fleet: Fleet) -> None:
    fleet.roll(chosen=policy(["3"], min_healthy_s=1.0, deadline_s=20.0))
    fleet.run(25)
    fleet.do(Deed.ABORT)
    newest = Release("2.0-1", (PackageRef("c" * 64, 10, "dsmtw_pinger-2.0-1.noarch.rpm"),))
    fleet.roll(newest)
    assert fleet.rollout.number == 2
    assert [one.version for one in fleet.rollout.others] == [NEW]
    fleet.until(Phase.DONE)
    assert fleet.versions() == {"2.0-1": 10}


def test_update_ends_a_mixture_at_once(fleet: Fleet) -> None:
    fleet.roll(chosen=policy(["3"], min_healthy_s=1.0, deadline_s=20.0))
    fleet.run(25)
    fleet.do(Deed.ABORT)
    fleet.change(turn(fleet.slice, APP, Verb.UPDATE, version=("2.0-1", RELEASE.packages)))
    fleet.run(10)
    assert fleet.versions() == {"2.0-1": 10}


def test_an_application_that_is_uninstalled_takes_its_roll_out_with_it(fleet: Fleet) -> None:
    fleet.roll()
    fleet.run(3)
    fleet.change(turn(fleet.slice, APP, Verb.UNINSTALL))
    fleet.run(10)
    assert fleet.rollout.phase is Phase.ABORTED
    assert "uninstalled" in fleet.rollout.reason
    assert not fleet.up()


def test_a_stopped_application_is_rolled_out_without_being_started(fleet: Fleet) -> None:
    fleet.change(turn(fleet.slice, APP, Verb.STOP))
    fleet.run(5)
    fleet.roll()
    fleet.until(Phase.DONE)
    assert not fleet.up()
    assert {
        held.version for node in fleet.nodes.values() for held in node.applications[SLICE].values()
    } == {NEW}


def test_what_never_was_cannot_be_paused(fleet: Fleet) -> None:
    with pytest.raises(NotFound):
        turned(fleet.slice, APP, Deed.PAUSE, Wish(by="ann", now=0.0))
    fleet.roll()
    for deed in (Deed.RESUME,):
        with pytest.raises(Conflict):
            fleet.do(deed)


def test_the_order_is_stable_and_spread_over_sites() -> None:
    hosts = [Host(f"n{number}.site{number % 5}.org") for number in range(50)]
    ordered = in_order(SLICE, APP, hosts)
    assert ordered == in_order(SLICE, APP, reversed(hosts))
    assert len({host.partition(".")[2] for host in ordered[:5]}) == 5
    kept = [host for host in ordered if host != ordered[7]]
    assert set(in_order(SLICE, APP, kept)[:5]) == set(ordered[:5])
