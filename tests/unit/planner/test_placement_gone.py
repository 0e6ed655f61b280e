"""What is known to be gone from a host, and which nodes on probation have given up what moved away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from dsmt_core.names import Slice
from dsmt_core.nodes import digest
from planner.fleet import NodeState
from planner.placement import is_gone, unproven
from planner.wanted import WantedSlice
from tests.unit.planner.test_placement import N0, OTHER, empty, hold, on, say
from tests.unit.planner.toy import SLICE, Toy, wanted_slice

# -- what is known to be gone -----------------------------------------------------------------------------


def retired(generation: int = 5) -> WantedSlice:
    return replace(wanted_slice(), retired={N0: generation})


@pytest.mark.parametrize(
    ("gone", "carried_out"),
    [
        ({SLICE: 5}, True),
        ({SLICE: 6}, True),
        ({SLICE: 4}, False),
        ({}, False),
        ({OTHER: 9}, False),
    ],
)
def test_a_sliver_is_gone_when_the_node_carried_out_the_order(
    gone: Mapping[Slice, int], *, carried_out: bool
) -> None:
    toy = Toy(1, (retired(),))
    empty(toy, N0, gone)
    assert is_gone(toy.slice, toy.fleet, N0) is carried_out
    assert is_gone(toy.slice, toy.fleet, N0, heard_since=True)


def test_a_node_that_never_gave_anything_up_has_not_carried_out_the_first_order() -> None:
    toy = Toy(1, (retired(0),))
    assert not is_gone(toy.slice, toy.fleet, N0)
    toy.change(retired(-1))
    assert is_gone(toy.slice, toy.fleet, N0)


def test_a_sliver_that_is_held_is_not_gone_whatever_was_given_up() -> None:
    toy = Toy(1, (retired(),))
    hold(toy, N0, SLICE, gone={SLICE: 9})
    assert not is_gone(toy.slice, toy.fleet, N0, heard_since=True)
    hold(toy, N0, OTHER, gone={SLICE: 9})
    assert is_gone(toy.slice, toy.fleet, N0)


def test_of_a_node_that_has_not_spoken_nothing_is_known_to_be_gone() -> None:
    toy = Toy(0, (retired(),))
    assert not is_gone(toy.slice, toy.fleet, N0, heard_since=True)
    toy.fleet.join(N0, now=toy.now)
    assert not is_gone(toy.slice, toy.fleet, N0, heard_since=True)
    toy.fleet.forget(N0)
    assert is_gone(toy.slice, toy.fleet, N0)


def test_what_was_loaded_at_a_start_is_not_believed() -> None:
    before = Toy(1)
    empty(before, N0, {SLICE: 9})
    toy = Toy(0, (retired(),))
    toy.fleet.load(before.fleet.take_rows(), now=toy.now)
    assert not is_gone(toy.slice, toy.fleet, N0, heard_since=True)


# -- who may end its probation ----------------------------------------------------------------------------


def on_probation(slice_: WantedSlice, *held: Slice, gone: Mapping[Slice, int] | None = None) -> Toy:
    """One node on probation that has said what it holds."""
    toy = Toy(2, (slice_,))
    toy.nodes[N0].slivers, toy.nodes[N0].gone = dict.fromkeys(held, 1), dict(gone or {})
    say(toy, N0)
    toy.fleet.judge(N0, NodeState.PROBATION)
    return toy


def test_one_that_holds_what_it_should_is_proven() -> None:
    toy = on_probation(on(wanted_slice(), N0), SLICE, Slice("of_nobody"))
    assert unproven(toy.wanted, toy.fleet) == frozenset()
    assert unproven(toy.wanted, on_probation(wanted_slice()).fleet) == frozenset()


def test_one_that_holds_what_was_moved_away_is_not() -> None:
    toy = on_probation(wanted_slice(), SLICE)
    assert unproven(toy.wanted, toy.fleet) == {N0}
    toy.change(replace(toy.slice, managed=False))
    assert unproven(toy.wanted, toy.fleet) == frozenset()


def test_one_that_has_not_said_that_it_gave_up_what_was_moved_away_is_not() -> None:
    toy = on_probation(retired())
    assert unproven(toy.wanted, toy.fleet) == {N0}
    given_up = on_probation(retired(), gone={SLICE: 5})
    assert unproven(given_up.wanted, given_up.fleet) == frozenset()


def test_every_slice_counts() -> None:
    other = replace(wanted_slice(), name=OTHER)
    toy = on_probation(on(wanted_slice(), N0), SLICE, other.name)
    toy.change(replace(other, managed=False))
    assert unproven(toy.wanted, toy.fleet) == frozenset()
    toy.change(other)
    assert unproven(toy.wanted, toy.fleet) == {N0}


def test_one_whose_heartbeats_tell_something_else_or_that_has_said_nothing_is_not() -> None:
    toy = on_probation(wanted_slice())
    toy.fleet.heard(N0, digest({SLICE: 7}), now=toy.now)
    assert unproven(toy.wanted, toy.fleet) == {N0}
    silent = Toy(0)
    silent.fleet.join(N0, now=0.0)
    silent.fleet.judge(N0, NodeState.PROBATION)
    assert unproven(silent.wanted, silent.fleet) == {N0}


def test_only_nodes_on_probation_are_asked() -> None:
    toy = on_probation(wanted_slice(), SLICE)
    toy.fleet.judge(N0, NodeState.FAILED)
    assert unproven(toy.wanted, toy.fleet) == frozenset()
    toy.fleet.judge(N0, NodeState.ALIVE)
    assert unproven(toy.wanted, toy.fleet) == frozenset()
