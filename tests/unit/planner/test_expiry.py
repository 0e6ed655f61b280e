"""The end of slices: who is told, and what is deleted when."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from dsmt_core.names import Slice
from planner.expiry import DAY_S, Stage, Warned, due, end_of, stage, warned_on

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


@dataclass
class Town:
    """A planner that runs, is ended, and starts again with whatever clock; real time goes on."""

    end: float
    grace: float
    real: float = 0.0
    ran: float = 0.0
    told: dict[Slice, tuple[float, Stage]] = field(default_factory=dict)
    warned: dict[Slice, Warned] = field(default_factory=dict)
    passed_at: float | None = None
    deleted: bool = False

    def look(self, now: float, passed: float) -> None:
        ends = {S: self.end}
        self.warned = warned_on(self.warned, ends, self.told, now=now, passed=passed)
        found = due(ends, self.told, self.warned, now=now, grace=self.grace)
        if found.delete:
            assert not found.tell
            assert now >= self.end + self.grace
            assert self.passed_at is not None
            assert self.ran - self.passed_at >= self.grace * 0.999
            self.deleted = True
        for name in found.tell:
            near = stage(self.end, now, self.grace)
            assert self.told.get(name) != (self.end, near)
            self.told[name] = (self.end, near)
            if near in {Stage.OVER, Stage.GONE} and self.passed_at is None:
                self.passed_at = self.ran
        if now < self.end:
            self.passed_at = None


RUN = st.tuples(st.floats(-60 * DAY_S, 60 * DAY_S), st.lists(st.floats(0, 2 * DAY_S), max_size=20))


@given(st.lists(RUN, max_size=8), st.floats(0, 30 * DAY_S), st.sampled_from([60.0, DAY_S, 7 * DAY_S]))
def test_whatever_the_clock_says_people_were_really_warned_for_the_grace_time(
    runs: list[tuple[float, list[float]]], end: float, grace: float
) -> None:
    town = Town(end, grace)
    for wrong, pauses in runs:
        town.told.clear()
        town.look(town.real + wrong, 0.0)
        for pause in pauses:
            town.real += pause
            town.ran += pause
            town.look(town.real + wrong, pause)


def test_with_a_right_clock_a_slice_goes_when_its_grace_time_ends() -> None:
    town = Town(DAY_S, DAY_S)
    while not town.deleted:
        town.real += 60.0
        town.ran += 60.0
        town.look(town.real, 60.0)
    assert town.real <= 2 * DAY_S + 180.0


def test_who_renews_is_told_again_and_not_deleted() -> None:
    gone, warned = {S: (0.0, Stage.GONE)}, {S: Warned(0.0, DAY_S)}
    assert due({S: 0.0}, gone, warned, now=9 * DAY_S, grace=DAY_S).delete == (S,)
    assert not due({S: 99 * DAY_S}, gone, warned, now=9 * DAY_S, grace=DAY_S).delete
    assert not due({}, gone, warned, now=9 * DAY_S, grace=DAY_S).delete
    for short in ({}, {S: Warned(0.0, DAY_S - 1)}, {S: Warned(1.0, DAY_S)}):
        assert not due({S: 0.0}, gone, short, now=9 * DAY_S, grace=DAY_S).delete


def test_how_long_a_slice_may_be_wanted() -> None:
    assert end_of(None, 5.0) is None
    assert end_of(60.0, 5.0) == 65.0
    for wrong in (0.0, -1.0, 367 * DAY_S, float("nan"), float("inf")):
        with pytest.raises(Invalid):
            end_of(wrong, 5.0)
