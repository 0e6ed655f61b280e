"""What people see, also when a node tries to draw on their terminal."""

from __future__ import annotations

import io
import unicodedata
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from dsmtc.client import Node, Plan, SliceStatus, Stored
from dsmtc.rendering.machines import node, nodes
from dsmtc.rendering.status import changes, status_view
from dsmtc.rendering.table import Table, lines, plain
from dsmtc.rendering.terminal import drawn
from dsmtc.rendering.text import clean, cut, since, size, span
from dsmtc.rendering.views import plans, stored

HOSTILE = "\x1b[2J\x9b31m\r\nboo\u202e\x00\ud800"


def a_status(**changed: Any) -> SliceStatus:
    application = {
        "application": "pinger",
        "state": "running",
        "version": "1.8-1",
        "wanted_version": "1.8-1",
        "wanted": "running",
        "text": "well",
        "reason": "",
        "since": 100.0,
    }
    host = {
        "host": "node1",
        "node_state": "alive",
        "container": "running",
        "agent": "running",
        "applications": [{**application, **changed.pop("application", {})}],
        "reason": "",
    }
    status = {
        "slice": "s",
        "managed": True,
        "plan": "only3",
        "agent": "deployment-agent",
        "generation": 2,
        "wanted": 1,
        "running": 1,
        "failed": 0,
        "waiting": 0,
        "missing": 0,
        "hosts": [{**host, **changed.pop("host", {})}],
        "waiting_reasons": [],
        **changed,
    }
    return cast("SliceStatus", status)


@given(st.text())
def test_no_control_character_survives(text: str) -> None:
    shown = clean(text)
    assert not [
        character for character in shown if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
    ]
    assert clean(shown) == shown


def test_harmless_text_is_left_alone() -> None:
    assert clean("Zürich ok, 3 < 4 \\ [red]") == "Zürich ok, 3 < 4 \\ [red]"


@pytest.mark.parametrize("place", ["text", "version", "state", "reason", "application"])
def test_hostile_text_is_shown_and_not_obeyed_on_a_terminal_either(place: str) -> None:
    status = a_status(application={place: HOSTILE}, waiting_reasons=[HOSTILE], host={"host": HOSTILE})
    written = "\n".join(lines(status_view(status, 107.0)))
    assert "\\x1b[2J\\x9b31m\\r\\nboo\\u202e" in written
    file = io.StringIO()
    Console(file=file, force_terminal=True, width=400, markup=False).print(
        drawn(status_view(status, 107.0))
    )
    assert "\x1b[2J" not in file.getvalue()
    assert "\x9b" not in file.getvalue()


def test_markup_of_the_terminal_library_is_plain_text() -> None:
    file = io.StringIO()
    table = Table(("A",), [("[bold]x[/bold] :smile:",)])
    Console(file=file, width=80).print(drawn(["[red]y[/red]", table]))
    assert "[red]y[/red]" in file.getvalue()
    assert "[bold]x[/bold] :smile:" in file.getvalue()


def test_status_begins_with_health_and_ends_with_the_hosts() -> None:
    written = lines(status_view(a_status(waiting_reasons=["not enough nodes"], missing=2), 107.0))
    assert written == [
        "slice s: managed, plan only3, agent deployment-agent, generation 2",
        "1 wanted, 1 running, 0 failed, 0 waiting, 2 missing",
        "pinger: 1 running 1.8-1",
        "waiting: not enough nodes",
        "last change: pinger on node1 running, 7s ago",
        "",
        "HOST   NODE   CONTAINER  AGENT    APPLICATION  STATE    VERSION  SINCE  TEXT",
        "node1  alive  running    running  pinger       running  1.8-1    7s     well",
    ]


def test_what_waits_for_people_stands_before_what_waits_for_nodes() -> None:
    leaver = {"host": "node1", "reason": "rack is r8", "plan": "r7", "function": "where"}
    held = {"slice": "s", "index": "00aa", "hosts": [leaver]}
    written = lines(status_view(a_status(waiting_reasons=["not enough nodes"], held_back=held), 107.0))
    assert written[3].endswith("node1; dsmtc agree --slice s --check-index 00aa")
    assert written[4] == "waiting: not enough nodes"
    none = a_status(held_back={"slice": "s", "index": "", "hosts": []})
    assert "agree" not in "".join(lines(status_view(none, 107.0)))


def test_a_host_without_application_shows_why_it_waits() -> None:
    status = a_status(host={"applications": [], "reason": "the node is silent"})
    assert lines(status_view(status, 0))[-1].endswith("the node is silent")


def test_of_many_reasons_some_are_shown_and_the_rest_is_counted() -> None:
    written = lines(status_view(a_status(waiting_reasons=[f"reason {n}" for n in range(25)]), 0))
    assert written[12:14] == ["waiting: reason 9", "waiting: and 15 more; --json tells all"]


def test_a_reason_that_is_over_is_not_worth_a_line() -> None:
    waits, runs = a_status(waiting_reasons=["node1: its agent starts"]), a_status()
    assert "waiting: node1: its agent starts" in changes(runs, waits)
    assert changes(waits, runs) == []


def test_another_configuration_than_wanted_is_told() -> None:
    for have, want, told in (
        ("", "", "1.8-1 "),
        ("ab", "ab", "1.8-1 "),
        ("", "ab", "1.8-1 -> configuration ab"),
        ("ab", "", "1.8-1 -> no configuration"),
    ):
        application = {"configuration": have, "wanted_configuration": want}
        written = lines(status_view(a_status(application=application), 107.0))
        assert f" {told}" in written[-1]


