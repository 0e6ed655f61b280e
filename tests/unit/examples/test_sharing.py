"""Who does what in the example of shared work: the laws of its one decision."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import example

sharing = example("shared_work", "sharing")
ITEMS = [f"item-{number}" for number in range(20)]
TEN = [f"h{number}.example.org/s/shared_work" for number in range(10)]
INSTANCES = st.sets(st.sampled_from(TEN), min_size=1, max_size=5)


def shares(living: set[str]) -> dict[str, frozenset[str]]:
    """What each of the living takes, when all hear all."""
    return {me: sharing.share(ITEMS, living, me, before=frozenset(), heard=True) for me in living}


@settings(max_examples=50)
@given(INSTANCES)
def test_each_item_is_done_by_exactly_one(living: set[str]) -> None:
    assert Counter(item for taken in shares(living).values() for item in taken) == Counter(ITEMS)


@settings(max_examples=50)
@given(INSTANCES, st.sampled_from(TEN))
def test_one_that_dies_leaves_its_items_and_no_other_moves(living: set[str], dead: str) -> None:
    before = shares(living | {dead})
    remaining = shares(living - {dead}) if living - {dead} else {}
    for me, taken in remaining.items():
        assert taken >= before[me]
        assert taken - before[me] <= before[dead]


@settings(max_examples=50)
@given(INSTANCES, st.sampled_from(TEN))
def test_one_that_returns_takes_back_what_it_had(living: set[str], back: str) -> None:
    before = shares(living | {back})
    assert shares((living - {back}) | {back}) == before


def test_nobody_has_far_too_much() -> None:
    assert max(len(taken) for taken in shares(set(TEN)).values()) <= 3 * len(ITEMS) // len(TEN)


@settings(max_examples=50)
@given(INSTANCES, st.sampled_from(TEN), st.frozensets(st.sampled_from(ITEMS)))
def test_whoever_has_not_listened_keeps_what_it_had(
    living: set[str], me: str, before: frozenset[str]
) -> None:
    assert sharing.share(ITEMS, living, me, before=before, heard=False) == before


@settings(max_examples=50)
@given(INSTANCES, st.sampled_from(TEN))
def test_it_counts_itself_before_it_has_heard_itself(living: set[str], me: str) -> None:
    assert sharing.share(ITEMS, living - {me}, me, before=frozenset(), heard=True) == sharing.share(
        ITEMS, living | {me}, me, before=frozenset(), heard=True
    )
