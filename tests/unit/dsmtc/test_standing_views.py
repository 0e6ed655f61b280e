"""Nodes out of service and disruption budgets as people read them; lengths of time as they write them."""

from __future__ import annotations

from typing import Any

import pytest

from dsmtc.client import Budget, Node, Standing, Stood
from dsmtc.commandline import Misused
from dsmtc.durations import seconds
from dsmtc.rendering.machines import node, nodes
from dsmtc.rendering.standings import budget, progress, stood, told, would_change
from dsmtc.rendering.table import lines

IN_SERVICE = Standing(state="in service", sentence="", late=False, left=[])
DRAINING = Standing(
    state="draining",
    sentence="draining: disk swap (by ann, since 2026-05-01 22:00 UTC)",
    late=False,
    left=[{"slice": "s1", "reason": "its replacement does not run yet"}],
)
DRAINED = Standing(
    state="drained",
    sentence=DRAINING["sentence"],
    late=True,
    left=[],
    drain={
        "by": "ann",
        "since": 0.0,
        "reason": "",
        "deadline": 5.0,
        "force": False,
    },
)


def a_node(standing: Standing | None) -> Node:
    found = Node(host="n1", state="alive", heard_at=95.0, period=1.0, evidence=[], slivers=[], facts={})
    if standing is not None:
        found["standing"] = standing
    return found


def test_a_fleet_in_service_has_no_column_for_standing() -> None:
    for standing in (None, IN_SERVICE):
        assert lines(nodes([a_node(standing)], 100.0))[0].split() == [
            "HOST",
            "STATE",
            "HEARD",
            "SLIVERS",
            "EVIDENCE",
        ]


def test_who_is_out_of_service_is_shown_beside_how_it_is_judged() -> None:
    shown = lines(nodes([a_node(DRAINING), a_node(IN_SERVICE)], 100.0))
    assert shown[0].split()[:3] == ["HOST", "STATE", "STANDING"]
    assert "alive  draining: disk swap (by ann, since 2026-05-01 22:00 UTC); still there: s1" in shown[1]
    assert shown[2].split()[:3] == ["n1", "alive", "-"]


def test_one_node_tells_what_is_still_there_and_its_windows() -> None:
    standing = Standing(**DRAINING)
    standing["windows"] = [
        {
            "by": "bob",
            "since": 0.0,
            "reason": "dust",
            "begins": 60.0,
            "ends": 7260.0,
            "every": 86_400.0,
            "lead": 600.0,
        },
        {"by": "bob", "since": 0.0, "reason": "", "begins": 10.0, "ends": 20.0, "every": 0.0, "lead": 0.0},
    ]
    shown = lines(node(a_node(standing), 100.0))
    assert "  window from 1970-01-01 00:01 UTC for 2h, every day, lead 10m: dust (by bob)" in shown
    assert "  window from 1970-01-01 00:00 UTC for 10s (by bob) (over)" in shown
    assert "s1           its replacement does not run yet" in shown


def test_what_has_come_about_is_told_as_such() -> None:
    assert told(DRAINED) == "drained: disk swap (by ann, since 2026-05-01 22:00 UTC)"
    late = Standing(**DRAINING)
    late["late"] = True
    assert told(late).startswith("over time: draining")
    assert told(IN_SERVICE) == told(None) == ""


def test_what_was_said_is_answered_with_how_the_nodes_stand() -> None:
    found = [
        Stood(host="n1", standing=IN_SERVICE, changed=True),
        Stood(host="n2", standing=IN_SERVICE, changed=False),
    ]
    assert lines(stood(found, 0.0)) == ["node n1: in service", "node n2: in service (as before)"]
    assert lines(stood(found, 0.0, dry_run=True))[-1] == "2 meant; nothing was changed"


def test_progress_is_one_line() -> None:
    found = [Stood(host="n1", standing=DRAINING), Stood(host="n2", standing=DRAINED)]
    assert progress(found) == (
        "n1: still there: s1 (its replacement does not run yet); n2: nothing is left"
    )
    assert progress([]) == "in service again"


def test_a_budget_says_what_it_allows_and_that_it_leaves_no_room() -> None:
    found = Budget(
        slice="s1",
        budget="keep 80%",
        is_default=False,
        wanted=5,
        least=4,
        up=5,
        allowance=1,
        contradiction="",
    )
    assert lines(budget(found)) == [
        "slice s1: keep 80%",
        "5 of 5 up, at least 4 must be, 1 may be taken down now",
    ]
    none = Budget(**found)
    none["is_default"], none["contradiction"] = True, "all 5 must run"
    assert lines(budget(none))[0] == "slice s1: keep 80% (the default)"
    assert lines(budget(none))[-1] == "this leaves no room: all 5 must run; drains and roll-outs wait"


@pytest.mark.parametrize(
    ("text", "length"),
    [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86_400), ("1h30m", 5400), ("0.5h", 1800)],
)
def test_lengths_of_time_are_read(text: str, length: float) -> None:
    assert seconds(text, "the deadline") == length


@pytest.mark.parametrize("text", ["", "m", "-5m", "5 m", "5x", "5m!", "1e3", "m5", "9" * 30])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(Misused, match="the deadline"):
        seconds(text, "the deadline")


def test_what_a_verb_would_change_of_a_node() -> None:
    free: Any = {"state": "in service", "sentence": "", "late": False, "left": []}
    cordoned: Any = free | {"cordoned": {"by": "me", "at": 1.0, "reason": ""}}
    assert [would_change(verb, free) for verb in ("cordon", "uncordon", "trust")] == [True, False, True]
    assert [would_change(verb, cordoned) for verb in ("cordon", "uncordon")] == [False, True]
