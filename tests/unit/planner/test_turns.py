"""Turns in detail: what a verb changes, what it leaves alone, and what it says when it is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.commands import Verb
from dsmt_core.errors import DsmtError, Invalid, NotFound
from dsmt_core.names import Application, Host
from dsmt_core.packages import PackageRef
from planner.turns import turn
from planner.wanted import Placement, Run, WantedSlice
from tests.unit.planner.toy import APP, SLICE, pinger, wanted_slice

OTHER = Application("other")
A, B = Host("a.org"), Host("b.org")
NEWER = PackageRef("b" * 64, 11, "dsmtw_pinger-1.9-1.noarch.rpm")


def placed(
    host: Host, application: Application = APP, *, restarts: int = 0, generation: int = 4
) -> Placement:
    return Placement(
        slice=SLICE,
        host=host,
        application=application,
        version="1.8-1",
        generation=generation,
        restarts=restarts,
    )


def two(*more: Placement) -> WantedSlice:
    """Two applications, of which ``pinger`` is on two hosts."""
    applications = {APP: pinger(), OTHER: replace(pinger(), name=OTHER)}
    placements = (placed(A), placed(B), placed(A, OTHER), *more)
    return replace(wanted_slice(apps=applications), generation=7, placements=placements)


def refusal(slice_: WantedSlice, verb: Verb, *hosts: Host, application: Application = APP) -> DsmtError:
    with pytest.raises(DsmtError) as refused:
        turn(slice_, application, verb, hosts=hosts)
    return refused.value


def test_an_application_that_is_not_there_is_refused_with_those_that_are() -> None:
    refused = refusal(two(), Verb.START, application=Application("pingar"))
    assert isinstance(refused, NotFound)
    assert refused.message == "the slice xyz1 has no application pingar"
    assert refused.hint == "there are: other, pinger"
    assert refusal(wanted_slice(apps={}), Verb.START).hint == "there are: none"


def test_a_host_without_the_application_is_refused_though_another_application_is_there() -> None:
    slice_ = replace(two(), placements=(placed(A), placed(B, OTHER)))
    refused = refusal(slice_, Verb.STOP, A, B)
    assert isinstance(refused, NotFound)
    assert refused.message == "pinger of xyz1 is not placed on b.org"


@pytest.mark.parametrize("verb", [Verb.UPDATE, Verb.UNINSTALL])
def test_versions_and_removal_are_of_the_whole_slice(verb: Verb) -> None:
    refused = refusal(two(), verb, A)
    assert isinstance(refused, Invalid)
    assert refused.message == f"{verb.lower()} is for all hosts of a slice"
    assert refused.hint == "the plan decides where an application is"


def test_an_update_without_a_version_is_refused() -> None:
    assert refusal(two(), Verb.UPDATE).message == "no version of pinger to update to was found"


def test_uninstall_takes_the_application_and_its_placements_and_nothing_else() -> None:
    before = two()
    after = turn(before, APP, Verb.UNINSTALL)
    assert after == replace(
        before,
        applications={OTHER: before.applications[OTHER]},
        placements=(placed(A, OTHER),),
        generation=8,
    )


def test_update_changes_version_and_packages_and_orders_what_changes_anew() -> None:
    before = two()
    after = turn(before, APP, Verb.UPDATE, version=("1.9-1", (NEWER,)))
    assert after.applications[APP] == replace(pinger("1.9-1"), packages=(NEWER,))
    assert after.applications[OTHER] == before.applications[OTHER]
    assert after.placements == (
        replace(placed(A), version="1.9-1", generation=8),
        replace(placed(B), version="1.9-1", generation=8),
        placed(A, OTHER),
    )
    assert after.generation == 8


def test_stop_on_one_host_stops_there_and_nowhere_else() -> None:
    before = two()
    after = turn(before, APP, Verb.STOP, hosts=[B])
    stopped = replace(placed(B), run=Run.STOPPED, generation=8)
    assert after.placements == (placed(A), stopped, placed(A, OTHER))
    assert after.applications == before.applications, "where it comes later it runs"


def test_stop_everywhere_leaves_restarts_alone() -> None:
    after = turn(two(), APP, Verb.STOP)
    assert after.applications[APP] == replace(pinger(), run=Run.STOPPED)
    assert {one.run for one in after.placements if one.application == APP} == {Run.STOPPED}


def test_a_restart_is_one_above_all_that_were_done_before() -> None:
    before = replace(two(), placements=(placed(A, restarts=3), placed(B, restarts=1), placed(A, OTHER)))
    alone = turn(before, APP, Verb.RESTART, hosts=[B])
    assert [one.restarts for one in alone.placements] == [3, 4, 0]
    assert alone.applications[APP].restarts == 0
    everywhere = turn(before, APP, Verb.RESTART)
    assert [one.restarts for one in everywhere.placements] == [4, 4, 0]
    assert everywhere.applications[APP] == replace(pinger(), restarts=4)
    counted = replace(before, applications={APP: replace(pinger(), restarts=9)})
    assert turn(counted, APP, Verb.RESTART).applications[APP].restarts == 10


@pytest.mark.parametrize("verb", [Verb.START, Verb.APPCONFIG, Verb.RESTART])
def test_what_was_stopped_runs_again(verb: Verb) -> None:
    stopped = turn(two(), APP, Verb.STOP)
    after = turn(stopped, APP, verb)
    assert after.applications[APP].run is Run.RUNNING
    assert {one.run for one in after.placements} == {Run.RUNNING}
    assert after.generation == 9
