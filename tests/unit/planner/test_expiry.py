"""The end of slices: who is told, and what is deleted when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from dsmt_core.names import Slice
from planner.expiry import DAY_S, Stage, due, end_of, stage

S = Slice("s")


@pytest.mark.parametrize(
    ("left", "near"),
    [
        (8 * DAY_S, Stage.FAR),
        (7 * DAY_S, Stage.SOON),
        (DAY_S, Stage.LAST),
        (0.0, Stage.OVER),
        (-6 * DAY_S, Stage.OVER),
        (-7 * DAY_S, Stage.GONE),
    ],
)
def test_how_near_the_end_is(left: float, near: Stage) -> None:
    assert stage(1e9 + left, 1e9) is near


@given(st.lists(st.floats(0, 30 * DAY_S), min_size=1, max_size=60), st.floats(0, 30 * DAY_S))
def test_nothing_is_deleted_before_its_grace_ended_and_people_were_told(
    steps: list[float], end: float
) -> None:
    told: dict[Slice, tuple[float, Stage]] = {}
    for now in sorted(steps):
        found = due({S: end}, told, now=now, grace=DAY_S)
        if found.delete:
            assert told[S] == (end, Stage.GONE)
            assert now >= end + DAY_S
            assert not found.tell
        for name in found.tell:
            assert told.get(name) != (end, stage(end, now, DAY_S))
            told[name] = (end, stage(end, now, DAY_S))


def test_who_renews_is_told_again_and_not_deleted() -> None:
    gone = {S: (0.0, Stage.GONE)}
    assert due({S: 0.0}, gone, now=9 * DAY_S, grace=DAY_S).delete == (S,)
    assert not due({S: 99 * DAY_S}, gone, now=9 * DAY_S, grace=DAY_S).delete
    assert not due({}, gone, now=9 * DAY_S, grace=DAY_S).delete


def test_how_long_a_slice_may_be_wanted() -> None:
    assert end_of(None, 5.0) is None
    assert end_of(60.0, 5.0) == 65.0
    for wrong in (0.0, -1.0, 367 * DAY_S, float("nan"), float("inf")):
        with pytest.raises(Invalid):
            end_of(wrong, 5.0)
