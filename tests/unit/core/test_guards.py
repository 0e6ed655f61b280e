"""Guard rails: what a wish becomes, and what is refused; the one never contradicts the other."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from dsmt_core.guards import Guard, Ruled

RAILS = Guard(least=2, most=10, step=2, cool_down_s=30)


def rails(least: int, room: int | None, step: int, cool_down_s: float) -> Guard:
    most = 0 if room is None else max(least + room, 1)
    return Guard(least=least, most=most, step=step, cool_down_s=cool_down_s)


guards = st.builds(
    rails,
    st.integers(0, 30),
    st.none() | st.integers(0, 20),
    st.integers(0, 9),
    st.sampled_from([0.0, 5.0, 60.0]),
)
counts = st.integers(0, 60)
times = st.floats(0, 200)


@pytest.mark.parametrize(
    ("current", "wished", "ruled"),
    [
        (4, 4, Ruled(4, "")),
        (4, 5, Ruled(5, "")),
        (4, 9, Ruled(6, "at most 2 at once")),
        (4, 0, Ruled(2, "at least 2")),
        (9, 50, Ruled(10, "at most 10")),
        (10, 50, Ruled(10, "at most 10")),
        (2, 1, Ruled(2, "at least 2")),
        (0, 0, Ruled(2, "at least 2")),
        (20, 20, Ruled(18, "at most 2 at once")),
    ],
)
def test_a_wish_is_bounded(current: int, wished: int, ruled: Ruled) -> None:
    assert RAILS.decide(current, wished, now=100.0) == ruled


def test_a_wish_waits_until_it_has_cooled_down() -> None:
    assert RAILS.decide(4, 5, now=100.0, changed_at=90.0) == Ruled(4, "it cools down for another 20 s")
    assert RAILS.decide(4, 5, now=120.0, changed_at=90.0) == Ruled(5, "")
    assert RAILS.decide(4, 5, now=80.0, changed_at=90.0) == Ruled(5, "")


@pytest.mark.parametrize(
    ("current", "asked", "refusal"),
    [
        (3, 1, "1 would be fewer than 2"),
        (9, 11, "11 would be more than 10"),
        (3, 6, "from 3 to 6 is more than 2 at once"),
        (3, 5, ""),
        (3, 2, ""),
        (9, 10, ""),
        (1, 1, ""),
        (0, 1, ""),
        (14, 12, ""),
        (14, 11, "from 14 to 11 is more than 2 at once"),
    ],
)
def test_what_is_outside_of_the_rails_is_refused_and_what_comes_nearer_is_not(
    current: int, asked: int, refusal: str
) -> None:
    assert RAILS.refusal(current, asked, now=100.0) == refusal


def test_what_comes_too_soon_is_refused() -> None:
    soon = "the last change was 10 s ago; wait another 20 s"
    assert RAILS.refusal(3, 4, now=100.0, changed_at=90.0) == soon
    assert RAILS.refusal(3, 3, now=100.0, changed_at=90.0) == ""
    assert RAILS.refusal(3, 4, now=100.0, changed_at=70.0) == ""
    at_once = "the last change was 0 s ago; wait another 30 s"
    assert RAILS.refusal(3, 4, now=100.0, changed_at=100.0) == at_once


@given(guards, counts, counts, times, times)
def test_what_is_decided_is_never_refused(
    guard: Guard, current: int, wished: int, now: float, changed_at: float
) -> None:
    ruled = guard.decide(current, wished, now=now, changed_at=changed_at)
    assert guard.refusal(current, ruled.count, now=now, changed_at=changed_at) == ""
    assert ruled.reason or ruled.count == wished


@given(guards, st.integers(0, 60), st.lists(counts, max_size=40))
def test_a_mad_planner_empties_and_floods_nothing(guard: Guard, current: int, asked: list[int]) -> None:
    current = max(guard.least, min(current, guard.most or 60))
    now = changed_at = 0.0
    for wish in asked:
        now += 1.0
        if not guard.refusal(current, wish, now=now, changed_at=changed_at) and wish != current:
            assert abs(wish - current) <= (guard.step or 100)
            assert now - changed_at >= guard.cool_down_s
            current, changed_at = wish, now
        assert current >= guard.least
        assert not guard.most or current <= guard.most


@given(guards, st.integers(0, 60), st.integers(0, 60))
def test_a_wish_that_stays_is_reached(guard: Guard, current: int, wished: int) -> None:
    now, changed_at = 0.0, -math.inf
    for _ in range(100):
        count = guard.decide(current, wished, now=now, changed_at=changed_at).count
        if count != current:
            current, changed_at = count, now
        now += 100.0
    assert current == max(min(wished, guard.most or 60), guard.least)


WHOLE = "it takes a whole number from 0 to 1000000"
SECONDS = "it takes seconds, at most a week"


@pytest.mark.parametrize(
    ("wrong", "message", "hint"),
    [
        ({"least": -1}, "least is -1", WHOLE),
        ({"most": 1_000_001}, "most is 1000001", WHOLE),
        ({"step": -3}, "step is -3", WHOLE),
        ({"least": 5, "most": 4}, "at least 5 and at most 4 cannot both be kept", ""),
        ({"cool_down_s": -1.0}, "cool-down is -1", SECONDS),
        ({"cool_down_s": 604_801.0}, "cool-down is 604801", SECONDS),
        ({"cool_down_s": math.nan}, "cool-down is nan", SECONDS),
        ({"cool_down_s": math.inf}, "cool-down is inf", SECONDS),
    ],
)
def test_rails_that_cannot_be_kept_are_refused(wrong: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(Invalid) as refused:
        Guard(**wrong)
    assert (refused.value.message, refused.value.hint or "") == (message, hint)


def test_the_widest_and_the_narrowest_rails_are_legal() -> None:
    Guard(least=1_000_000, most=1_000_000, step=1_000_000, cool_down_s=604_800.0)
    assert Guard(least=4, most=4).decide(0, 9, now=0.0) == Ruled(4, "at most 4")


def test_rails_in_words() -> None:
    assert RAILS.text == "at least 2, at most 10, 2 at once, every 30 s"
    assert Guard().text == "none"
