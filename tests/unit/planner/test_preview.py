"""A preview says what rounds then do: the same hosts, in the same order, in the same steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from dsmt_core.names import Host, PlanName
from planner.fleet import NodeState
from planner.preview import Does, Preview, preview
from planner.wanted import WantedSlice
from tests.unit.planner.toy import LIMITED, Toy, hosts, plan, plans, wanted_slice

NUMBER = 8
Moved = tuple[Host, Does]


def look(toy: Toy, changed: WantedSlice) -> Preview:
    return preview(toy.wanted, changed, toy.fleet, sent=toy.sent, now=toy.now)


def done(toy: Toy, rounds: int = 30) -> Iterator[list[Moved]]:
    """What each round that changed a host did, in the order of its orders."""
    for _ in range(rounds):
        before = toy.slice.hosts.keys()
        round_ = toy.run(1)
        after = toy.slice.hosts.keys()
        moved = [(host, Does.STOP) for host in before - after]
        moved += [(host, Does.START) for host in after - before]
        ordered = [order.host for order in round_.orders]
        if moved:
            yield sorted(moved, key=lambda one: ordered.index(one[0]))


def foretold(found: Preview) -> list[list[Moved]]:
    steps: dict[int, list[Moved]] = {}
    for one in found.touched:
        steps.setdefault(one.step, []).append((one.host, one.does))
    return [steps[number] for number in sorted(steps)]


names = st.sets(st.sampled_from(hosts(NUMBER)), min_size=1)
counts = st.none() | st.integers(1, NUMBER)


def selecting(toy: Toy, those: set[Host], count: int | None) -> WantedSlice:
    """The slice with a plan of these nodes, or so many of them."""
    made = [plan("those", "nodes", list=",".join(sorted(those)))]
    if count is not None:
        made.append(plan("some", "limit", parent="those", count=str(count)))
    return replace(toy.slice, plans={**LIMITED, **plans(*made)}, plan=made[-1].name)


@settings(max_examples=60)
@given(names, counts, names, counts)
def test_rounds_do_what_was_foretold(
    first: set[Host], some: int | None, second: set[Host], others: int | None
) -> None:
    toy = Toy(NUMBER)
    toy.change(selecting(toy, first, some))
    toy.run()
    changed = selecting(toy, second, others)
    found = look(toy, changed)
    assert look(toy, changed) == found
    toy.change(changed)
    assert list(done(toy)) == foretold(found)
    assert found.stays + found.starts + found.moves == len(toy.slice.hosts)
    assert not look(toy, toy.slice).touched


def test_whoever_begins_for_another_waits_for_its_end() -> None:
    toy = Toy(6)
    toy.run()
    here = sorted(toy.running())
    there = set(toy.nodes) - toy.running()
    found = look(toy, selecting(toy, there, 3))
    assert (found.starts, found.stops, found.moves, found.stays) == (0, 0, 3, 0)
    assert [(one.host, one.does, one.step) for one in found.touched[:3]] == [
        (host, Does.STOP, 1) for host in here
    ]
    assert [(one.step, one.replaces) for one in found.touched[3:]] == [(2, host) for host in here]
    assert {one.reason.text for one in found.touched[:3]} == {"not named"}
    assert {one.reason.text for one in found.touched[3:]} == {"chosen"}


def test_where_there_is_room_somebody_begins_at_once_and_moves_nobody() -> None:
    toy = Toy(6)
    toy.run()
    found = look(toy, replace(toy.slice, plan_parameters={"count": "5"}))
    assert (found.starts, found.stops, found.moves, found.stays) == (2, 0, 0, 3)
    assert {one.step for one in found.touched} == {1}


def test_a_plan_that_is_not_filled_says_so_and_counts_what_is_missing() -> None:
    toy = Toy(4)
    toy.run()
    found = look(toy, replace(toy.slice, plan_parameters={"count": "9"}))
    assert (found.starts, found.missing) == (1, 5)
    assert any(one.reason.startswith("5 of 9 missing") for one in found.waiting)


def test_a_node_that_cannot_be_told_now_is_said_to_wait() -> None:
    toy = Toy(4)
    toy.run()
    gone = min(toy.running())
    toy.nodes[gone].deaf = toy.nodes[gone].mute = True
    toy.fleet.judge(gone, NodeState.FAILED)
    found = look(toy, toy.slice)
    (stop,) = (one for one in found.touched if one.does is Does.STOP)
    assert (stop.host, stop.waits) == (gone, "the sliver is to be deleted when the node is back")
    assert found.moves == 1
    assert next(one for one in found.touched if one.does is Does.START).step == 1


def test_a_slice_that_is_left_alone_is_touched_nowhere() -> None:
    toy = Toy(4)
    found = look(toy, replace(toy.slice, managed=False))
    assert not found.touched
    assert "not managed" in found.waiting[0].reason


def test_a_preview_changes_nothing_of_what_was_sent() -> None:
    toy = Toy(6)
    toy.run(1)
    for _ in range(3):
        look(toy, replace(toy.slice, plan_parameters={"count": "5"}))
    twin = Toy(6)
    twin.run(1)
    assert toy.run(12) == twin.run(12)


def test_the_index_stays_while_time_passes_and_changes_with_the_world() -> None:
    toy = Toy(6)
    toy.run()
    changed = replace(toy.slice, plan_parameters={"count": "2"})
    index = look(toy, changed).index
    toy.run(20, step=1.0)
    assert look(toy, changed).index == index
    assert look(toy, replace(toy.slice, plan_parameters={"count": "1"})).index != index
    toy.fleet.judge(max(toy.running()), NodeState.FAILED)
    assert look(toy, changed).index != index


def test_the_index_changes_when_people_change_the_slice() -> None:
    toy = Toy(6)
    toy.run()
    changed = replace(toy.slice, plan=PlanName("all_nodes"))
    index = look(toy, changed).index
    toy.change(replace(toy.slice, plan_parameters={"count": "2"}))
    assert look(toy, changed).index != index


def test_without_a_slice_before_everything_begins() -> None:
    toy = Toy(4, ())
    found = look(toy, wanted_slice())
    assert (found.starts, found.stays) == (3, 0)
