"""Wanted and the steps that change it, as values."""

from __future__ import annotations

from dataclasses import replace

from dsmt_core.configuration import Configuration
from dsmt_core.names import Application, Host, Slice
from dsmt_core.packages import PackageRef
from planner.release import Release, release_name
from planner.restraint import Restraint
from planner.rollout import Rollout
from planner.steps import SliceChange, released
from planner.wanted import Placement, Wanted
from tests.unit.planner.toy import APP, PACKAGE, SLICE, pinger, wanted_slice

A, B, C, D = (Host(name) for name in "abcd")
HELLO = Configuration.of({"greeting": "hello"})
NEWER = PackageRef("b" * 64, 10, "dsmtw_pinger-1.9-1.noarch.rpm")
NEW = Release("1.9-1", (NEWER,), HELLO)
SECOND = Application("second")
PLACED = Placement(slice=SLICE, host=A, application=APP, version="1.8-1", generation=3, restarts=2)


def test_an_application_is_made_of_its_release() -> None:
    assert pinger().release == Release("1.8-1", (PACKAGE,))
    changed = replace(pinger(), restarts=4).at(NEW)
    assert changed == replace(pinger(), restarts=4, version="1.9-1", packages=(NEWER,), configuration=HELLO)
    assert changed.release == NEW


def test_a_placement_takes_another_release_by_its_name() -> None:
    assert PLACED.release == "1.8-1"
    assert PLACED.at(PLACED.release) is PLACED
    changed = PLACED.at(NEW.name)
    assert changed == replace(PLACED, version="1.9-1", configuration=HELLO.digest)
    assert changed.release == NEW.name == release_name("1.9-1", HELLO.digest)
    assert changed.at(PLACED.release) == PLACED


def test_the_hosts_of_all_slices_are_those_placed_and_those_that_are_to_end() -> None:
    one = replace(wanted_slice(), hosts={A: 1}, retired={B: 2})
    other = replace(wanted_slice(), name=Slice("other"), hosts={C: 1, A: 1})
    assert Wanted({one.name: one, other.name: other}).hosts == {A, B, C}
    assert Wanted().hosts == frozenset()


def test_releases_change_the_applications_that_there_are() -> None:
    slice_ = wanted_slice(apps={APP: pinger(), SECOND: replace(pinger(), name=SECOND)})
    assert released(slice_, {}) is slice_
    after = released(slice_, {APP: NEW, Application("gone"): NEW})
    assert after == replace(slice_, applications={**slice_.applications, APP: pinger().at(NEW)})


def test_a_change_replaces_what_it_names_and_adds_roll_outs() -> None:
    rollout = Rollout(number=1, before=Release("1.8-1").name, after=NEW)
    before = replace(
        wanted_slice(),
        hosts={D: 1},
        retired={C: 1},
        rollouts={SECOND: rollout},
        restraint=Restraint(carried="old"),
    )
    change = SliceChange(
        slice=SLICE,
        generation=4,
        hosts={A: 3},
        retired={B: 4},
        placements=(PLACED,),
        rollouts={APP: rollout},
    )
    settled = replace(before, generation=4, hosts={A: 3}, retired={B: 4}, placements=(PLACED,))
    both = {SECOND: rollout, APP: rollout}
    assert change.applied(before) == replace(settled, rollouts=both)
    more = replace(change, releases={APP: NEW}, restraint=Restraint(carried="new"))
    assert more.applied(before) == replace(
        settled,
        rollouts=both,
        applications={APP: pinger().at(NEW)},
        restraint=Restraint(carried="new"),
    )
