"""Figures of a container are told when they are news, and again after a while."""

from __future__ import annotations

import pytest

from agents.container_manager.decide.figures import Figures
from dsmt_core.container import CPU_USE, DISK_QUOTA, ENFORCED, MEMORY_USE, PERIOD_S
from dsmt_core.names import Slice

ONE, TWO = Slice("one"), Slice("two")


@pytest.mark.parametrize(
    ("field", "before", "value"),
    [
        (MEMORY_USE, "100000", "111000"),
        (MEMORY_USE, "100000", "80000"),
        (CPU_USE, "0.10", "0.20"),
        (DISK_QUOTA, "1000", "1001"),
        (ENFORCED, "memory=cgroup1", "memory=none"),
    ],
)
def test_what_has_changed_enough_is_told(field: str, before: str, value: str) -> None:
    figures = Figures()
    assert figures.due(ONE, {field: before}, 100.0) == {field: before}
    assert figures.due(ONE, {field: value}, 160.0) == {field: value}


@pytest.mark.parametrize(
    ("field", "before", "value"),
    [
        (MEMORY_USE, "100000", "105000"),
        # A tenth of little is nothing.
        (MEMORY_USE, "2000", "2900"),
        (CPU_USE, "0.10", "0.14"),
        (ENFORCED, "memory=cgroup1", "memory=cgroup1"),
    ],
)
def test_what_has_not_is_kept(field: str, before: str, value: str) -> None:
    figures = Figures()
    figures.due(ONE, {field: before}, 100.0)
    assert figures.due(ONE, {field: value}, 160.0) == {}


def test_all_is_said_again_after_a_while_also_by_a_clock_that_was_set_back() -> None:
    figures = Figures()
    values = {ENFORCED: "memory=cgroup2"}
    figures.due(ONE, values, 100.0)
    assert not figures.due(ONE, values, 99.0 + PERIOD_S)
    assert figures.due(ONE, values, 100.0 + PERIOD_S) == values
    assert figures.due(ONE, values, 50.0) == values


def test_what_is_not_known_is_not_told() -> None:
    assert Figures().due(ONE, {MEMORY_USE: "", ENFORCED: "x"}, 1.0) == {ENFORCED: "x"}


def test_slow_growth_is_noticed_although_no_step_is_large() -> None:
    figures = Figures()
    told = [
        amount
        for amount in range(100_000, 200_000, 2_000)
        if figures.due(ONE, {MEMORY_USE: str(amount)}, 1.0)
    ]
    assert len(told) in range(5, 12)


def test_a_sliver_that_went_and_came_is_told_anew_and_all_after_a_silence() -> None:
    figures = Figures()
    values = {ENFORCED: "x"}
    for name in (ONE, TWO):
        figures.due(name, values, 1.0)
    figures.keep([TWO])
    assert figures.due(ONE, values, 2.0) == values
    assert not figures.due(TWO, values, 2.0)
    figures.forget_all()
    assert figures.due(TWO, values, 3.0) == values