def test_another_version_than_wanted_shows_both() -> None:
    written = lines(status_view(a_status(application={"wanted_version": "1.9-1"}), 107.0))
    assert "1.8-1 -> 1.9-1" in written[-1]


def test_changes_are_all_at_first_and_then_only_what_differs() -> None:
    first, failed = (
        a_status(),
        a_status(application={"state": "failed", "reason": "exit 3"}, running=0, failed=1),
    )
    assert "node1 pinger running 1.8-1 well" in changes(None, first)
    assert changes(first, first) == []
    assert changes(first, failed) == [
        "node1 pinger failed 1.8-1 exit 3: well",
        "1 wanted, 0 running, 1 failed, 0 waiting",
    ]
    assert "node1 node gone" in changes(first, a_status(hosts=[]))


def test_a_table_is_aligned_and_bounded() -> None:
    assert plain(Table(("A", "LONG"), [("x", "y"), ("xxx", "")])) == ["A    LONG", "x    y", "xxx"]
    assert len(plain(Table(("A",), [("x" * 10_000,)]))[1]) == 160


def test_times_and_sizes_are_short() -> None:
    assert [span(seconds) for seconds in (-1, 59.9, 60, 7_200, 200_000)] == ["0s", "59s", "1m", "2h", "2d"]
    assert [since(moment, 10) for moment in (None, 3.0, "2026-11-23", True)] == ["", "7s", "2026-11-23", ""]
    assert [size(count) for count in (0, 1023, 1536, 5 << 40)] == ["0 B", "1023 B", "1.5 KiB", "5120.0 GiB"]
    assert cut("x" * 20, 10) == "xxxxxxx..."


def test_plans_of_the_slice_come_before_the_functions() -> None:
    found: list[Plan] = [
        {"name": "all_nodes", "base": "all_nodes", "parameters": {}, "builtin": True},
        {"name": "good", "base": "minus", "parameters": {"left": "all_nodes"}, "builtin": False},
    ]
    assert lines(plans(found)) == [
        "PLAN  BASE   PARAMETERS",
        "good  minus  left=all_nodes",
        "",
        "FUNCTION   PARAMETERS",
        "all_nodes",
    ]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"application_added": True}, "application pinger added to the slice"),
        ({"used_now": True}, "used for application pinger"),
        ({"waits_for": "no x"}, "application pinger is not complete yet: no x"),
        (
            {"application": "", "used_now": True},
            "dsmtw_pinger 1.8-1 noarch, sha256 abcdef012345, scripts start stop; in use from now on",
        ),
        ({}, "use it with dsmtc update pinger"),
        ({"application": None, "scripts": []}, "dsmtw_pinger 1.8-1 noarch, sha256 abcdef012345"),
    ],
)
def test_what_the_depot_found_is_told(changed: dict[str, Any], told: str) -> None:
    package = {
        "filename": "f.rpm",
        "kind": "rpm",
        "name": "dsmtw_pinger",
        "version": "1.8-1",
        "arch": "noarch",
        "digest": "abcdef0123456789",
        "scripts": ["start", "stop"],
        "application": "pinger",
        "application_added": False,
        "used_now": False,
        **changed,
    }
    assert stored(cast("Stored", package)).endswith(told)


def test_a_node_that_was_never_heard_says_so() -> None:
    unheard: dict[str, object] = {
        "host": "n",
        "state": "unknown",
        "heard_at": None,
        "period": 1.0,
        "slivers": [],
        "facts": {},
    }
    assert "never" in lines(nodes([cast("Node", unheard)], 0))[1]


def test_a_node_shows_why_it_counts_as_failed() -> None:
    evidence = [{"what": "a heartbeat is missing", "when": 1.0, "by": "tracker"}]
    evidence.append({"what": "three are missing", "when": 4.0, "by": "tracker"})
    found: dict[str, object] = {"host": "n", "state": "failed", "heard_at": 0.5, "evidence": evidence}
    assert lines(nodes([cast("Node", found)], 5.0))[1].endswith("three are missing")
    assert "4s    tracker  a heartbeat is missing" in lines(node(cast("Node", found), 5.0))


def on_a_terminal(table: Table, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(drawn([table]))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_a_narrow_terminal_breaks_no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        (f"node{n}.paris.example", "alive", "running", "it says a good deal about itself") for n in (1, 2)
    ]
    table = Table(("HOST", "NODE", "AGENT", "TEXT"), rows, frozenset({"NODE", "AGENT"}))
    wide = on_a_terminal(table, 90, monkeypatch)
    assert wide[1].split()[:3] == ["node1.paris.example", "alive", "running"]
    broken = on_a_terminal(table, 56, monkeypatch)
    assert (broken[0].split(), "node2.paris.example" in "".join(broken)) == (
        ["HOST", "NODE", "AGENT", "TEXT"],
        True,
    )
    # What all have in common is said once.
    common = on_a_terminal(table, 42, monkeypatch)
    assert (common[0].split(), common[-1]) == (["HOST", "TEXT"], "each: node alive, agent running")
    stacked = on_a_terminal(table, 24, monkeypatch)
    assert (stacked[0], "HOST" in "".join(stacked)) == ("node1.paris.example", False)
    assert max(map(len, stacked)) <= 24


def test_letters_of_two_columns_are_counted_as_two() -> None:
    lines_ = plain(Table(("NAME", "X"), [("\u6771\u4eac", "1"), ("ab", "2")]))
    assert lines_ == ["NAME  X", "\u6771\u4eac  1", "ab    2"]
