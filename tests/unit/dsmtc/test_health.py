"""The health of a slice in few lines: what is done, who does not answer, what was last."""

from __future__ import annotations

from typing import Any, cast

from dsmt_core.several import several
from dsmtc.client import HostStatus, SliceStatus
from dsmtc.rendering.health import doing, headline, is_well, latest, unanswering, versions
from dsmtc.rendering.status import MANY, MOST, status_view
from dsmtc.rendering.table import Table, lines, names


def a_host(name: str, **changed: Any) -> HostStatus:
    application = {
        "application": "pinger",
        "state": "running",
        "version": "1.8-1",
        "wanted_version": "1.8-1",
        "wanted": "running",
        "text": "",
        "reason": "",
        "since": 60.0,
    }
    host = {
        "host": name,
        "node_state": "alive",
        "container": "running",
        "agent": "running",
        "applications": [application | changed.pop("application", {})],
        "reason": "",
        "heard_at": 95.0,
        "container_since": 20.0,
        "agent_since": 30.0,
    }
    return cast("HostStatus", host | changed)


def a_status(*hosts: HostStatus, **changed: Any) -> SliceStatus:
    status = {
        "slice": "s",
        "managed": True,
        "plan": "only3",
        "agent": "deployment-agent",
        "generation": 2,
        "wanted": len(hosts),
        "running": len(hosts),
        "failed": 0,
        "waiting": 0,
        "missing": 0,
        "hosts": list(hosts),
        "waiting_reasons": [],
        **changed,
    }
    return cast("SliceStatus", status)


def test_the_counts_stand_out_where_there_is_a_problem() -> None:
    kinds = [(piece.text, piece.state) for piece in headline(a_status(a_host("a")))]
    assert kinds == [("1 wanted,", ""), ("1 running,", "running"), ("0 failed,", ""), ("0 waiting", "")]
    troubled = headline(a_status(a_host("a"), running=0, failed=1, waiting=2, missing=3))
    assert [piece.state for piece in troubled] == ["", "", "failed", "suspect", "suspect"]
    assert headline(a_status())[1].state == ""


def test_how_many_are_at_which_version() -> None:
    old = {"version": "1.7-1"}
    status = a_status(*(a_host(name) for name in "ab"), a_host("c", application=old))
    assert list(versions(status)) == ["pinger: 2 running 1.8-1, 1 running 1.7-1"]


def test_what_is_done_now_is_told_with_where_and_for_how_long() -> None:
    begins = a_host("a", application={"state": "initialized", "since": 90.0})
    also = a_host("b", application={"state": "initialized", "since": 95.0})
    stops = a_host("c", application={"wanted": "stopped"})
    goes = a_host("d", application={"version": "1.7-1"})
    made = a_host("e", container="requested", agent="undefined", applications=[], container_since=98.0)
    agent = a_host("f", agent="installed", applications=[], agent_since=0.0)
    gone = a_host("g", node_state="failed", container="requested")
    assert list(doing(a_status(begins, also, stops, goes, made, agent, gone), 100.0)) == [
        "pinger is installed (initialized) on a, b, for 10s",
        "pinger is stopped on c",
        "pinger goes from 1.7-1 to 1.8-1 on d",
        "the sliver is made on e, for 2s",
        "the agent begins on f",
    ]


def test_who_does_not_answer_and_since_when() -> None:
    status = a_status(
        a_host("a", node_state="suspect", heard_at=90.0),
        a_host("b"),
        a_host("c", node_state="failed", heard_at=10.0),
        a_host("d", node_state="failed", heard_at=0.0),
    )
    assert unanswering(status, 100.0) == [
        "d (failed), never heard",
        "c (failed), last heard 1m ago",
        "a (suspect), last heard 10s ago",
    ]
    older = a_host("e", node_state="failed")
    del older["heard_at"]
    assert unanswering(a_status(older), 100.0) == ["e (failed)"]


def test_the_last_change() -> None:
    assert (
        latest(a_status(a_host("a"), a_host("b", agent_since=99.0)), 100.0) == "agent on b running, 1s ago"
    )
    assert latest(a_status(a_host("a", application={"since": None})), 100.0) == "agent on a running, 1m ago"
    assert latest(a_status(), 100.0) == ""


def test_of_many_hosts_those_that_are_well_are_counted_only() -> None:
    many = [a_host(f"n{number:04}") for number in range(MANY)]
    ill = a_host("ill", application={"state": "failed", "reason": "exit 3"})
    few = lines(status_view(a_status(*many), 100.0))
    assert sum(line.startswith("n0") for line in few) == MANY
    status = a_status(*many, ill)
    written = lines(status_view(status, 100.0))
    assert [line for line in written if line.startswith(("n0", "ill"))] == [
        line for line in written if line.startswith("ill")
    ]
    assert written[-1] == f"{MANY} hosts more are well; -o wide shows every one, --node HOST one"
    assert sum(line.startswith("n0") for line in lines(status_view(status, 100.0, whole=True))) == MANY
    # Names are those of all, whatever is shown.
    assert len(names(status_view(status, 100.0))) == MANY + 1
    bad = [a_host(f"n{number:04}", unwell=["lags"]) for number in range(MOST + 5)]
    assert "5 hosts more are not well;" in lines(status_view(a_status(*bad), 100.0))[-1]


def test_what_is_well() -> None:
    assert is_well(a_host("a"))
    assert not is_well(a_host("a", unwell=["it lags"]))
    assert not is_well(a_host("a", application={"wanted_version": "1.9"}))
    assert not is_well(a_host("a", application={"reason": "gave up"}))
    assert not is_well(a_host("a", node_state="suspect"))


def test_names_and_columns() -> None:
    table = Table(("A", "B"), [("x", "1"), ("x", "2"), ("y\x1b", "3")], wide=frozenset({"B"}))
    assert names(["text", table]) == ["x", "y\\x1b"]
    assert names(["text"]) == []
    assert lines([table])[0] == "A"
    assert lines([table], wide=True)[0] == "A      B"
    assert several(list("abcde"), 3) == "a, b, c and 2 more"
    assert several(list("abc"), 3) == "a, b, c"


def test_what_a_failed_node_said_last_counts_as_failed_in_each_place() -> None:
    status = a_status(a_host("a"), a_host("b", node_state="failed"), running=1, failed=1)
    assert list(versions(status)) == ["pinger: 1 running 1.8-1, 1 failed 1.8-1"]
    shown = "\n".join(lines(status_view(status, 100.0)))
    assert "was running  pinger       was running" in shown, shown
