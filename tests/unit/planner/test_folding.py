"""What each kind of event changes of what is seen of a sliver or a node, value by value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from dsmt_core.channels import Channel, status_channel
from dsmt_core.errors import Invalid
from dsmt_core.events import DEPLOYMENT_STATUS, STATUS, Event, Sender
from dsmt_core.lifecycle import State
from dsmt_core.names import DEPLOYMENT_AGENT, Application, Host, Slice
from dsmt_core.nodes import FACTS, HOLDINGS, Held, application_pairs, digest
from planner.fleet import (
    NODE,
    ApplicationSeen,
    LayerSeen,
    NodeSeen,
    SliverSeen,
)
from planner.fleet.folding import (
    News,
    Place,
    fold_agent,
    fold_application,
    fold_applications,
    fold_container,
    fold_facts,
    fold_slivers,
    fold_status,
    place_of,
)

A, B, C = (Host(name) for name in "abc")
XYZ1, OTHER = Slice("xyz1"), Slice("other")
APP, SECOND = Application("pinger"), Application("second")
NEWS, FIGURES, NOTHING = News.CHANGE, News.FIGURES, News.NONE


def event(**pairs: str) -> Event:
    return status(pairs)


def status(pairs: Mapping[str, str], field: str = DEPLOYMENT_STATUS, **more: Any) -> Event:
    channel = status_channel(XYZ1, DEPLOYMENT_AGENT, A)
    event = Sender("s", "i", "b").event(channel, field, now=1000.0, id_="x", pairs=pairs)
    return replace(event, **more)


# -- places ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "place"),
    [
        ("/org/dsmt/ns/node/a/facts/", Place(NODE, "facts", A)),
        ("/org/dsmt/ns/deployment/xyz1/agent/status/a/", Place(XYZ1, "agent", A)),
        ("/org/dsmt/ns/deployment/xyz1/agent/command/a/", None),
        ("/org/dsmt/ns/deployment/xyz1/agent/status/a/b/", None),
        ("/org/dsmt/ns/deployment/xyz1/agent/status/", None),
        ("/org/dsmt/ns/node/a/", None),
        ("/org/dsmt/ns/node/a/facts/x/", None),
        ("/org/dsmt/ns/other/a/facts/", None),
        ("/com/example/ns/x/xyz1/agent/status/a/", None),
    ],
)
def test_a_channel_names_a_place_or_none(channel: str, place: Place | None) -> None:
    assert place_of(Channel(channel)) == place


# -- one sliver -----------------------------------------------------------------------------------------


def test_a_container_changes_with_its_state_or_reason() -> None:
    sliver = SliverSeen(agent_ready=True, applications={APP: ApplicationSeen()})
    assert fold_container(sliver, event(status="running"), 5.0) is NEWS
    assert fold_container(sliver, event(status="running"), 6.0) is NOTHING
    assert sliver.container == LayerSeen(State.RUNNING, 5.0, "")
    assert (sliver.agent_ready, list(sliver.applications)) == (True, [APP])
    assert fold_container(sliver, event(status="failed", reason="r" * 1_001), 7.0) is NEWS
    assert sliver.container == LayerSeen(State.FAILED, 7.0, "r" * 1_000)
    assert fold_container(sliver, event(status="failed", reason="other"), 8.0) is NEWS
    assert sliver.container == LayerSeen(State.FAILED, 7.0, "other")
    assert fold_container(sliver, event(status="requested"), 9.0) is NEWS
    assert (sliver.agent_ready, sliver.applications) == (False, {})


def test_an_agent_is_ready_while_it_runs_and_fresh_once_it_was_heard() -> None:
    sliver = SliverSeen()
    assert fold_agent(sliver, event(status="installed"), 5.0) is NEWS
    assert (sliver.agent, sliver.agent_ready, sliver.fresh) == (
        LayerSeen(State.INSTALLED, 5.0, ""),
        False,
        True,
    )
    assert fold_agent(sliver, event(status="installed"), 6.0) is NOTHING
    assert fold_agent(sliver, event(status="running"), 7.0) is NEWS
    assert sliver.agent_ready
    sliver.fresh = False
    assert fold_agent(sliver, event(status="running"), 8.0) is NEWS
    assert fold_agent(sliver, event(status="running"), 9.0) is NOTHING
    sliver.agent_ready = False
    assert fold_agent(sliver, event(status="running"), 10.0) is NEWS
    assert fold_agent(sliver, event(status="failed", reason="no"), 11.0) is NEWS
    assert (sliver.agent, sliver.agent_ready) == (LayerSeen(State.FAILED, 11.0, "no"), False)
    assert fold_agent(sliver, event(status="failed", reason="other"), 12.0) is NEWS
    assert sliver.agent == LayerSeen(State.FAILED, 11.0, "other")


def seen(sliver: SliverSeen) -> ApplicationSeen:
    return sliver.applications[APP]


def said(**more: str) -> Event:
    return event(**{"status": "running", "managed": APP, "generation": "3", "version": "1-1", **more})


def test_an_application_changes_with_its_state_order_and_release() -> None:
    sliver = SliverSeen()
    assert fold_application(sliver, said(status="failed", reason="no"), 5.0) is NEWS
    assert seen(sliver) == ApplicationSeen(LayerSeen(State.FAILED, 5.0, "no"), "1-1", 3)
    assert fold_application(sliver, said(status="failed", reason="no"), 6.0) is NOTHING
    seen(sliver).digest = "d"
    assert fold_application(sliver, said(version="2-1", configuration="c" * 65), 7.0) is NEWS
    after = ApplicationSeen(LayerSeen(State.RUNNING, 7.0), "2-1", 3, 0, "d", "c" * 64)
    assert seen(sliver) == after
    # The same state with another release counts from now on; without a version it is the one of before.
    assert fold_application(sliver, said(version=""), 8.0) is NEWS
    assert seen(sliver) == replace(after, layer=LayerSeen(State.RUNNING, 8.0), configuration="")
    assert fold_application(sliver, said(version="", generation="4"), 9.0) is NEWS
    assert seen(sliver) == ApplicationSeen(LayerSeen(State.RUNNING, 8.0), "2-1", 4)
    assert fold_application(sliver, said(version="v" * 201, generation="4"), 10.0) is NEWS
    assert seen(sliver).version == "v" * 200


def periodic(**more: str) -> Event:
    pairs = {"state": "running", "application": APP, "generation": "3", "version": "1-1"}
    return status({**pairs, **more}, STATUS)


def test_a_status_tells_figures_and_sometimes_a_change() -> None:
    sliver = SliverSeen()
    assert fold_status(sliver, periodic(), 5.0) is NEWS
    assert seen(sliver) == ApplicationSeen(LayerSeen(State.RUNNING, 5.0), "1-1", 3)
    assert fold_status(sliver, periodic(), 6.0) is NOTHING
    told = periodic(text="t" * 1_001, **{"exit-code": "1" * 21})
    assert fold_status(sliver, told, 7.0) is FIGURES
    assert (seen(sliver).text, seen(sliver).exit_code) == ("t" * 1_000, "1" * 20)
    assert fold_status(sliver, told, 8.0) is NOTHING
    assert fold_status(sliver, periodic(text="t" * 1_000), 9.0) is FIGURES
    doubted = periodic(text="t" * 1_000, reason="it never passed this check")
    assert fold_status(sliver, doubted, 9.5) is FIGURES
    assert sliver.applications[APP].note == "it never passed this check"
    assert fold_status(sliver, periodic(state="failed", text="ill"), 10.0) is NEWS
    assert seen(sliver) == ApplicationSeen(LayerSeen(State.FAILED, 10.0), "1-1", 3, text="ill")
    assert fold_status(sliver, periodic(state="failed", text="ill", generation="4"), 11.0) is NEWS
    assert (seen(sliver).generation, seen(sliver).layer.since) == (4, 10.0)


@pytest.mark.parametrize(
    ("generation", "message"),
    [
        ("", "its generation '' is not a count"),
        ("x" * 41, f"its generation '{'x' * 40}' is not a count"),
        ("²", "its generation '²' is not a count"),
        ("1" * 19, f"its generation '{'1' * 19}' is not a count"),
    ],
)
def test_a_generation_that_is_none_is_refused(generation: str, message: str) -> None:
    for fold, told in ((fold_application, said), (fold_status, periodic)):
        sliver = SliverSeen()
        with pytest.raises(Invalid) as refused:
            fold(sliver, told(generation=generation), 5.0)
        assert refused.value.message == message
        assert sliver == SliverSeen()
        assert fold(sliver, told(generation="1" * 18), 5.0) is NEWS


HELD = Held(3, "1-1", State.RUNNING, 2, "d", "c")


def holds(**held: Held) -> Event:
    return status(application_pairs({Application(name): one for name, one in held.items()}), HOLDINGS)


def test_holdings_of_an_agent_say_all_that_is_there() -> None:
    sliver = SliverSeen(applications={SECOND: ApplicationSeen()})
    assert fold_applications(sliver, holds(pinger=HELD), 5.0) is NEWS
    assert sliver.applications == {
        APP: ApplicationSeen(LayerSeen(State.RUNNING, 5.0), "1-1", 3, 2, "d", "c", held=True)
    }
    assert (sliver.agent_ready, sliver.fresh) == (True, True)
    assert fold_applications(sliver, holds(pinger=HELD), 6.0) is NOTHING
    assert fold_applications(sliver, holds(pinger=HELD, second=HELD), 7.0) is NEWS
    assert fold_applications(sliver, holds(pinger=HELD), 8.0) is NEWS
    assert list(sliver.applications) == [APP]


@pytest.mark.parametrize("lacks", ["agent_ready", "fresh"])
def test_the_first_holdings_are_news_though_they_say_nothing_new(lacks: str) -> None:
    sliver = SliverSeen(agent_ready=True, fresh=True)
    setattr(sliver, lacks, False)
    assert fold_applications(sliver, holds(), 5.0) is NEWS
    assert sliver == SliverSeen(agent_ready=True, fresh=True)
    assert fold_applications(sliver, holds(), 6.0) is NOTHING


@pytest.mark.parametrize(
    ("changed", "since"),
    [
        ({"generation": 4}, 5.0),
        ({"restarts": 3}, 5.0),
        ({"digest": "e"}, 5.0),
        ({"version": "2-1"}, 9.0),
        ({"configuration": "e"}, 9.0),
        ({"state": State.FAILED}, 9.0),
    ],
)
def test_all_that_an_agent_holds_is_taken_over(changed: dict[str, Any], since: float) -> None:
    sliver = SliverSeen()
    fold_applications(sliver, holds(pinger=HELD), 5.0)
    before = seen(sliver)
    held = replace(HELD, **changed)
    assert fold_applications(sliver, holds(pinger=held), 9.0) is NEWS
    assert seen(sliver) is before
    assert seen(sliver) == ApplicationSeen(
        LayerSeen(held.state, since),
        held.version,
        held.generation,
        held.restarts,
        held.digest,
        held.configuration,
        held=True,
    )


def test_what_was_heard_of_an_application_before_the_agent_named_it_is_news() -> None:
    sliver = SliverSeen(agent_ready=True, fresh=True)
    fold_application(sliver, said(), 5.0)
    assert not seen(sliver).held
    assert fold_applications(sliver, holds(pinger=Held(3, "1-1", State.RUNNING)), 6.0) is NEWS
    assert seen(sliver).held


# -- one node -------------------------------------------------------------------------------------------


def test_holdings_of_a_node_say_slivers_those_gone_and_their_orders() -> None:
    node = NodeSeen()
    pairs = {"sliver.xyz1": "4", "gone.old": "3", "order.xyz1": "d", "order.nobody": "e"}
    assert fold_slivers(node, status(pairs, HOLDINGS)) is NEWS
    after = NodeSeen(
        slivers={XYZ1: 4},
        orders={XYZ1: "d"},
        gone={Slice("old"): 3},
        said=1,
        fresh=True,
        held_digest=digest({XYZ1: 4}),
    )
    assert node == after
    assert fold_slivers(node, status(pairs, HOLDINGS)) is NOTHING
    assert node == replace(after, said=2)
    for more in ({"gone.old": "4"}, {"order.xyz1": "f"}, {"sliver.xyz1": "5"}):
        assert fold_slivers(node, status({**pairs, **more}, HOLDINGS)) is NEWS


def test_a_fact_that_is_not_told_any_more_is_kept() -> None:
    node = NodeSeen()
    assert fold_facts(node, status({"hostname": "a", "cpus": "4", "os": "linux"}, FACTS)) is FIGURES
    assert fold_facts(node, status({"cpus": "4"}, FACTS)) is NOTHING
    assert fold_facts(node, status({"cpus": "8", "os": "linux"}, FACTS)) is FIGURES
    assert node.facts == {"cpus": "8", "os": "linux"}
    assert fold_facts(node, status({"n" * 61: "t" * 1_001}, FACTS)) is FIGURES
    assert node.facts["n" * 60] == "t" * 1_000


def test_a_hundred_facts_are_kept() -> None:
    node = NodeSeen()
    fold_facts(node, status({f"f{number}": "1" for number in range(100)}, FACTS))
    with pytest.raises(Invalid) as refused:
        fold_facts(node, status({"more": "1"}, FACTS))
    assert refused.value.message == "more than 100 facts"
    assert fold_facts(node, status({"f7": "2"}, FACTS)) is FIGURES
