"""Health travels as pairs, and only what matters is told at once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from dsmt_core.health import (
    Condition,
    Refused,
    health_pairs,
    matters,
    read_health,
    read_refusals,
    told_refusals,
)

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


@given(st.lists(st.tuples(st.text(max_size=300), st.text(max_size=300)), max_size=4), st.integers(0, 10**9))
def test_what_was_refused_is_told_and_read(said: list[tuple[str, str]], others: int) -> None:
    kinds = [Refused.of(user=user, exchange="psepr", at="a.b", reason=reason) for user, reason in said]
    text = told_refusals(kinds, others)
    assert read_refusals(text) == [*kinds, *([Refused(times=others)] if others else [])]
    assert read_health(health_pairs(Condition(refused=1, refusals=text))).refusals == text


@given(st.one_of(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)))
def test_whatever_is_told_of_refusals_raises_nothing(text: str) -> None:
    assert all(one.times >= 1 for one in read_refusals(text))


def test_a_telling_of_refusals_is_bounded() -> None:
    line = [1, "u", "e", "k", "r"]
    assert len(read_refusals(json.dumps([line] * 100))) == 8
    assert read_refusals(json.dumps([line] * 10_000)) == []
    assert read_refusals("[" * 10_000) == []
