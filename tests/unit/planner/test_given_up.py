"""A release that an agent gave up: it failed there, though the version before runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.events import STATUS
from dsmt_core.lifecycle import State
from dsmt_core.nodes import Held, application_pairs, read_applications
from planner.failed_nodes import Misfits
from planner.fleet import ApplicationSeen
from planner.fleet.folding import News, fold_application, fold_applications, fold_status
from planner.fleet.rows import read_sliver, sliver_value
from planner.fleet.seen import SliverSeen
from planner.reconcile import summary
from planner.reconcile.needs import Asking, SliceNeeds
from planner.release import ReleaseName
from planner.rollout.looks import Being, Look, look
from tests.unit.planner.test_folding import event, status
from tests.unit.planner.toy import APP, SLICE, Toy, hosts, wanted_slice

HOST, OTHER, THIRD = hosts(3)
TAKEN = "its port is taken"
GAVE_UP = f"1.8-1 {TAKEN}"


@pytest.fixture
def toy() -> Toy:
    """Three hosts; one of them gave the release up and runs the one before."""
    toy = Toy(3, (wanted_slice("all_nodes"),))
    toy.run()
    toy.now += 100.0
    held = toy.nodes[HOST].applications[SLICE]
    held[APP] = replace(held[APP], version="1.7-1", gave_up=GAVE_UP)
    toy.fleet.fold(toy.nodes[HOST].agent_holdings(SLICE), now=toy.now)
    return toy


def test_holdings_tell_it_and_an_agent_that_does_not_has_given_up_nothing() -> None:
    held = {APP: Held(3, "1.7-1", State.RUNNING, gave_up=GAVE_UP)}
    pairs = application_pairs(held)
    assert pairs[f"gave-up.{APP}"] == GAVE_UP
    assert read_applications(pairs) == held
    assert f"gave-up.{APP}" not in application_pairs({APP: Held(3, "1.7-1", State.RUNNING)})
    assert len(read_applications(pairs | {f"gave-up.{APP}": "x" * 999})[APP].gave_up) == 400


def test_each_event_that_tells_of_an_application_tells_it() -> None:
    told = {"application": APP, "managed": APP, "state": "running", "status": "running"}
    told |= {"generation": "3", "version": "1.7-1"}
    sliver = SliverSeen()
    assert fold_application(sliver, event(**told, **{"gave-up": GAVE_UP}), 10.0) is News.CHANGE
    seen = sliver.applications[APP]
    assert (seen.gave_up, seen.gave_up_since) == (GAVE_UP, 10.0)
    assert fold_status(sliver, status({**told, "gave-up": GAVE_UP}, STATUS), 20.0) is News.NONE
    assert seen.gave_up_since == 10.0
    assert fold_status(sliver, status(told, STATUS), 30.0) is News.CHANGE
    assert (seen.gave_up, seen.gave_up_since) == ("", 0.0)
    pairs = application_pairs({APP: Held(3, "1.7-1", State.RUNNING, gave_up=GAVE_UP)})
    assert fold_applications(sliver, status(pairs), 40.0) is News.CHANGE
    assert fold_applications(sliver, status(pairs), 50.0) is News.NONE
    assert (seen.gave_up, seen.gave_up_since) == (GAVE_UP, 40.0)
    assert read_sliver(sliver_value(sliver)).applications[APP] == seen


def test_it_is_of_one_release() -> None:
    seen = ApplicationSeen(gave_up="1.8-1#c0ffee no")
    assert seen.given_up(ReleaseName("1.8-1#c0ffee")) == "no"
    assert seen.given_up(ReleaseName("1.8-1")) == ""
    assert ApplicationSeen(gave_up="1.8-1").given_up(ReleaseName("1.8-1")) == "it did not become healthy"


def test_to_a_roll_out_it_has_failed_at_once(toy: Toy) -> None:
    placed = next(one for one in toy.slice.placements if one.host == HOST)
    found = look(toy.slice, toy.fleet, HOST, placed)
    assert found == Look(HOST, placed.release, Being.DOWN, failed_since=toy.now, reason=TAKEN)


def test_a_host_where_it_alone_was_given_up_is_left_alone(toy: Toy) -> None:
    judge = Misfits()
    since = toy.now
    assert SLICE not in judge.tick(toy.wanted, toy.fleet, since)
    assert SLICE not in judge.tick(toy.wanted, toy.fleet, since + 19.0)
    [reason] = judge.tick(toy.wanted, toy.fleet, since + 20.0)[SLICE].out.values()
    assert f"pinger 1.8-1 does not run here: {TAKEN}" in reason


def test_it_is_not_ordered_again_and_people_see_why(toy: Toy) -> None:
    needs = SliceNeeds(toy.slice, toy.fleet, now=toy.now).of_host(HOST, Asking())
    assert needs.orders == []
    assert needs.waiting == [(APP, f"gave up 1.8-1: {TAKEN}")]
    shown = summary(toy.slice, toy.fleet, now=toy.now)
    assert (shown["running"], shown["failed"]) == (2, 1)
    told = next(one for one in shown["hosts"] if one["host"] == HOST)["applications"][0]
    assert (told["version"], told["reason"]) == ("1.7-1", f"gave up 1.8-1: {TAKEN}")
