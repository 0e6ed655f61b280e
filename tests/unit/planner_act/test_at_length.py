"""Long answers: the same JSON as in one piece, whatever is in them, and the loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.lifecycle import State
from planner.api.at_length import PORTION, at_length, written
from planner.service.pieces import PIECE, each, in_pieces

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | st.text() | st.sampled_from(State),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), VALUES) | st.lists(VALUES))
def test_it_is_the_json_of_what_is_told(told: Any) -> None:
    assert json.loads(written(told)) == json.loads(json.dumps(told))


async def test_many_rows_are_written_in_portions() -> None:
    rows = [{"host": f"n{number}", "state": State.RUNNING} for number in range(3 * PORTION + 1)]
    by_name = {row["host"]: [row] for row in rows}
    for told in (rows, {"hosts": rows, "by": by_name, "count": 3}):
        answer = await at_length(told)
        assert json.loads(bytes(answer.body)) == json.loads(json.dumps(told))
        assert answer.headers["content-type"] == "application/json"


def test_what_is_beyond_all_numbers_is_nothing() -> None:
    assert json.loads(written({"until": float("inf"), "rows": [float("nan")]})) == {
        "until": None,
        "rows": [None],
    }


async def test_others_have_their_turn_between_two_pieces() -> None:
    turns: list[str] = []

    async def other() -> None:
        while True:
            turns.append("other")
            await asyncio.sleep(0)

    def steps() -> Generator[None, None, int]:
        for _ in range(3):
            turns.append("piece")
            yield
        return 7

    beside = asyncio.create_task(other())
    assert await in_pieces(steps()) == 7
    assert turns == ["piece", "other"] * 3
    many = list(range(2 * PIECE + 1))
    assert await each(many, lambda one: [one] if one else []) == many[1:]
    assert turns.count("other") == 5
    beside.cancel()
