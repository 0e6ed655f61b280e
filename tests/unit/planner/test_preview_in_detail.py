"""What a preview says of one host, what it counts, and what its indices rest on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dsmt_core.errors import DsmtError
from dsmt_core.names import Application, Host, PlanName
from planner.fleet import NodeState
from planner.plans import Reason
from planner.preview import Does, Held, Preview, Touch, digest_of, form_of, preview
from planner.standing import Exclusion, Standing
from planner.steps import Waiting
from planner.wanted import Run, WantedSlice
from tests.unit.planner.toy import APP, LIMITED, SLICE, Toy, hosts, pinger, plan, plans, wanted_slice

N0, N1, N2, N3, N4, N5 = ALL = hosts(6)
BECAUSE = Reason("because", "those", "nodes")


def look(toy: Toy, changed: WantedSlice) -> Preview:
    return preview(toy.wanted, changed, toy.fleet, sent=toy.sent, now=toy.now)


def on(*those: Host, count: int = 0) -> WantedSlice:
    """A slice that is on these nodes, or on so many of them."""
    named = [plan("those", "nodes", list=",".join(those))]
    if count:
        named.append(plan("some", "limit", parent="those", count=str(count)))
    return replace(wanted_slice(named[-1].name), plans={**LIMITED, **plans(*named)})


def running(slice_: WantedSlice, count: int = 6) -> Toy:
    toy = Toy(count, (slice_,))
    toy.run()
    return toy


def changed(toy: Toy, to: WantedSlice) -> WantedSlice:
    """The slice as it is, with the plan of another."""
    return replace(toy.slice, plan=to.plan, plans=to.plans)


def told(found: Preview) -> list[tuple[Host, Does, int, Host]]:
    return [(one.host, one.does, one.step, one.replaces) for one in found.touched]


STOP, START = Does.STOP, Does.START
NONE = Host("")


def touch(host: Host, does: Does, step: int = 1, replaces: Host = NONE) -> Touch:
    return Touch(host=host, does=does, step=step, reason=BECAUSE, replaces=replaces)


def counting(*touched: Touch, held: tuple[Host, ...] = ()) -> Preview:
    return Preview(
        touched=touched,
        waiting=(),
        stays=0,
        asks=0,
        missing=0,
        held=tuple(Held(host, BECAUSE) for host in held),
        index="",
    )


def test_moves_are_counted_once_and_neither_as_starts_nor_as_stops() -> None:
    some = counting(
        touch(N0, STOP), touch(N1, STOP), touch(N2, STOP), touch(N3, START), touch(N4, START, 2, N0)
    )
    assert (some.moves, some.starts, some.stops) == (1, 1, 2)
    assert (counting().moves, counting().starts, counting().stops) == (0, 0, 0)


def test_who_goes_when_people_agree_has_a_digest_of_its_own() -> None:
    assert counting().held_index == ""
    assert counting(held=(N0, N1)).held_index == digest_of([N0, N1])
    assert digest_of([N0, N1]) != digest_of([N0]) != ""


def test_a_digest_is_short_and_the_same_for_what_is_written_alike() -> None:
    # What sha256sum says of ('a', 1).
    assert digest_of(("a", 1)) == "391d545b6971354e"


# -- who is touched ---------------------------------------------------------------------------------------


def test_who_leaves_is_told_before_who_joins_and_in_the_order_of_the_orders() -> None:
    toy = running(on(N0, N1, N2))
    found = look(toy, changed(toy, on(N1, N3, N4)))
    assert told(found) == [(N0, STOP, 1, NONE), (N2, STOP, 1, NONE), (N3, START, 2, N0), (N4, START, 2, N2)]
    assert (found.stays, found.asks, found.missing, found.held) == (1, 3, 0, ())
    assert found.waiting == ()
    assert [one.waits for one in found.touched] == [""] * 4
    assert {one.reason.text for one in found.touched[:2]} == {"not named"}
    assert {one.reason.text for one in found.touched[2:]} == {"named"}


def test_where_nothing_bounds_the_plan_nobody_begins_for_another() -> None:
    named = plans(plan("first", "nodes", list=N0), plan("rest", "minus", left="all_nodes", right="first"))
    toy = running(on(N0), 3)
    rest = replace(toy.slice, plan=PlanName("rest"), plans=named)
    assert told(look(toy, rest)) == [(N0, STOP, 1, NONE), (N1, START, 1, NONE), (N2, START, 1, NONE)]


def test_those_that_begin_last_begin_for_others() -> None:
    toy = running(on(N0, N1))
    found = look(toy, changed(toy, on(N1, N2, N3)))
    assert told(found) == [(N0, STOP, 1, NONE), (N2, START, 1, NONE), (N3, START, 2, N0)]
    assert (found.moves, found.starts, found.stops, found.stays) == (1, 1, 0, 1)
    fewer = look(toy, changed(toy, on(N3)))
    assert told(fewer) == [(N0, STOP, 1, NONE), (N1, STOP, 1, NONE), (N3, START, 2, N0)]
    assert (fewer.moves, fewer.starts, fewer.stops, fewer.stays) == (1, 0, 1, 0)


def test_a_host_that_was_forgotten_is_touched_and_no_plan_knows_why() -> None:
    toy = running(on(N0, N1))
    toy.fleet.forget(N0)
    found = look(toy, changed(toy, on(N1, N2)))
    [stop] = [one for one in found.touched if one.does is STOP]
    assert (stop.host, stop.reason, stop.step) == (N0, Reason("the node was forgotten", "", ""), 1)
    assert (found.stays, found.starts + found.moves) == (1, 1)


def test_a_host_that_cannot_be_told_waits_in_the_first_step_only() -> None:
    toy = running(on(N0, N1))
    toy.fleet.judge(N0, NodeState.FAILED)
    toy.fleet.judge(N3, NodeState.FAILED)
    found = look(toy, changed(toy, on(N2, N3)))
    waits = {one.host: (one.step, one.waits) for one in found.touched}
    assert waits[N0] == (1, "the sliver is to be deleted when the node is back")
    assert waits[N1] == (1, "")
    assert waits[N2][1] == ""
    later = [one for one in found.touched if one.step > 1]
    assert later
    assert {one.waits for one in later} == {""}


def test_an_earlier_generation_that_is_retired_is_counted_as_ended_in_the_next_step() -> None:
    toy = running(on(N0, N1))
    for host in (N0, N1):
        toy.nodes[host].deaf = True
    toy.change(changed(toy, on(N2, N3)))
    toy.run(2)
    assert toy.slice.retired.keys() == {N0, N1}
    found = look(toy, toy.slice)
    assert told(found) == [(N2, START, 1, NONE), (N3, START, 1, NONE)]


def test_who_is_out_of_service_goes_and_is_not_chosen() -> None:
    toy = running(on(N0, N1))
    toy.stand(Standing(excluded=Exclusion(by="ann", since=0.0, at_once=True)), N0, N2)
    found = look(toy, changed(toy, on(N0, N1, N2, N3)))
    assert told(found) == [(N0, STOP, 1, NONE), (N3, START, 1, N0)]
    assert (found.asks, found.stays) == (2, 1)
    assert [one.reason.function for one in found.touched] == ["standing", "nodes"]


# -- what is held back ------------------------------------------------------------------------------------


def test_who_goes_only_when_people_agree_is_told_with_the_reason() -> None:
    toy = running(on(*ALL, count=6))
    toy.slip(changed(toy, on(N0, N1, N2)))
    found = look(toy, toy.slice)
    assert told(found) == [(N3, STOP, 1, NONE)]
    assert [one.host for one in found.held] == [N4, N5]
    assert {one.reason.text for one in found.held} == {"not named"}
    assert {one.host for one in found.waiting if one.to_agree} == {N4, N5}
    assert found.held_index == digest_of([N4, N5])


def test_a_slice_that_is_not_managed_says_only_that() -> None:
    toy = running(on(N0, N1))
    found = look(toy, replace(changed(toy, on(N2)), managed=False))
    why = "the slice is not managed: nothing is touched until it is"
    assert found.waiting == (Waiting(slice=SLICE, reason=why),)
    assert (found.touched, found.stays, found.asks, found.held) == ((), 2, 1, ())


def test_what_is_missing_is_what_the_plan_asks_for_beyond_what_it_has() -> None:
    toy = running(on(N0, N1))
    found = look(toy, changed(toy, on(N0, N1, N2, count=5)))
    assert (found.asks, found.missing, found.stays) == (5, 2, 2)
    [why] = found.waiting
    assert why.reason.startswith("2 of 5 missing: only 3 nodes qualify")


def test_a_plan_that_was_not_checked_is_an_error() -> None:
    toy = Toy(2)
    with pytest.raises(DsmtError, match="nonsense"):
        look(toy, replace(toy.slice, plan=PlanName("nonsense")))


# -- what an index rests on -------------------------------------------------------------------------------


def test_a_slice_has_one_form() -> None:
    slice_ = replace(
        wanted_slice(
            apps={
                Application("second"): replace(
                    pinger("2.0-1"), name=Application("second"), run=Run.STOPPED, restarts=3
                ),
                APP: pinger(),
            }
        ),
        generation=7,
        plan_parameters={"of": "all", "count": "4"},
        hosts={N1: 2, N0: 1},
        retired={N3: 6, N2: 5},
    )
    assert form_of(slice_) == (
        SLICE,
        True,
        7,
        "only3",
        [("count", "4"), ("of", "all")],
        [
            ("good", "minus", [("left", "all_nodes"), ("right", "failed")]),
            ("only3", "limit", [("count", "3"), ("parent", "good")]),
        ],
        [("pinger", "1.8-1", "running", 0), ("second", "2.0-1", "stopped", 3)],
        [(N0, 1), (N1, 2)],
        [(N2, 5), (N3, 6)],
    )


@pytest.mark.parametrize(
    "other",
    [
        {"generation": 99},
        {"managed": False},
        {"plan_parameters": {"count": "2"}},
        {"plans": {**LIMITED, **plans(plan("idle", "failed"))}},
        {"applications": {}},
        {"retired": {N5: 1}},
    ],
)
def test_the_index_changes_with_whatever_people_change(other: dict[str, Any]) -> None:
    toy = running(wanted_slice())
    assert look(toy, replace(toy.slice, **other)).index != look(toy, toy.slice).index


def test_the_index_changes_with_the_slice_as_it_was() -> None:
    toy = running(wanted_slice())
    wish = replace(toy.slice, plan_parameters={"count": "2"})
    index = look(toy, wish).index
    toy.change(replace(toy.slice, plans={**LIMITED, **plans(plan("idle", "failed"))}))
    assert look(toy, wish).index != index
    toy.wanted = replace(toy.wanted, slices={})
    assert look(toy, wish).index != index


def test_the_index_changes_with_what_is_selected_what_is_missing_and_who_is_touched() -> None:
    toy = running(on(N0, N1, count=2))
    index = look(toy, toy.slice).index
    toy.fleet.forget(N5)
    assert look(toy, toy.slice).index == index, "nobody selects it"
    toy.fleet.forget(N1)
    assert look(toy, toy.slice).index != index
