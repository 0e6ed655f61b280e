"""Lines of several nodes, by time."""

from __future__ import annotations

from collections.abc import AsyncIterator

from dsmt_core.names import Host
from planner.log_lines import Line, lines_of, merged, written

A, B = Host("a"), Host("b")


def stamp(second: int) -> str:
    return f"2026-11-28T02:08:{second:02}.123Z"


async def stream(*lines: Line) -> AsyncIterator[Line]:
    for line in lines:
        yield line


def test_a_piece_is_taken_apart() -> None:
    text = f"{stamp(1)} one\nmore\n{stamp(2)} \n"
    assert [*lines_of(A, text)] == [
        Line(A, "one", stamp(1)),
        Line(A, "more", stamp(1)),
        Line(A, "", stamp(2)),
    ]
    assert [*lines_of(A, "first\n", stamp(1))] == [Line(A, "first", stamp(1))]
    assert [*lines_of(A, "")] == []
    assert next(lines_of(A, "xxxx-11-28T02:08:01.123Z no\n")).at == ""


async def test_they_are_merged_and_a_nodes_own_stay_in_order() -> None:
    a = stream(Line(A, "1", stamp(1)), Line(A, "4", stamp(4)), Line(A, "set back", stamp(2)))
    b = stream(Line(B, "2", stamp(2)), Line(B, "3", stamp(3)), Line(B, "5", stamp(5)))
    silent = stream(Line(Host("c"), trouble="no answer"))
    found = [line async for line in merged([a, b, silent, stream()])]
    assert [line.text for line in found] == ["", "1", "2", "3", "4", "set back", "5"]
    assert written(found[0]) == {"host": "c", "trouble": "no answer"}
    assert written(found[1]) == {"host": "a", "at": stamp(1), "text": "1"}
