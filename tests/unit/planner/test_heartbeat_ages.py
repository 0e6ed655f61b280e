"""Ages of heartbeats in classes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from planner.viewer.ages import EDGES_S, ages


def test_an_age_is_in_the_class_that_ends_behind_it() -> None:
    told = dict(ages([100.0, 99.5, 99.0, 95.0, -500.0, 100.4], 100.0))
    assert told[1.0] == 3
    assert told[2.0] == 1
    assert told[10.0] == 1
    assert told[None] == 1
    assert sum(told.values()) == 6


@given(st.lists(st.floats(-1e6, 1e6)))
def test_every_node_is_in_one_class(heard: list[float]) -> None:
    told = ages(heard, 1e6)
    assert sum(count for _, count in told) == len(heard)
    assert [edge for edge, _ in told] == [*EDGES_S, None]
