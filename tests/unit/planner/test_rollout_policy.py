"""Waves, thresholds and deadlines as people write them."""

from __future__ import annotations

import pytest

from dsmt_core.errors import Invalid
from planner.rollout import policy


def test_waves_ascend_and_end_with_all() -> None:
    waves = policy(["1", "10%", "50%"]).waves
    assert [str(one) for one in waves] == ["1", "10%", "50%", "100%"]
    assert [str(one) for one in policy().waves] == ["100%"]


@pytest.mark.parametrize(
    ("hosts", "targets"),
    [
        (0, [0, 0, 0, 0]),
        (1, [1, 1, 1, 1]),
        (5, [1, 1, 3, 5]),
        (25, [1, 3, 13, 25]),
        (1000, [1, 100, 500, 1000]),
    ],
)
def test_a_wave_is_rounded_up_and_never_smaller_than_the_one_before(hosts: int, targets: list[int]) -> None:
    chosen = policy(["1", "10%", "50%", "100%"])
    assert [chosen.target(wave, hosts) for wave in range(4)] == targets


def test_a_count_above_a_later_percentage_keeps_its_number() -> None:
    chosen = policy(["3", "10%"])
    assert [chosen.target(wave, 10) for wave in range(3)] == [3, 3, 10]


@pytest.mark.parametrize(
    "waves",
    [
        ["0"],
        ["0%"],
        ["101%"],
        ["-1"],
        ["one"],
        ["1.5"],
        [""],
        ["5", "3"],
        ["10%", "10%"],
        ["1"] * 30,
        ["1e3"],
        ["99999999999"],
        ["%"],
    ],
)
def test_what_is_no_wave_is_refused(waves: list[str]) -> None:
    with pytest.raises(Invalid):
        policy(waves)


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_healthy_s": -1.0},
        {"min_healthy_s": float("nan")},
        {"deadline_s": 0.0},
        {"deadline_s": float("inf")},
        {"min_healthy_s": 60.0, "deadline_s": 60.0},
        {"errors": "none"},
        {"errors": "0"},
        {"need": "3"},
        {"need": "0%"},
    ],
)
def test_thresholds_that_make_no_sense_are_refused(wrong: dict[str, float | str]) -> None:
    with pytest.raises(Invalid):
        policy(["1"], **wrong)  # type: ignore[arg-type]


def test_errors_are_rounded_down_so_that_they_fit_the_budget_and_are_one_at_least() -> None:
    assert [policy().too_many(hosts) for hosts in (0, 5, 10, 19, 100)] == [1, 1, 1, 1, 10]
    assert policy(errors="3").too_many(2) == 3


def test_of_a_wave_so_many_are_needed() -> None:
    chosen = policy(need="90%")
    assert [chosen.needed(members) for members in (0, 1, 9, 10, 11, 100)] == [0, 1, 9, 9, 10, 90]
