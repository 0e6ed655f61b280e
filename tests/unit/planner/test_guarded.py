"""The guard rails of a slice: what is refused, what is said then, and how they are kept."""

from __future__ import annotations

import pytest

from dsmt_core.errors import Conflict
from dsmt_core.guards import Guard
from planner.guarded import Guarded, read, written

RAILS = Guard(least=2, most=10, step=2, cool_down_s=30.0)
WRITTEN = {"least": 2, "most": 10, "step": 2, "cool_down_s": 30.0, "changed_at": 90.0}
HINT = "ask for less at once, or later; a pi sets other rails: dsmtc guard"


@pytest.mark.parametrize(
    ("current", "asked", "changed_at", "why"),
    [
        (3, 6, 0.0, "from 3 to 6 is more than 2 at once"),
        (9, 11, 0.0, "11 would be more than 10"),
        (3, 1, 0.0, "1 would be fewer than 2"),
        (3, 4, 90.0, "the last change was 10 s ago; wait another 20 s"),
    ],
)
def test_what_the_rails_do_not_allow_is_a_conflict_that_says_which(
    current: int, asked: int, changed_at: float, why: str
) -> None:
    with pytest.raises(Conflict) as refused:
        Guarded(RAILS, changed_at).check(current, asked, now=100.0)
    rails = "at least 2, at most 10, 2 at once, every 30 s"
    assert refused.value.message == f"the guard rails of the slice ({rails}) do not allow it: {why}"
    assert refused.value.hint == HINT


@pytest.mark.parametrize(("changed_at", "now"), [(70.0, 100.0), (0.0, 10.0), (0.0, 0.0)])
def test_rails_that_were_never_changed_under_need_no_cooling_down(changed_at: float, now: float) -> None:
    Guarded(RAILS, changed_at).check(3, 5, now=now)


def test_rails_are_read_as_they_were_written() -> None:
    guarded = Guarded(RAILS, 90.0)
    assert written(guarded) == WRITTEN
    assert read(WRITTEN) == guarded
    assert (written(None), read({})) == ({}, None)
    assert Guarded(RAILS).changed_at == 0.0
