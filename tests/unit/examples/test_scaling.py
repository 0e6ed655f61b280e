"""How many instances a load needs: the one decision of the example of a service planner."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.examples import example

scaling = example("autoscaler", "scaling")
AIMS = scaling.Aims(low=0.3, high=0.8)


def even(demand: float, count: int) -> list[float]:
    return [demand / count] * count


def test_unknown_is_not_idle() -> None:
    assert scaling.wish([], 4, AIMS) == 4


def test_between_low_and_high_nothing_changes() -> None:
    assert scaling.wish([0.3, 0.8], 2, AIMS) == 2
    assert scaling.wish([0.55], 5, AIMS) == 5


def test_more_load_wishes_more_and_less_fewer() -> None:
    assert scaling.wish(even(3.0, 2), 2, AIMS) == 6
    assert scaling.wish(even(0.4, 4), 4, AIMS) == 1


def test_who_is_on_its_way_is_not_wished_twice() -> None:
    assert scaling.wish(even(3.0, 2), 6, AIMS) == 6


@given(st.floats(0.0, 40.0), st.integers(1, 50))
def test_a_steady_demand_comes_to_rest_at_once(demand: float, count: int) -> None:
    first = scaling.wish(even(demand, count), count, AIMS)
    assert scaling.wish(even(demand, first), first, AIMS) == first
