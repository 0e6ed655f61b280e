"""A deployment and all of an agent: what is due when, what is held, and what is remembered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from agents.deployment_agent.decide import (
    Backoff,
    CheckStatus,
    Deployment,
    Deployments,
    Done,
    Fetch,
    Forget,
    Life,
    Look,
    Periods,
    Publish,
    Record,
    Report,
    Troubled,
    WaitUntil,
)
from agents.deployment_agent.decide.deployments import APPLICATIONS, REMEMBERED
from dsmt_core.commands import Order, Verb
from dsmt_core.errors import Full
from dsmt_core.lifecycle import State
from dsmt_core.names import Application
from dsmt_core.nodes import Held
from tests.unit.agents_deployment.courses import HELLO, NEWER, NOW, REST, RESTARTED, STOPPED, UP, X
from tests.unit.agents_deployment.test_deployment import NEW, OLD, WELL, order


def deployment(first: Order | None = None, /, **known: Any) -> Deployment:
    return Deployment(Record(order=first or order(), **known), NOW)


def test_a_deployment_waits_for_what_comes_first() -> None:
    made = deployment(**UP)
    assert made.step(NOW) == CheckStatus("1-1", 0)
    made.done(CheckStatus("1-1"), WELL, NOW)
    assert made.step(NOW) == WaitUntil(105.0)
    assert made.step(104.0) == WaitUntil(105.0)
    assert made.step(105.0) == CheckStatus("1-1", 0)
    made.done(CheckStatus("1-1"), WELL, 105.0)
    assert made.step(105.0) == Report()
    made.done(Report(), Done(), 105.0)
    assert made.step(105.0) == WaitUntil(110.0)
    made.ended(105.05)
    assert made.step(105.05) == WaitUntil(105.1)
    made.ended(108.0)
    assert made.step(105.2) == CheckStatus("1-1", 0)
    rest = deployment(STOPPED, **REST)
    rest.ended(101.0)
    assert rest.step(101.0) == WaitUntil(105.0)
    assert rest.step(105.0) == Report()


@pytest.mark.parametrize(
    ("first", "known", "settled"),
    [
        (order(), UP, True),
        (order(), {**UP, "state": State.INITIALIZED}, False),
        (order(), {**UP, "life": Life.STARTING}, False),
        (NEWER, UP, False),
        (replace(order(), configuration=HELLO), UP, False),
        (STOPPED, REST, True),
        (STOPPED, {**REST, "state": State.RUNNING}, False),
        (STOPPED, {**REST, "life": Life.BROKEN}, False),
        (replace(NEWER, verb=Verb.STOP), REST, False),
    ],
)
def test_all_is_as_ordered_or_not(first: Order, known: dict[str, Any], settled: bool) -> None:  # noqa: FBT001
    assert deployment(first, **known).settled is settled


def test_what_a_deployment_holds() -> None:
    first = replace(RESTARTED, digest="d", configuration=HELLO)
    assert deployment(first, **UP).held == Held(1, "1-1", State.RUNNING, 1, "d", "")
    assert deployment(first, **REST).held == Held(1, "1-1", State.TERMINATED, 1, "d", HELLO.digest)
    newer = replace(NEWER, configuration=HELLO)
    assert deployment(newer, **REST).held == Held(1, "1-1", State.TERMINATED, 0, "", "")


def test_after_a_restart_of_the_machine_the_planner_has_five_seconds() -> None:
    made = deployment(**{**UP, "start_pid": 7})
    made.rebooted(NOW)
    assert (made.record.life, made.record.start_pid) == (Life.DOWN, 0)
    assert made.step(NOW) == WaitUntil(105.0)
    made.confirmed()
    assert made.step(NOW) == Publish(State.REQUESTED, "1-1", 1)
    unsure = deployment(life=Life.UNSURE)
    unsure.rebooted(NOW)
    assert unsure.record.life is Life.UNSURE
    own = Deployment(Record(order=order(), **REST), NOW, periods=Periods(ask_s=2.0))
    own.rebooted(NOW)
    assert own.step(NOW) == WaitUntil(102.0)


def test_an_order_that_asks_for_something_else_begins_anew() -> None:
    made = deployment(**{**UP, "failures": 3})
    made.accept(order(generation=2), NOW)
    assert (made.record.failures, made.record.order.generation) == (3, 2)
    made.accept(order(generation=3, packages=NEW, version="2-1"), NOW)
    assert made.record.failures == 0
    made.done(Fetch(NEW), Troubled("digest differs", final=True), NOW)
    assert made.note == "digest differs"
    made.accept(order(Verb.RESTART, 4, packages=NEW, version="2-1", restarts=1), NOW)
    assert made.note == "digest differs", "the packages are the same"
    made.accept(order(generation=5), NOW)
    assert (made.note, made.checked) == ("", None)


def test_of_an_agent_some_steps_are_due_and_others_later() -> None:
    agent = Deployments()
    assert (agent.due(NOW), agent.wake_at, agent.settled) == ([], float("inf"), False)
    agent.accept(order(), NOW)
    agent.accept(replace(order(Verb.STOP), application=Application("Y")), NOW)
    first = agent.due(NOW)
    assert first == [("X", Publish(State.REQUESTED, "1-1", 1)), ("Y", Publish(State.TERMINATED, "1-1", 1))]
    assert agent.due(NOW) == []
    for name, step in first:
        agent.done(name, step, Done(), NOW)
    assert agent.due(NOW) == [("X", Fetch(OLD)), ("Y", Fetch(OLD))]
    for each in agent:
        agent.done(each, Fetch(OLD), Troubled("away", final=each == "Y"), NOW)
    assert agent.due(NOW) == [("X", Report()), ("Y", Report())]
    for each in agent:
        agent.done(each, Report(), Done(), NOW)
    assert agent.due(NOW) == []
    assert (agent.wake_at, agent.settled) == (100.5, False)


def test_an_agent_refuses_one_application_too_many() -> None:
    agent = Deployments()
    for number in range(APPLICATIONS):
        agent.accept(replace(order(), application=Application(f"a{number}")), NOW)
    with pytest.raises(Full) as refused:
        agent.accept(order(), NOW)
    assert refused.value.message == "the agent has 200 applications already; X is refused"
    assert (agent.generation(X), agent.generation(Application("a0"))) == (-1, 1)


def test_what_is_gone_is_remembered_as_long_as_there_is_room() -> None:
    agent = Deployments()
    past = {f"a{number}": number for number in range(REMEMBERED + 1)}
    agent.load({"past": past, "applications": []}, NOW, rebooted=False)
    assert agent.generation(Application("a0")) == -1
    assert agent.generation(Application("a1")) == 1
    assert len(agent.written()["past"]) == REMEMBERED
    agent.accept(replace(order(generation=2), application=Application("a1")), NOW)
    assert "a1" not in agent.written()["past"]
    assert agent.holdings(Application("a5"))[Application("a5")] == Held(5, "", State.TERMINATED, 0, "gone")


def test_what_is_loaded_after_a_restart_of_the_machine_waits() -> None:
    agent = Deployments()
    agent.accept(order(), NOW)
    for rebooted, step in ((False, [(X, Publish(State.REQUESTED, "1-1", 1))]), (True, [])):
        again = Deployments()
        again.load(json.loads(json.dumps(agent.written())), 200.0, rebooted=rebooted)
        assert again.due(200.0) == step
    lost = Deployments()
    lost.lost()
    lost.accept(order(), NOW)
    assert lost.due(NOW) == [(X, Look("1-1"))]


def test_an_agent_has_times_and_waits_of_its_own() -> None:
    agent = Deployments(periods=Periods(ask_s=2.0), backoff=Backoff(first_s=9.0))
    agent.accept(replace(order(Verb.STOP), application=X), NOW)
    agent.done(X, Fetch(OLD), Troubled("away"), NOW)
    agent[X].record.state = State.TERMINATED
    agent.done(X, Report(), Done(), NOW)
    assert (agent.due(NOW), agent.wake_at) == ([], 105.0)
    agent.done(X, Report(), Done(), 105.0)
    assert (agent.due(105.0), agent.wake_at) == ([], 109.0)
    again = Deployments(periods=Periods(ask_s=2.0))
    again.load(json.loads(json.dumps(agent.written())), 200.0, rebooted=True)
    assert (again.due(200.0), again.wake_at) == ([], 202.0)


def test_who_is_busy_holds_nobody_else_up() -> None:
    agent = Deployments()
    agent.accept(order(), NOW)
    assert agent.due(NOW) == [(X, Publish(State.REQUESTED, "1-1", 1))]
    agent.accept(replace(order(), application=Application("Y")), NOW)
    assert agent.due(NOW) == [("Y", Publish(State.REQUESTED, "1-1", 1))]
    agent.ended(Application("Z"), NOW)
    assert "Z" not in agent


def test_what_is_to_go_is_there_until_it_is_forgotten() -> None:
    agent = Deployments()
    agent.accept(order(Verb.UNINSTALL, 7), NOW)
    agent.done(X, Report(), Done(), NOW)
    assert X in agent
    agent.accept(order(Verb.STOP, 8), NOW)
    agent.done(X, Forget(), Done(), NOW)
    assert X in agent, "it was ordered again meanwhile"
    agent.accept(order(Verb.UNINSTALL, 9), NOW)
    agent.done(X, Forget(), Done(), NOW)
    assert (X in agent, agent.generation(X)) == (False, 9)
    empty = Deployments()
    empty.load({}, NOW, rebooted=True)
    assert list(empty) == []
