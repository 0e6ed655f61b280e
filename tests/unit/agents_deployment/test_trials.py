"""A new version on trial, step by step: it proves well, or the one before is back, without a network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agents.deployment_agent.decide import (
    CheckStatus,
    Clean,
    Deployment,
    Done,
    Fetch,
    Install,
    Installed,
    Outcome,
    Prepare,
    Publish,
    Report,
    Start,
    Started,
    Step,
    Stop,
    Troubled,
    Uninstall,
)
from dsmt_core.commands import Order, Verb
from dsmt_core.lifecycle import State
from dsmt_core.watch import Restart, Watch
from tests.unit.agents_deployment.test_deployment import ILL, NEW, OLD, WALK, WELL, Life1, order

BACK = "gave up 2-1: its port is taken; 1-1 comes back"


class Upgrade(Life1):
    """Plays with versions that lie beside each other; ``bad`` ones do not start."""

    def __init__(self, first: Order) -> None:
        super().__init__(first)
        self.bad: set[str] = set()
        self.there: set[str] = set()

    def outcome(self, step: Step) -> Outcome:
        match step:
            case Prepare(version=version) | Install(version=version) if type(step) not in self.outcomes:
                self.there.add(version)
                return Installed({"directory": version})
            case Clean(receipts=receipts, keep=keep):
                kept = {receipt.get("directory") for receipt in keep}
                self.there -= {receipt["directory"] for receipt in receipts} - kept
            case Start(version=version) if version in self.bad:
                return Troubled("its port is taken")
        return super().outcome(step)

    @property
    def running(self) -> str:
        held = self.deployment.held
        return held.version if held.state is State.RUNNING else ""


def proven(*bad: str) -> Upgrade:
    """1-1 runs for long; 2-1 is ordered."""
    life = Upgrade(order())
    life.until(20.0)
    life.bad.update(bad)
    life.steps.clear()
    life.deployment.accept(order(generation=2, packages=NEW, version="2-1"), life.now)
    return life


def test_the_version_before_is_kept_until_the_new_one_has_proved_well() -> None:
    life = proven()
    life.until(25.0)
    assert life.kinds(Report, Publish, CheckStatus) == [Fetch, Prepare, Stop, Install, Start]
    assert (life.running, life.there) == ("2-1", {"1-1", "2-1"})
    life.until(35.0)
    assert (life.running, life.there) == ("2-1", {"2-1"})
    assert life.deployment.record.before is None
    assert life.deployment.settled


def test_what_does_not_become_healthy_is_replaced_by_the_version_before_without_the_network() -> None:
    life = proven("2-1")
    life.until(24.0)
    assert life.kinds(Report, Publish, CheckStatus, Clean) == [
        Fetch,
        Prepare,
        Stop,
        Install,
        *[Start] * 3,
        Install,
        Start,
    ]
    back = [step for step in life.steps if isinstance(step, Install)][-1]
    assert (back.packages, back.prepared) == (OLD, {"directory": "1-1"})
    failures = [step for step in life.steps if isinstance(step, Publish) and step.state is State.FAILED]
    assert (failures[-1].version, failures[-1].reason) == ("2-1", BACK)
    assert life.said[-4:] == WALK
    held = life.deployment.held
    assert (held.version, held.state, held.gave_up) == ("1-1", State.RUNNING, "2-1 its port is taken")
    assert life.there == {"1-1"}
    assert not life.deployment.settled


def test_what_was_given_up_has_another_chance_later_and_then_later_still() -> None:
    life = proven("2-1")
    life.until(24.0)
    life.steps.clear()
    life.until(900.0)
    assert life.kinds(Report, CheckStatus) == []
    life.until(1_000.0)
    assert life.count(Prepare) == 1
    record = life.deployment.record
    assert (life.running, record.gave_up and record.gave_up.times) == ("1-1", 2)
    life.until(2_600.0)
    assert life.count(Prepare) == 1
    life.bad.clear()
    life.until(2_900.0)
    assert (life.running, life.count(Prepare), record.gave_up) == ("2-1", 2, None)


def test_people_who_order_a_restart_have_it_tried_again_at_once() -> None:
    life = proven("2-1")
    life.until(24.0)
    life.bad.clear()
    life.deployment.accept(order(Verb.RESTART, 3, packages=NEW, version="2-1", restarts=1), life.now)
    assert life.deployment.held.gave_up == ""
    life.until(27.0)
    assert life.running == "2-1"


def test_the_order_of_the_version_before_takes_up_what_is_there() -> None:
    life = proven()
    life.until(22.0)
    life.steps.clear()
    life.deployment.accept(order(generation=3), life.now)
    life.until(24.0)
    assert life.kinds(Report, Publish, CheckStatus, Clean) == [Stop, Install, Start]
    assert (life.running, life.there, life.deployment.held.gave_up) == ("1-1", {"1-1"}, "")


def test_a_third_version_ordered_on_trial_leaves_the_way_back_to_the_first() -> None:
    life = proven("2-1", "3-1")
    life.until(21.0)
    third: Any = order(generation=3, packages=(*NEW, *OLD), version="3-1")
    life.deployment.accept(third, life.now)
    life.until(30.0)
    assert life.running == "1-1"
    assert life.deployment.held.gave_up == "3-1 its port is taken"
    assert life.there == {"1-1"}


def test_what_fails_soon_after_it_was_healthy_is_still_on_trial() -> None:
    life = proven()
    life.until(22.0)
    assert life.running == "2-1"
    life.outcomes[CheckStatus] = ILL
    life.until(62.0)
    record = life.deployment.record
    assert (record.version, record.before) == ("1-1", None)
    life.outcomes[CheckStatus] = WELL
    life.until(75.0)
    assert (life.running, life.there) == ("1-1", {"1-1"})
    assert life.deployment.held.gave_up.startswith("2-1 the status script ended with exit code 1")


def test_what_does_not_answer_in_time_is_given_up_at_once() -> None:
    life = proven()
    record = life.deployment.record
    life.outcomes[CheckStatus] = ILL
    life.until(49.0)
    assert (record.version, record.failures) == ("2-1", 0)
    life.until(60.0)
    assert record.version == "1-1"


def test_an_installation_that_fails_with_everything_stopped_brings_the_version_before() -> None:
    life = proven()
    life.outcomes[Install] = Troubled("a scriptlet failed")
    life.until(22.0)
    record = life.deployment.record
    assert (record.returning, record.version) == (True, "")
    assert life.deployment.held.gave_up == "2-1 a scriptlet failed"
    # Also what is to be back may fail: it is tried again, with its packages fetched if they can be.
    assert life.steps[-1] != Install(NEW, "2-1")
    life.outcomes[Fetch] = Troubled("the depot is away")
    life.until(40.0)
    assert Fetch(OLD) in life.steps
    del life.outcomes[Install]
    life.until(110.0)
    assert (life.running, record.before) == ("1-1", None)


def test_what_can_never_be_unpacked_is_told_and_the_version_before_runs_on() -> None:
    life = proven()
    life.outcomes[Prepare] = Troubled("the entry '/etc/passwd' would leave", final=True)
    life.until(60.0)
    assert life.kinds(Report, CheckStatus) == [Fetch, Prepare]
    assert life.running == "1-1"
    assert life.deployment.held.gave_up == "2-1 the entry '/etc/passwd' would leave"


def test_what_cannot_be_unpacked_now_is_tried_again_while_the_version_before_runs() -> None:
    life = proven()
    life.outcomes[Prepare] = Troubled("the disk is full")
    life.until(24.0)
    assert (life.running, life.count(Stop), life.deployment.note) == ("1-1", 0, "the disk is full")
    del life.outcomes[Prepare]
    life.until(60.0)
    assert (life.running, life.deployment.held.gave_up) == ("2-1", "")


def test_what_cannot_be_removed_now_is_removed_later() -> None:
    life = proven()
    life.outcomes[Clean] = Troubled("the disk is read-only")
    life.there.add("0-1")
    record = life.deployment.record
    record.leftovers = ({"directory": "0-1"},)
    life.deployment.done(Clean(record.leftovers, ()), Troubled("the disk is read-only"), life.now)
    assert record.leftovers == ({"directory": "0-1"},)
    del life.outcomes[Clean]
    life.until(100.0)
    assert life.there == {"2-1"}


def test_a_restart_of_the_machine_on_trial_forgets_only_what_lies_unused() -> None:
    life = proven()
    life.until(20.01)
    record = life.deployment.record
    assert record.prepared is None
    assert record.before is not None
    life.deployment.rebooted(life.now)
    life.deployment.confirmed()
    life.until(60.0)
    assert life.running == "2-1"
    assert life.deployment.record.before is None


def test_a_removal_takes_every_version() -> None:
    life = proven("2-1")
    life.until(20.6)
    life.deployment.accept(order(Verb.UNINSTALL, 3), life.now)
    life.until(30.0)
    removal = next(step for step in life.steps if isinstance(step, Uninstall))
    assert (removal.receipt, removal.more) == ({"directory": "2-1"}, ({"directory": "1-1"},))
    assert life.forgotten


def test_what_was_fetched_is_prepared_once() -> None:
    life = proven()
    assert isinstance(life.deployment.step(life.now), Fetch)
    life.deployment.done(Fetch(NEW), Done(), life.now)
    assert isinstance(life.deployment.step(life.now), Prepare)
    life.deployment.done(Prepare(NEW, "2-1"), Done(), life.now)
    prepared = life.deployment.record.prepared
    assert prepared is not None
    assert prepared.receipt == {}
    assert life.outcome(Start("2-1")) == Started(7)


def test_an_installation_that_ends_the_agent_each_time_is_begun_three_times() -> None:
    life = proven()
    while not isinstance(step := life.deployment.step(life.now), Install):
        life.deployment.done(step, life.outcome(step), life.now)
    for _ in range(2):
        life.deployment = Deployment(life.deployment.record, life.now)
        while not isinstance(step := life.deployment.step(life.now), Install):
            life.deployment.done(step, life.outcome(step), life.now)
        assert step.version == "2-1"
    life.deployment = Deployment(life.deployment.record, life.now)
    life.until(life.now - 100.0 + 20.0)
    assert life.running == "1-1"
    assert life.deployment.held.gave_up == "2-1 its installation was cut short 3 times"


def test_a_first_installation_that_ends_the_agent_each_time_has_failed() -> None:
    life = Life1(order())
    for _ in range(3):
        life.deployment = Deployment(life.deployment.record, life.now)
        while not isinstance(step := life.deployment.step(life.now), Install):
            life.deployment.done(step, life.outcome(step), life.now)
    life.deployment = Deployment(life.deployment.record, life.now)
    life.until(30.0)
    assert life.count(Install) == 0
    assert life.said[-1] is State.FAILED


@pytest.mark.parametrize(
    "watch",
    [Watch(restart=Restart.NEVER), Watch(restarts=1, within_s=3600.0), Watch(restart=Restart.ON_FAILURE)],
    ids=["never", "once", "on failure"],
)
def test_the_version_before_comes_back_whatever_the_restart_policy_says(watch: Watch) -> None:
    """A policy says how often a version is started again; the way back is no such start."""
    life = Upgrade(replace(order(), watch=watch))
    life.until(20.0)
    life.bad.add("2-1")
    life.deployment.accept(replace(order(generation=2, packages=NEW, version="2-1"), watch=watch), life.now)
    life.until(life.now + 120.0)
    assert life.running == "1-1"
    assert life.deployment.held.gave_up.startswith("2-1 ")
