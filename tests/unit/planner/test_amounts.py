"""Numbers and percentages: how people write them, and which way they are rounded."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.names import Host, PlanName
from planner.amount import Amount, Rounding, read_amount
from planner.plans import evaluate
from tests.unit.planner.worlds import world_of

UP, DOWN = Rounding.UP, Rounding.DOWN
HOSTS = [Host(f"n{number}.example.org") for number in range(100)]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("3", Amount(3)),
        ("0", Amount(0)),
        (" 3 ", Amount(3)),
        ("999999999", Amount(999_999_999)),
        ("10%", Amount(10, percent=True)),
        ("10 %", Amount(10, percent=True)),
        ("0.5%", Amount(0.5, percent=True)),
        ("0%", Amount(0, percent=True)),
        ("100.0%", Amount(100, percent=True)),
    ],
)
def test_an_amount_is_a_number_or_a_percentage(text: str, amount: Amount) -> None:
    assert read_amount(text) == amount
    assert read_amount(str(amount)) == amount


@pytest.mark.parametrize(
    "text",
    ["", "%", "-1", "1.5", "1e3", "1e1%", "101%", "100.1%", "nan%", "5%%", "5 5%", "٣", "9" * 10, "3\n"],
)
def test_what_is_no_amount_is_none(text: str) -> None:
    assert read_amount(text) is None


@pytest.mark.parametrize(
    ("text", "whole", "up", "down"),
    [
        ("10%", 0, 0, 1),
        ("10%", 1, 1, 1),
        ("10%", 19, 2, 1),
        ("10%", 20, 2, 2),
        ("25%", 10, 3, 2),
        ("0%", 10, 0, 0),
        ("100%", 7, 7, 7),
        ("3", 2, 3, 3),
        ("0", 2, 0, 0),
    ],
)
def test_what_must_be_there_is_rounded_up_and_what_may_be_lost_down_but_to_one(
    text: str, whole: int, up: int, down: int
) -> None:
    amount = read_amount(text)
    assert amount is not None
    assert (amount.of(whole, UP), amount.of(whole, DOWN)) == (up, down)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_percentage_is_exact_in_the_digits_that_were_written(hundredths: int, whole: int) -> None:
    percent = Decimal(hundredths) / 100
    amount = read_amount(f"{percent}%")
    assert amount is not None
    exact = percent * whole / 100
    assert amount.of(whole, UP) == exact.to_integral_value("ROUND_CEILING")
    below = int(exact.to_integral_value("ROUND_FLOOR"))
    assert amount.of(whole, DOWN) == (max(below, 1) if hundredths else 0)


@pytest.mark.parametrize("percent", ["7", "14", "28", "55", "56"])
def test_a_limit_of_a_hundred_nodes_takes_as_many_as_its_percentage_says(percent: str) -> None:
    # As floats these are a little more than they say, and one node more came.
    found = evaluate(PlanName("limit"), {"percent": percent}, {}, world_of(HOSTS))
    assert len(found.hosts) == int(percent)
