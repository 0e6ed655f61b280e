"""Probes that fail together speak against what they all go through, and not against each node."""

from __future__ import annotations

import pytest

from dsmt_core.names import Host
from planner.failed_nodes.outcomes import Outcomes
from planner.fleet import NodeState
from tests.unit.planner.test_failed_nodes import Watch
from tests.unit.planner.toy import hosts

NODES = hosts(12)
BACK = NODES[:6]


def come_back(watch: Watch, *names: Host) -> None:
    """They fail one after the other, so that nobody doubts it, and are heard again."""
    watch.unproven = frozenset(names)
    for host in names:
        watch.fail(host)
        watch.wait(5)
    watch.unproven = frozenset()


@pytest.mark.parametrize("how", ["sick", "mute"])
def test_when_most_probes_fail_no_node_is_judged_and_all_are_well_soon_after_the_fault(how: str) -> None:
    watch = Watch(*NODES, probe_s=20.0)
    watch.wait(5)
    come_back(watch, *BACK)
    told = len(watch.verdicts)
    getattr(watch, how).update(BACK)
    watch.wait(600)
    assert [verdict for verdict in watch.verdicts[told:] if verdict.state is NodeState.FAILED] == []
    assert {watch.tracker.state(host) for host in BACK} == {NodeState.PROBATION}
    assert {watch.tracker.judgement(host).failures for host in BACK} == {1}
    last = watch.tracker.evidence(BACK[0])[-1]
    assert last.what.endswith("most others failed, too: not judged, probed again")
    assert (last.by, last.times > 5) == ("probe", True)
    getattr(watch, how).clear()
    for host in BACK:
        watch.wait_until(host, NodeState.ALIVE, 45)


def test_while_others_pass_a_probe_that_fails_speaks_against_its_node() -> None:
    watch = Watch(*NODES, probe_s=20.0)
    watch.wait(5)
    come_back(watch, *BACK)
    watch.sick |= {*BACK[:3]}
    watch.wait(10)
    assert [watch.tracker.state(host) for host in BACK] == [NodeState.PROBATION] * 3 + [NodeState.ALIVE] * 3
    assert [watch.tracker.judgement(host).failures for host in BACK] == [2, 2, 2, 1, 1, 1]


def test_three_broken_nodes_are_no_crowd() -> None:
    watch = Watch(*NODES, probe_s=20.0)
    watch.wait(5)
    come_back(watch, *BACK[:3])
    watch.sick |= {*BACK[:3]}
    watch.wait(10)
    assert {watch.tracker.judgement(host).failures for host in BACK[:3]} == {2}


def test_a_failure_that_waits_to_be_judged_is_not_probed_again_and_silence_is_judged_at_once() -> None:
    watch = Watch(*NODES, probe_s=20.0, together_s=5.0)
    watch.wait(5)
    watch.sick.add(BACK[0])
    watch.fail(BACK[0])
    watch.wait(4)
    assert (len(watch.probes), watch.tracker.judgement(BACK[0]).probed) == (1, True)
    watch.beating.discard(BACK[0])
    watch.wait_until(BACK[0], NodeState.FAILED, 4)
    failures = watch.tracker.judgement(BACK[0]).failures
    watch.wait(10)
    assert watch.tracker.judgement(BACK[0]).failures == failures == 2


def test_a_planner_that_was_deaf_compares_nothing_with_what_it_heard_before() -> None:
    outcomes = Outcomes(moment=1.0, window=20.0)
    for host in BACK[:4]:
        outcomes.ended(host, "broken", 0.0)
    outcomes.clear()
    outcomes.ended(BACK[5], "broken", 2.0)
    assert dict(outcomes.judge(3.0).believed) == {BACK[5]: "broken"}


def test_failures_of_long_ago_do_not_count() -> None:
    outcomes = Outcomes(moment=1.0, window=20.0)
    for host in BACK[:3]:
        outcomes.ended(host, "broken", 0.0)
    assert len(outcomes.judge(1.0).believed) == 3
    outcomes.ended(BACK[3], "broken", 19.0)
    assert dict(outcomes.judge(20.0).doubted) == {BACK[3]: "broken"}
    outcomes.ended(BACK[4], "broken", 22.0)
    assert dict(outcomes.judge(23.0).believed) == {BACK[4]: "broken"}


def test_a_node_that_passed_at_last_speaks_for_the_others() -> None:
    outcomes = Outcomes(moment=1.0, window=20.0)
    for host in BACK[:4]:
        outcomes.ended(host, "broken", 0.0)
    assert not outcomes.judge(0.5).doubted
    for host in BACK[:2]:
        outcomes.ended(host, "", 0.6)
    assert set(outcomes.judge(1.0).believed) == {*BACK[2:4]}
    assert not outcomes.judge(9.0).believed
