"""When no host is to blame for an application that fails, and what is forgotten of those that were."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dsmt_core.names import Application, Host
from planner.failed_nodes import Grace
from planner.fleet import ALL_FIT, Fits
from planner.wanted import Run, Wanted
from tests.unit.planner.test_misfits_in_detail import N0, N1, N2, OTHER, SECOND, Case, misfit, said
from tests.unit.planner.toy import APP, SLICE, pinger

# -- doubt ------------------------------------------------------------------------------------------------


def doubt(failing: int, of: int) -> dict[Application, str]:
    why = f"pinger 1.8-1 fails on {failing} of {of} hosts: the application itself fails, so nothing moves"
    return {APP: why}


def test_where_it_fails_on_more_hosts_than_it_runs_on_none_is_to_blame() -> None:
    case = Case()
    case.fail(N0, N1, N2)
    case.at(200.0)
    assert case.at(220.0) == {SLICE: Fits({}, doubt(3, 4))}
    assert case.judge.take_rows() == {}
    # Half of them is no such case.
    half = Case()
    half.fail(N0, N1)
    half.at(200.0)
    assert half.at(220.0) == {SLICE: Fits({N0: said(520.0), N1: said(520.0)}, {})}


def test_each_application_is_judged_by_itself() -> None:
    case = Case(Grace(stuck_s=20.0))
    slice_ = case.toy.slice
    second = replace(slice_.placements[0], application=SECOND)
    apps = {**slice_.applications, SECOND: replace(pinger(), name=SECOND)}
    case.toy.change(replace(slice_, applications=apps, placements=(*slice_.placements, second)))
    case.fail(N0, N1, N2)
    case.at(200.0)
    found = case.at(220.0)[SLICE]
    assert (found.doubts, [*found.out]) == (doubt(3, 4), [second.host])
    assert found.out[second.host].startswith("second 1.8-1 does not run here")


def test_the_only_host_may_be_to_blame() -> None:
    case = Case()
    slice_ = case.toy.slice
    case.toy.change(replace(slice_, placements=slice_.placements[:1], hosts={N0: slice_.hosts[N0]}))
    assert slice_.placements[0].host == N0
    case.fail(N0)
    case.at(200.0)
    assert case.out(220.0) == {N0: said(520.0)}


def test_who_is_left_alone_already_counts_among_those_that_fail() -> None:
    case = Case()
    case.fail(N0)
    case.at(200.0)
    case.at(220.0)
    slice_ = case.toy.slice
    rest = tuple(one for one in slice_.placements if one.host in {N1, N2})
    case.toy.change(replace(slice_, placements=rest, hosts={N1: 1, N2: 1}))
    case.fail(N1, now=230.0)
    case.at(230.0)
    # It fails on two of three; whoever is not of the slice any more is left alone all the same.
    assert case.at(250.0) == {SLICE: Fits({N0: said(520.0)}, doubt(2, 3))}
    case.at(519.75)
    # From now on it fails on one of two only.
    assert case.at(520.0) == {SLICE: Fits({N1: said(820.0)}, {})}


def test_what_fails_for_a_reason_that_is_not_of_this_release_does_not_count() -> None:
    case = Case()
    until = 9_999.0
    other = replace(misfit(0.0, until), application=SECOND)
    apps = {**case.toy.slice.applications, SECOND: replace(pinger(), name=SECOND)}
    case.toy.change(replace(case.toy.slice, applications=apps))
    case.judge.load({(SLICE, Host("x")): other, (OTHER, Host("y")): misfit(0.0, until)})
    case.fail(N0, N1)
    case.at(200.0)
    assert case.out(220.0).keys() == {N0, N1, "x"}


def test_whoever_is_left_alone_where_the_application_itself_fails_may_stay() -> None:
    case = Case()
    case.fail(N0)
    case.at(200.0)
    case.at(220.0)
    case.fail(N1, N2, now=230.0)
    assert case.at(230.0) == {SLICE: Fits({}, doubt(3, 4))}
    assert case.at(250.0) == {}


# -- what is forgotten ------------------------------------------------------------------------------------


def known(*where: Host) -> Case:
    case = Case()
    case.judge.load({(SLICE, host): misfit(150.0, 250.0) for host in where})
    return case


def test_a_host_is_forgiven_a_day_after_it_may_be_tried_again() -> None:
    case = known(N0)
    case.at(250.0 + 86_400.0)
    assert case.judge.take_rows() == {}
    case.at(250.25 + 86_400.0)
    assert case.judge.take_rows() == {(SLICE, N0): None}


@pytest.mark.parametrize(
    "other",
    [{"managed": False}, {"applications": {}, "placements": ()}, {"applications": {APP: pinger("1.9-1")}}],
)
def test_of_another_release_and_of_what_is_not_managed_nothing_is_kept(other: dict[str, Any]) -> None:
    case = known(N1)
    case.toy.change(replace(case.toy.slice, **other))
    case.at(201.0)
    assert case.judge.take_rows() == {(SLICE, N1): None}


def test_of_a_node_that_people_took_away_nothing_is_kept() -> None:
    case = known(N0, N1)
    case.toy.fleet.forget(N0)
    case.at(201.0)
    assert case.judge.take_rows() == {(SLICE, N0): None}


def test_of_a_slice_that_is_gone_nothing_is_kept_and_that_is_news_once() -> None:
    case = known(N1, N0)
    assert case.at(201.0)[SLICE].out.keys() == {N0, N1}
    case.toy.wanted = Wanted({})
    assert case.at(202.0) == {SLICE: ALL_FIT}
    assert [*case.judge.take_rows().items()] == [((SLICE, N0), None), ((SLICE, N1), None)]
    assert case.at(203.0) == {}


def test_what_was_waited_for_is_forgotten_with_its_application_and_with_its_slice() -> None:
    for without in (True, False):
        case = Case()
        case.fail(N0)
        case.at(200.0)
        whole = case.toy.wanted
        other = {SLICE: replace(case.toy.slice, applications={}, placements=())}
        case.toy.wanted = Wanted({} if without else other)
        case.at(210.0)
        case.toy.wanted = whole
        assert (case.at(215.0), case.at(234.75)) == ({}, {})
        assert case.out(235.0).keys() == {N0}


def test_what_is_not_managed_stopped_or_of_mixed_releases_is_not_judged() -> None:
    for change in ("managed", "stopped", "mixed"):
        case = Case()
        case.fail(N0)
        slice_ = case.toy.slice
        first, *others = slice_.placements
        changed = {
            "managed": replace(slice_, managed=False),
            "stopped": replace(slice_, placements=(replace(first, run=Run.STOPPED), *others)),
            "mixed": replace(slice_, placements=(*others[1:], first, replace(others[0], version="1.7-1"))),
        }
        case.toy.change(changed[change])
        case.at(200.0)
        assert (change, case.at(5_000.0)) == (change, {})
