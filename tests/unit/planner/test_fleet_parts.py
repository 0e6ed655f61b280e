"""The parts of a fleet: rows and columns, who holds what, lives, grounds, health."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dsmt_core.channels import status_channel
from dsmt_core.events import Event, Sender
from dsmt_core.health import Condition
from dsmt_core.lifecycle import State
from dsmt_core.names import DEPLOYMENT_AGENT, Application, Host, Slice
from dsmt_core.nodes import digest
from planner.fleet import (
    ApplicationSeen,
    LayerSeen,
    NodeSeen,
    NodeState,
    SliverSeen,
)
from planner.fleet.columns import Columns
from planner.fleet.folding import (
    News,
)
from planner.fleet.grounds import Grounds
from planner.fleet.health import HealthSeen
from planner.fleet.holders import Holders
from planner.fleet.lives import Lives
from planner.fleet.rows import node_value, read_node, read_sliver, sliver_value

A, B, C = (Host(name) for name in "abc")
XYZ1, OTHER = Slice("xyz1"), Slice("other")
APP, SECOND = Application("pinger"), Application("second")
NEWS, FIGURES, NOTHING = News.CHANGE, News.FIGURES, News.NONE


def event(**more: Any) -> Event:
    channel = status_channel(XYZ1, DEPLOYMENT_AGENT, A)
    return replace(Sender("s", "i", "b").event(channel, "x", now=1000.0, id_="x"), **more)


# -- rows -----------------------------------------------------------------------------------------------

SLIVER = SliverSeen(
    container=LayerSeen(State.RUNNING, 1.0),
    agent=LayerSeen(State.FAILED, 2.0, "no"),
    agent_ready=True,
    fresh=True,
    applications={
        APP: ApplicationSeen(LayerSeen(State.RUNNING, 3.0), "1-1", 4, 5, "d", "c", "t", "0", True)
    },
    left={Application("gone"): 6.0},
)


def test_a_sliver_is_read_back_marked_old() -> None:
    value = sliver_value(SLIVER)
    assert value["agent"] == {"state": "failed", "since": 2.0, "reason": "no"}
    assert read_sliver(value) == replace(SLIVER, fresh=False)
    older = {name: of for name, of in value.items() if name != "left"}
    assert read_sliver(older) == replace(SLIVER, fresh=False, left={})


def test_a_node_is_read_back_marked_old() -> None:
    node = NodeSeen(
        slivers={XYZ1: 4}, orders={XYZ1: "d"}, gone={OTHER: 1}, said=3, fresh=True, facts={"cpus": "4"}
    )
    value = node_value(node, state=NodeState.ALIVE, period=2.0)
    assert value == {
        "state": "alive",
        "period": 2.0,
        "slivers": {"xyz1": 4},
        "orders": {"xyz1": "d"},
        "facts": {"cpus": "4"},
    }
    read = NodeSeen(
        slivers={XYZ1: 4}, orders={XYZ1: "d"}, facts={"cpus": "4"}, held_digest=digest({XYZ1: 4})
    )
    assert read_node(value) == read
    del value["orders"]
    assert read_node(value) == replace(read, orders={})
    assert read_node({**value, "slivers": None}) == NodeSeen(facts={"cpus": "4"})


def test_a_column_has_no_holes() -> None:
    columns = Columns()
    for number, state in enumerate((NodeState.ALIVE, NodeState.FAILED, NodeState.SUSPECT)):
        assert columns.append(heard=float(number), period=number + 0.5) == number
        assert columns.state(number) is NodeState.UNKNOWN
        columns.judge(number, state)
        columns.digest[number], columns.boot_id[number] = f"d{number}", f"b{number}"
    columns.pop_into(0)
    assert len(columns) == 2
    assert [columns.state(row) for row in range(2)] == [NodeState.SUSPECT, NodeState.FAILED]
    assert (list(columns.heard), list(columns.period)) == ([2.0, 1.0], [2.5, 1.5])
    assert (columns.digest, columns.boot_id) == (["d2", "d1"], ["b2", "b1"])
    columns.pop_into(1)
    assert (len(columns), list(columns.heard), columns.digest) == (1, [2.0], ["d2"])


# -- who holds what, lives, grounds, health -------------------------------------------------------------


def test_who_holds_what_is_known_by_slice() -> None:
    holders = Holders()
    assert holders.put(A, [XYZ1, OTHER]) == frozenset()
    assert holders.put(B, [XYZ1]) == frozenset()
    assert (holders.hosts(XYZ1), holders.hosts(OTHER)) == ({A, B}, {A})
    assert holders.put(A, [XYZ1]) == {OTHER}
    assert (sorted(holders.hosts(XYZ1)), list(holders.hosts(OTHER))) == ([A, B], [])
    assert holders.slices() == {XYZ1}
    assert holders.put(A, ()) == {XYZ1}
    assert holders.put(A, ()) == frozenset()
    assert holders.put(B, [OTHER]) == {XYZ1}
    assert holders.slices() == {OTHER}


DOUBLE = "it was heard before, or is older than what was"
LATE = "it is of an earlier life of its sender"


def test_an_event_is_of_a_present_life_or_refused() -> None:
    lives = Lives()
    for boot_id, seq, sent_at, refusal in (
        ("b", 2, 1000.0, ""),
        ("b", 2, 1000.0, DOUBLE),
        ("b", 1, 1001.0, DOUBLE),
        ("b", 3, 999.0, ""),
        ("a", 9, 998.0, LATE),
        ("a", 9, 939.5, LATE),
        # Set back by more than an event may be under way: it is another life, and the present one.
        ("c", 1, 939.0, ""),
        ("c", 1, 939.0, DOUBLE),
        # Said at the same time it is believed.
        ("d", 1, 939.0, ""),
        # Without a life there is no order.
        ("", 1, 1000.0, ""),
        ("d", 1, 939.0, DOUBLE),
    ):
        assert lives.refusal(event(boot_id=boot_id, seq=seq, sent_at=sent_at)) == refusal


def test_the_life_that_was_heard_least_recently_is_forgotten() -> None:
    lives = Lives(2)
    for instance, seq, refusal in (
        ("a", 1, ""),
        ("b", 1, ""),
        ("a", 2, ""),
        ("c", 1, ""),
        ("a", 2, DOUBLE),
        ("b", 1, ""),
    ):
        assert lives.refusal(event(instance=instance, seq=seq)) == refusal


def test_new_facts_make_a_ground_once_a_second() -> None:
    nodes = {A: NodeSeen(facts={"cpus": "4"})}
    grounds = Grounds(nodes)
    first = grounds.ground
    assert grounds.ground is first
    assert not grounds.is_due(10.0)
    for now, due in ((10.0, True), (10.5, False), (10.9, False), (11.0, True)):
        grounds.told()
        assert grounds.is_due(now) is due
    assert not grounds.is_due(20.0)
    grounds.told()
    # A clock that was set back holds nothing up.
    assert grounds.is_due(5.0)
    nodes[A].facts["cpus"] = "8"
    assert grounds.ground.texts("cpus") == ["8"]
    same = grounds.ground
    grounds.drop()
    assert grounds.ground is not same


def test_a_label_comes_before_a_source_and_a_source_before_a_node() -> None:
    nodes = {
        A: NodeSeen(facts={"inv.x": "node", "cpus": "4", "os": "bsd"}, labels={"os": "linux"}),
        B: NodeSeen(),
    }
    grounds = Grounds(nodes)
    assert grounds.ground.texts("os") == ["linux", None]
    assert grounds.ground.texts("inv.x") == ["node", None]
    grounds.sourced("inv", {A: {"inv.y": "1"}, C: {"inv.z": "2"}})
    grounds.sourced("own", {A: {"own.x": "3"}})
    assert grounds.from_sources(A) == {"inv.y": "1", "own.x": "3"}
    assert grounds.ground.names == {"cpus", "os", "inv.y", "inv.z", "own.x", "host", "site"}
    assert grounds.ground.texts("inv.y") == ["1", None]
    nodes[A].labels["inv.y"] = "label"
    grounds.sourced("inv", {})
    assert grounds.ground.texts("inv.y") == ["label", None]
    assert grounds.ground.texts("inv.z") == [None, None]
    assert grounds.from_sources(B) == {}


WELL = Condition(connects=1)
LOST_LINK = "its link to the broker is blocked"


@pytest.mark.parametrize(
    ("told", "sentences"),
    [
        (WELL, []),
        (Condition(connects=2), []),
        (Condition(connects=3), ["2 reconnections to the broker"]),
        (Condition(connects=1, dropped=1), ["1 events dropped while the broker was away"]),
        (Condition(connects=1, refused=2), ["2 deliveries refused"]),
        (Condition(connects=1, lost=3), ["3 deliveries lost by slow reading"]),
        (Condition(connects=1, unconfirmed=9, outbox=9), []),
        (Condition(connects=1, link="blocked"), [LOST_LINK]),
        (Condition(connects=1, lag_s=1.0), []),
        (Condition(connects=1, lag_s=1.25), ["its event loop was 1.2 s late"]),
        (Condition(connects=0), []),
    ],
)
def test_what_grew_or_is_not_as_it_should_be_is_not_well(told: Condition, sentences: list[str]) -> None:
    health = HealthSeen(WELL, "b", 0.0)
    health.take(told, "b", 100.0)
    assert (health.condition, health.heard, health.unwell(100.0)) == (told, 100.0, sentences)


def test_what_grew_is_added_up_for_a_while() -> None:
    health = HealthSeen(WELL, "b", 0.0)
    for now, dropped, grown in ((100.0, 1, 1), (1000.0, 3, 3), (1900.5, 7, 4), (1901.0, 7, 4)):
        health.take(Condition(connects=1, dropped=dropped), "b", now)
        assert health.unwell(now) == [f"{grown} events dropped while the broker was away"]
    assert health.unwell(2800.5) != []
    assert health.unwell(2800.75) == []
    health.take(Condition(connects=9, dropped=99), "c", 2000.0)
    assert (health.boot_id, health.unwell(2000.0)) == ("c", [])
