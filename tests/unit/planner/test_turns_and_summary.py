"""Verbs of people as changes of wanted, and the status that people read."""

from __future__ import annotations

import json

import pytest

from dsmt_core.commands import Verb
from dsmt_core.errors import Invalid, NotFound
from dsmt_core.names import Application, Host
from planner.fleet import NodeState
from planner.reconcile import summary
from planner.turns import turn
from planner.wanted import Run
from tests.unit.planner.toy import APP, PACKAGE, Toy, wanted_slice


def test_a_verb_that_changes_nothing_raises_no_generation() -> None:
    toy = Toy()
    toy.run()
    assert turn(toy.slice, APP, Verb.START) == toy.slice


def test_stop_everywhere_also_holds_where_the_application_comes_later() -> None:
    toy = Toy()
    toy.run()
    stopped = turn(toy.slice, APP, Verb.STOP)
    assert stopped.applications[APP].run is Run.STOPPED
    assert stopped.generation == toy.slice.generation + 1
    assert {placement.generation for placement in stopped.placements} == {stopped.generation}


def test_a_restart_everywhere_also_restarts_where_it_was_done_alone() -> None:
    toy = Toy()
    toy.run()
    host = min(toy.running())
    once = turn(toy.slice, APP, Verb.RESTART, hosts=[host])
    twice = turn(once, APP, Verb.RESTART)
    before = {placement.host: placement.restarts for placement in once.placements}
    assert all(placement.restarts > before[placement.host] for placement in twice.placements)


@pytest.mark.parametrize(
    ("application", "verb", "hosts", "kind"),
    [
        ("pingar", Verb.START, [], NotFound),
        ("pinger", Verb.START, ["nowhere.org"], NotFound),
        ("pinger", Verb.UPDATE, [], Invalid),
        ("pinger", Verb.UPDATE, ["n1.site1.org"], Invalid),
        ("pinger", Verb.UNINSTALL, ["n1.site1.org"], Invalid),
    ],
)
def test_a_verb_that_makes_no_sense_is_refused(
    application: str, verb: Verb, hosts: list[str], kind: type[Exception]
) -> None:
    toy = Toy()
    toy.run()
    with pytest.raises(kind):
        turn(toy.slice, Application(application), verb, hosts=[Host(host) for host in hosts])


def test_the_status_counts_what_runs_fails_waits_and_is_missing() -> None:
    toy = Toy(2)
    toy.run(1)
    early = summary(toy.slice, toy.fleet, now=toy.now)
    assert (early["wanted"], early["running"], early["waiting"], early["missing"]) == (3, 0, 2, 1)
    last = toy.run()
    told = summary(toy.slice, toy.fleet, now=toy.now, waiting=last.waiting)
    assert (told["running"], told["waiting"], told["missing"]) == (2, 0, 1)
    assert told["waiting_reasons"] == ["1 of 3 missing: only 2 nodes qualify"]
    assert json.loads(json.dumps(told)) == told


def test_the_status_tells_versions_states_and_reasons_by_host() -> None:
    toy = Toy()
    toy.run()
    toy.change(turn(toy.slice, APP, Verb.UPDATE, version=("1.9-1", (PACKAGE,))))
    host = min(toy.running())
    toy.fleet.judge(host, NodeState.SUSPECT)
    toy.now += 12
    told = summary(toy.slice, toy.fleet, now=toy.now, waiting=toy.round().waiting)
    first = told["hosts"][0]
    assert (first["host"], first["node_state"], first["agent"]) == (host, "suspect", "running")
    assert first["reason"] == "the node has not answered for 12 s"
    application = first["applications"][0]
    assert (application["version"], application["wanted_version"]) == ("1.8-1", "1.9-1")
    assert f"{host} pinger: the agent has not confirmed the order yet" in told["waiting_reasons"]


def test_nothing_counts_as_running_on_a_node_that_failed() -> None:
    toy = Toy()
    toy.run()
    toy.fleet.judge(min(toy.running()), NodeState.FAILED)
    told = summary(toy.slice, toy.fleet, now=toy.now)
    assert (told["running"], told["failed"]) == (2, 1)


def test_a_slice_without_an_application_counts_its_slivers() -> None:
    toy = Toy(5, (wanted_slice(apps={}),))
    toy.run()
    told = summary(toy.slice, toy.fleet, now=toy.now)
    assert (told["wanted"], told["running"], told["missing"]) == (3, 3, 0)
