"""The status of a slice for people: every field, every count, every reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dsmt_core.channels import facts_channel, status_channel
from dsmt_core.configuration import Configuration
from dsmt_core.events import Sender
from dsmt_core.health import HEALTH, Condition, health_pairs
from dsmt_core.lifecycle import State
from dsmt_core.names import DEPLOYMENT_AGENT, SLIVER_BOOTSTRAP, Application, Host, PlanName, Slice
from planner.fleet import NodeState
from planner.reconcile import summary
from planner.standing import Exclusion, Standing, bars_at
from planner.steps import Waiting
from planner.wanted import NO_PLAN, Run, WantedSlice
from tests.unit.planner.toy import APP, SLICE, Toy, hosts, pinger, wanted_slice

N0, N1, N2 = hosts(3)
SECOND = Application("second")


def three() -> Toy:
    toy = Toy(3)
    toy.run()
    return toy


def status(
    toy: Toy, slice_: WantedSlice | None = None, *waiting: Waiting, now: float = 0.0
) -> dict[str, Any]:
    return summary(slice_ or toy.slice, toy.fleet, now=now or toy.now, waiting=waiting)


def counts(told: dict[str, Any]) -> tuple[int, ...]:
    return tuple(told[name] for name in ("wanted", "running", "failed", "waiting", "missing"))


def of(told: dict[str, Any], host: Host) -> dict[str, Any]:
    return next(one for one in told["hosts"] if one["host"] == host)


def test_the_whole_of_it() -> None:
    toy = Toy(1)
    toy.run()
    slice_ = replace(toy.slice, plan_parameters={"count": "1"}, agent="mine", generation=7)
    sliver = toy.fleet.sliver(SLICE, N0)
    assert sliver is not None
    heard = sliver.applications[APP]
    heard.text, heard.configuration = "14 pings", "abc"
    told = status(toy, slice_)
    assert told == {
        "slice": SLICE,
        "managed": True,
        "plan": "only3",
        "plan_parameters": {"count": "1"},
        "agent": "mine",
        "generation": 7,
        "wanted": 1,
        "running": 1,
        "failed": 0,
        "waiting": 0,
        "missing": 0,
        "hosts": [
            {
                "host": N0,
                "node_state": "alive",
                "heard_at": toy.fleet.heard_at(N0),
                "container": "running",
                "container_since": sliver.container.since,
                "agent": "running",
                "agent_since": sliver.agent.since,
                "applications": [
                    {
                        "application": APP,
                        "state": "running",
                        "version": "1.8-1",
                        "wanted_version": "1.8-1",
                        "configuration": "abc",
                        "wanted_configuration": "",
                        "wanted": "running",
                        "text": "14 pings",
                        "reason": "",
                        "since": heard.layer.since,
                    }
                ],
                "reason": "",
                "unwell": [],
            }
        ],
        "waiting_reasons": [],
    }


def test_what_was_ordered_and_what_is_there_are_told_apart() -> None:
    toy = three()
    digest = Configuration.of({"greeting": "hi"}).digest
    placed = tuple(replace(one, version="1.9-1", configuration=digest) for one in toy.slice.placements)
    first = status(toy, replace(toy.slice, placements=placed))["hosts"][0]["applications"][0]
    assert (first["version"], first["wanted_version"]) == ("1.8-1", "1.9-1")
    assert (first["configuration"], first["wanted_configuration"]) == ("", digest)


def test_of_what_was_not_heard_nothing_is_known() -> None:
    toy = Toy(1)
    toy.round()
    host = of(status(toy), N0)
    assert (host["container"], host["agent"]) == ("undefined", "undefined")
    assert [(one["state"], one["version"], one["since"]) for one in host["applications"]] == [
        ("undefined", "", 0.0)
    ]
    assert counts(status(toy)) == (3, 0, 0, 1, 2)


def test_only_the_hosts_own_applications_are_shown_there() -> None:
    toy = three()
    one = replace(toy.slice.placements[0], application=SECOND, run=Run.STOPPED)
    told = status(toy, replace(toy.slice, placements=(*toy.slice.placements, one)))
    shown = {host["host"]: [each["application"] for each in host["applications"]] for host in told["hosts"]}
    assert shown == {N0: [APP, SECOND], N1: [APP], N2: [APP]}
    assert of(told, N0)["applications"][1]["wanted"] == "stopped"


def test_instances_are_counted_by_how_they_are() -> None:
    toy = three()
    assert counts(status(toy)) == (3, 3, 0, 0, 0)
    for host, state in ((N0, State.FAILED), (N1, State.TERMINATED)):
        sliver = toy.fleet.sliver(SLICE, host)
        assert sliver is not None
        sliver.applications[APP].layer.become(state, toy.now, "no port")
    assert counts(status(toy)) == (3, 1, 1, 1, 0)
    assert of(status(toy), N0)["applications"][0]["reason"] == "no port"
    toy.fleet.judge(N2, NodeState.FAILED)
    assert counts(status(toy)) == (3, 0, 2, 1, 0)


def test_what_people_have_stopped_is_no_instance() -> None:
    toy = three()
    first, *others = toy.slice.placements
    told = status(toy, replace(toy.slice, placements=(replace(first, run=Run.STOPPED), *others)))
    assert counts(told) == (2, 2, 0, 0, 0)


def test_without_applications_slivers_are_the_instances() -> None:
    toy = Toy(3, (wanted_slice(apps={}),))
    toy.run()
    toy.fleet.fold(toy.nodes[N0].status(SLICE, SLIVER_BOOTSTRAP, State.FAILED), now=toy.now)
    assert counts(status(toy)) == (3, 2, 1, 0, 0)
    toy.fleet.judge(N1, NodeState.FAILED)
    assert counts(status(toy)) == (3, 1, 2, 0, 0)
    new = Toy(3, (wanted_slice(apps={}),))
    new.round()
    assert counts(status(new)) == (3, 0, 0, 3, 0)


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"plan_parameters": {"count": "7"}}, 4),
        ({"plan_parameters": {"count": "7"}, "applications": {APP: pinger(), SECOND: pinger()}}, 8),
        ({"plan_parameters": {"count": "7"}, "applications": {}}, 4),
        ({"plan_parameters": {"count": "7"}, "managed": False}, 0),
        ({"plan_parameters": {"count": "1"}}, 0),
        ({"plan": NO_PLAN}, 0),
        ({"plan": PlanName("nonsense")}, 0),
        ({"hosts": {}}, 3),
    ],
)
def test_what_the_plan_asks_for_beyond_its_hosts_is_missing_for_each_application(
    changed: dict[str, Any], missing: int
) -> None:
    toy = three()
    assert status(toy, replace(toy.slice, **changed))["missing"] == missing


def test_nodes_out_of_service_are_missing_where_the_plan_has_no_other() -> None:
    toy = three()
    bars = bars_at({N0: Standing(excluded=Exclusion(by="ann", since=0.0))}, 1.0)
    slice_ = replace(toy.slice, hosts={N1: 1, N2: 1})
    assert summary(slice_, toy.fleet, now=toy.now, bars=bars)["missing"] == 1
    three_left = replace(slice_, plan=PlanName("good"))
    assert summary(three_left, toy.fleet, now=toy.now)["missing"] == 1
    assert summary(three_left, toy.fleet, now=toy.now, bars=bars)["missing"] == 0


@pytest.mark.parametrize(
    ("state", "passed", "reason"),
    [
        (NodeState.FAILED, 12.4, "the node has not answered for 12 s"),
        (NodeState.SUSPECT, 12.4, "the node has not answered for 12 s"),
        (NodeState.SUSPECT, -5.0, "the node has not answered for 0 s"),
        (NodeState.PROBATION, 12.4, "few nodes"),
        (NodeState.ALIVE, 12.4, "few nodes"),
    ],
)
def test_a_silent_node_is_the_first_reason(state: NodeState, passed: float, reason: str) -> None:
    toy = three()
    toy.fleet.judge(N0, state)
    waits = [
        Waiting(slice=Slice("other"), reason="of another slice", host=N0),
        Waiting(slice=SLICE, reason="of another host", host=N1),
        Waiting(slice=SLICE, reason="few nodes", host=N0),
        Waiting(slice=SLICE, reason="later", host=N0),
    ]
    told = status(toy, None, *waits, now=toy.fleet.heard_at(N0) + passed)
    assert (of(told, N0)["node_state"], of(told, N0)["reason"]) == (state, reason)
    assert of(told, N2)["reason"] == ""


def test_hosts_that_left_are_shown_until_they_gave_up_their_sliver() -> None:
    toy = three()
    left = replace(toy.slice, hosts={N1: 1}, retired={Host("away.org"): 4})
    told = status(toy, left, Waiting(slice=SLICE, reason="the sliver is being deleted", host=N0))
    assert [(one["host"], one["reason"]) for one in told["hosts"]] == [
        ("away.org", "it left the slice"),
        (N0, "the sliver is being deleted"),
        (N1, ""),
        (N2, "it left the slice"),
    ]
    unmanaged = status(toy, replace(left, managed=False))
    assert {one["reason"] for one in unmanaged["hosts"]} == {"the slice is not managed", ""}


def test_every_reason_is_told_with_whom_it_is_about() -> None:
    toy = three()
    told = status(
        toy,
        None,
        Waiting(slice=SLICE, reason="few nodes"),
        Waiting(slice=SLICE, reason="no answer", host=N0),
        Waiting(slice=SLICE, reason="it fails", application=APP),
        Waiting(slice=SLICE, reason="it failed", host=N0, application=APP),
        Waiting(slice=Slice("other"), reason="of another slice"),
    )
    assert told["waiting_reasons"] == [
        "few nodes",
        f"{N0}: no answer",
        "pinger: it fails",
        f"{N0} pinger: it failed",
    ]


def test_what_is_not_well_with_the_processes_of_dsmt_is_told_by_host() -> None:
    toy = three()
    for channel, link in (
        (facts_channel(N0), "blocked"),
        (status_channel(SLICE, DEPLOYMENT_AGENT, N0), "away"),
    ):
        pairs = health_pairs(Condition(link=link))
        event = Sender("s", channel, "b").event(channel, HEALTH, now=1.0, id_="1", pairs=pairs)
        assert not toy.fleet.fold(event, now=toy.now)
    assert of(status(toy), N0)["unwell"] == [
        "container manager: its link to the broker is blocked",
        "agent: its link to the broker is away",
    ]
    assert of(status(toy), N1)["unwell"] == []


def test_what_one_application_waits_for_is_not_said_of_another() -> None:
    toy = three()
    slice_ = replace(toy.slice, applications={APP: pinger(), SECOND: replace(pinger(), name=SECOND)})
    slice_ = replace(
        slice_,
        placements=(*slice_.placements, *(replace(one, application=SECOND) for one in slice_.placements)),
    )
    sliver = toy.fleet.sliver(SLICE, N0)
    assert sliver is not None
    sliver.applications[APP].layer = replace(sliver.applications[APP].layer, state=State.INITIALIZED)
    told = of(
        status(
            toy, slice_, Waiting(slice=SLICE, reason="its budget is used up", host=N0, application=SECOND)
        ),
        N0,
    )
    assert told["reason"] == ""
    assert [(one["application"], one["reason"]) for one in told["applications"]] == [
        (APP, ""),
        (SECOND, "its budget is used up"),
    ]
