"""The page of the fleet: what is first, what a filter finds, what changed; and the page as it is used."""

from __future__ import annotations

from typing import Any, cast

import pytest
from textual.widgets import DataTable, Input, Static

from dsmtc.client import Node
from dsmtc.top.board import MOST, Look, Snapshot, board, changes
from dsmtc.top.page import Detail, Top
from tests.unit.dsmtc.test_health import a_host, a_status

HOSTILE = "x\x1b[2J[red]"


def a_node(host: str, state: str = "alive", **changed: Any) -> Node:
    node = {"host": host, "state": state, "heard_at": 95.0, "period": 5.0} | {
        "evidence": [],
        "slivers": ["s"],
        "facts": {"load1": "0.5", "disk_free_gb": "20"},
    }
    return cast("Node", node | changed)


CORDONED = {"state": "cordoned", "sentence": "cordoned by me", "late": False, "left": []}
FLEET = Snapshot(
    100.0,
    [
        a_node("a", facts={"load1": "9.5"}),
        a_node("b", evidence=[{"what": "lost once", "when": 1.0, "by": "tracker"}]),
        a_node("c", "failed", heard_at=0.0),
        a_node(
            "d",
            "suspect",
            standing=CORDONED,
        ),
    ],
)


def hosts(snapshot: Snapshot, look: Look) -> list[str]:
    return [row.host for row in board(snapshot, look).rows]


def test_the_problem_comes_first_unless_another_order_is_chosen() -> None:
    assert hosts(FLEET, Look()) == ["c", "d", "b", "a"]
    assert hosts(FLEET, Look(column=0)) == ["a", "b", "c", "d"]
    assert hosts(FLEET, Look(column=4, reverse=True))[0] == "a"
    assert hosts(FLEET, Look(column=2, reverse=True))[0] == "c"
    assert hosts(FLEET, Look(column=99)) == hosts(FLEET, Look())


def test_a_filter_wants_every_word() -> None:
    assert hosts(FLEET, Look("FAILED")) == ["c"]
    assert hosts(FLEET, Look("alive lost")) == ["b"]
    assert hosts(FLEET, Look("nothing")) == []


def test_a_row_tells_all_that_matters() -> None:
    rows = {row.host: row.cells for row in board(FLEET, Look()).rows}
    assert rows["d"] == ("d", "suspect", "5s", "1", "0.5", "20 GiB", "cordoned by me")
    assert rows["c"][2] == "never"


def test_a_slice_is_shown_layer_by_layer() -> None:
    failed = a_host("b", application={"state": "failed", "reason": "exit 3"})
    status = a_status(a_host("a"), failed, a_host("c", agent="requested", applications=[]))
    shown = board(Snapshot(100.0, FLEET.nodes, status), Look())
    assert [row.host for row in shown.rows] == ["b", "c", "a"]
    assert shown.rows[0].cells[3:] == ("running", "running", "pinger failed", "1.8-1", "40s", "exit 3")
    assert " ".join(piece.text for piece in shown.summary).startswith("s: 3 wanted, 3 running")


def test_of_too_many_some_are_hidden_and_counted() -> None:
    many = Snapshot(100.0, [a_node(f"n{number}") for number in range(MOST + 7)])
    assert (len(board(many, Look()).rows), board(many, Look()).hidden) == (MOST, 7)


def test_changes_are_told_in_words() -> None:
    assert changes(None, FLEET) == []
    later = Snapshot(101.0, [a_node("a", "suspect"), a_node("e")], a_status(a_host("a")))
    assert changes(Snapshot(100.0, [a_node("a"), a_node("b")]), later) == [
        "a: alive -> suspect",
        "e: alive, new",
        "pinger on a: running 1.8-1, new",
        "b: gone",
    ]


def text_of(page: Top, which: str) -> str:
    return str(page.query_one(which, Static).render())


async def test_the_page_is_kept_current_filtered_and_sorted() -> None:
    ended: list[bool] = []
    page = Top(lambda _shown, _trouble: lambda: ended.append(True), HOSTILE)
    async with page.run_test(size=(100, 30)) as pilot:
        assert "asking the planner" in text_of(page, "#place")
        page.show(FLEET)
        await pilot.pause()
        table = page.query_one(DataTable)
        assert [str(row[0]) for row in map(table.get_row_at, range(4))] == ["c", "d", "b", "a"]
        assert "1 failed" in text_of(page, "#summary")
        assert "\\x1b[2J" in text_of(page, "#place")
        page.show(Snapshot(101.0, [*FLEET.nodes[1:], a_node("a", "suspect")]))
        await pilot.pause()
        assert "a: alive -> suspect" in text_of(page, "#changes")
        await pilot.press("s")
        assert str(table.get_row_at(0)[0]) == "a"
        await pilot.press("r", "slash", "c", "o", "r", "d", "enter")
        assert page.query_one("#filter", Input).value == "cord"
        assert table.row_count == 1
        await pilot.press("escape")
        assert table.row_count == 4
        page.tell("it is away\x1b[2J")
        assert "it is away\\x1b[2J; trying again" in text_of(page, "#place")
        await pilot.press("p")
        page.show(FLEET)
        assert "PAUSED" in text_of(page, "#place")
        await pilot.press("ctrl+c")
    assert ended == [True]


async def test_enter_shows_a_node_and_nothing_of_it_is_markup() -> None:
    page = Top(lambda _shown, _trouble: lambda: None, "t")
    async with page.run_test(size=(80, 24)) as pilot:
        page.show(Snapshot(100.0, [a_node(HOSTILE, facts={"kernel": HOSTILE})]))
        await pilot.pause()
        await pilot.press("enter")
        assert isinstance(page.screen, Detail)
        shown = str(page.screen.query_one(Static).render())
        assert "x\\x1b[2J[red]" in shown
        await pilot.press("escape")
        assert not isinstance(page.screen, Detail)


@pytest.mark.parametrize("width", [40, 80])
async def test_a_small_terminal_is_enough(width: int) -> None:
    page = Top(lambda _shown, _trouble: lambda: None, "t")
    async with page.run_test(size=(width, 12)) as pilot:
        page.show(FLEET)
        await pilot.pause()
        assert page.query_one(DataTable).row_count == 4
