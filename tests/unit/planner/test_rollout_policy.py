"""Waves, thresholds and deadlines as people write them."""

from __future__ import annotations

import pytest

from dsmt_core.errors import Invalid
from planner.rollout import DEFAULT, Policy, policy


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


AMOUNT = "a number of hosts, such as 3, or a part of all, such as 10%"
ASCEND = "such as 1,10%,50%,100%"
SECONDS = "to 604800 seconds"


@pytest.mark.parametrize(
    ("waves", "message", "hint"),
    [
        *(
            ([text], f"{text[:40]!r} is not a wave", AMOUNT)
            for text in ("0", "0%", "101%", "-1", "one", "1.5", "", "1e3", "99999999999", "%", "x" * 50)
        ),
        (["5", "3"], "the waves 5,3,100% do not ascend", ASCEND),
        (["10%", "10%"], "the waves 10%,10%,100% do not ascend", ASCEND),
        (["1", "10%", "1"], "the waves 1,10%,1,100% do not ascend", ASCEND),
        ([str(number) for number in range(1, 21)], "21 waves are too many", "at most 20"),
    ],
)
def test_what_is_no_wave_is_refused(waves: list[str], message: str, hint: str) -> None:
    with pytest.raises(Invalid) as refused:
        policy(waves)
    assert (refused.value.message, refused.value.hint) == (message, hint)


LATER = "a deadline counts from when the host is told; make it longer"


@pytest.mark.parametrize(
    ("wrong", "message", "hint"),
    [
        ({"min_healthy_s": -1.0}, "the minimum healthy time is -1 s", f"it takes 0 {SECONDS}"),
        ({"min_healthy_s": float("nan")}, "the minimum healthy time is nan s", f"it takes 0 {SECONDS}"),
        ({"deadline_s": 0.0}, "the deadline is 0 s", f"it takes 1 {SECONDS}"),
        ({"deadline_s": 604_801.0}, "the deadline is 604801 s", f"it takes 1 {SECONDS}"),
        ({"deadline_s": float("inf")}, "the deadline is inf s", f"it takes 1 {SECONDS}"),
        (
            {"min_healthy_s": 60.0, "deadline_s": 60.0},
            "the deadline of 60 s passes before a host can be healthy for 60 s",
            LATER,
        ),
        ({"errors": "none"}, "'none' is not the number of errors", AMOUNT),
        ({"errors": "0"}, "'0' is not the number of errors", AMOUNT),
        ({"need": "3"}, "'3' is not a part of a wave", "such as 90%"),
        ({"need": "9" * 9}, f"{'9' * 9!r} is not a part of a wave", "such as 90%"),
        ({"need": "0%"}, "'0%' is not the part of a wave that is needed", AMOUNT),
    ],
)
def test_thresholds_that_make_no_sense_are_refused(
    wrong: dict[str, float | str], message: str, hint: str
) -> None:
    with pytest.raises(Invalid) as refused:
        policy(["1"], **wrong)  # type: ignore[arg-type]
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_the_bounds_themselves_are_legal() -> None:
    most = policy(
        [str(number) for number in range(1, 20)],
        min_healthy_s=0.0,
        deadline_s=604_800.0,
        errors="3",
        need="75%",
    )
    assert len(most.waves) == 20
    assert (most.min_healthy_s, most.deadline_s, most.need) == (0.0, 604_800.0, 75.0)
    assert str(most.errors) == "3"
    assert policy(min_healthy_s=0.5, deadline_s=1.0).deadline_s == 1.0


def test_what_nobody_chose_is_as_it_is_by_default() -> None:
    assert policy() == DEFAULT == Policy()
    assert policy(["100%"]) == policy()


def test_errors_are_rounded_down_so_that_they_fit_the_budget_and_are_one_at_least() -> None:
    assert [policy().too_many(hosts) for hosts in (0, 5, 10, 19, 100)] == [1, 1, 1, 1, 10]
    assert policy(errors="3").too_many(2) == 3


def test_of_a_wave_so_many_are_needed() -> None:
    chosen = policy(need="90%")
    assert [chosen.needed(members) for members in (0, 1, 9, 10, 11, 100)] == [0, 1, 9, 9, 10, 90]
