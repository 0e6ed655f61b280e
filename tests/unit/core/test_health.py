"""Health travels as pairs, and only what matters is told at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from dsmt_core.health import Condition, health_pairs, matters, read_health

COUNT = st.integers(0, 10**12)


@given(COUNT, COUNT, COUNT, st.floats(0, 1e6))
def test_what_is_told_is_read_back(dropped: int, lost: int, outbox: int, lag: float) -> None:
    told = Condition(dropped=dropped, lost=lost, outbox=outbox, lag_s=lag, link="blocked")
    read = read_health(health_pairs(told))
    assert replace(read, lag_s=0) == replace(told, lag_s=0)
    assert read.lag_s == pytest.approx(lag, abs=0.001)


@pytest.mark.parametrize("pairs", [{"dropped": "many"}, {"lost": "-1"}, {"lag": "nan"}, {"lag": "late"}])
def test_odd_numbers_are_refused(pairs: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="is not a"):
        read_health({"link": "connected", **pairs})


@pytest.mark.parametrize(
    ("changed", "at_once"),
    [
        ({"link": "blocked"}, True),
        ({"connects": 2}, True),
        ({"dropped": 1}, True),
        ({"refused": 1}, True),
        ({"lost": 1}, True),
        ({"lag_s": 1.5}, True),
        ({"lag_s": 0.9}, False),
        ({"unconfirmed": 7}, False),
        ({"outbox": 7}, False),
    ],
)
def test_only_what_matters_is_told_at_once(changed: dict[str, object], at_once: bool) -> None:  # noqa: FBT001
    before = Condition(connects=1)
    assert matters(before, replace(before, **changed)) is at_once  # type: ignore[arg-type]
