"""Another configuration is rolled out, and comes back, exactly as another version does."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from dsmt_core.commands import Verb
from dsmt_core.configuration import NONE, Configuration
from dsmt_core.errors import Conflict
from dsmt_core.lifecycle import State
from dsmt_core.names import Host
from dsmt_core.packages import PackageRef
from planner.foresight import at_once, in_waves
from planner.reconcile import orders, summary
from planner.release import (
    Reconfiguration,
    Release,
    changes,
    configuration_of,
    release_name,
    said,
    version_of,
)
from planner.rollout import Phase, policy
from planner.rollout.order import in_order
from planner.rollout.turns import Deed, Wish, started, turned
from planner.turns import turn
from planner.wanted import Run
from tests.unit.planner.toy import APP, SLICE, Toy, wanted_slice

VERSION = "1.8-1"
HELLO = Configuration.of({"greeting": "hello"})
HI = Configuration.of({"greeting": "hi"})
POLICY = policy(["1", "100%"], min_healthy_s=1.0, deadline_s=20.0)


class Fleet(Toy):
    """Six nodes with the pinger, and no configuration."""

    def __init__(self) -> None:
        super().__init__(6, (wanted_slice("good"),))
        self.run(30)

    def release(self, configuration: Configuration) -> Release:
        return replace(self.slice.applications[APP].release, configuration=configuration)

    def configure(self, configuration: Configuration) -> None:
        wish = Wish(by="ann", now=self.now)
        rollout = started(self.slice, APP, self.release(configuration), POLICY, wish)
        self.change(replace(self.slice, rollouts={APP: rollout}))

    def until(self, phase: Phase) -> None:
        for _ in range(400):
            self.run(1)
            if self.slice.rollouts[APP].phase is phase:
                return
        raise AssertionError(f"not {phase}: {self.slice.rollouts[APP]}")

    def configured(self) -> Counter[str]:
        """What really runs, by the digest of its configuration."""
        return Counter(
            held.configuration
            for node in self.nodes.values()
            for held in node.applications.get(SLICE, {}).values()
            if held.state is State.RUNNING
        )


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


def test_it_goes_out_in_waves_and_becomes_the_slices(fleet: Fleet) -> None:
    fleet.configure(HELLO)
    while fleet.slice.rollouts[APP].wave == 0:
        assert fleet.configured()[HELLO.digest] <= 1
        fleet.run(1)
    fleet.until(Phase.DONE)
    assert fleet.configured() == {HELLO.digest: 6}
    assert fleet.slice.applications[APP].release == fleet.release(HELLO)
    assert {one.version for one in fleet.slice.placements} == {VERSION}
    assert fleet.slice.rollouts[APP].changes == ("greeting is hello",)


def test_one_that_does_not_run_reaches_one_host_and_the_older_comes_back(fleet: Fleet) -> None:
    fleet.configure(HELLO)
    fleet.until(Phase.DONE)
    for node in fleet.nodes.values():
        node.broken.add(release_name(VERSION, HI.digest))
    fleet.configure(HI)
    fleet.until(Phase.RETURNED)
    assert len(fleet.slice.rollouts[APP].failed) == 1
    fleet.run(5)
    assert fleet.configured() == {HELLO.digest: 6}
    assert fleet.slice.applications[APP].configuration == HELLO


def test_an_abort_leaves_both_and_back_brings_the_older_everywhere(fleet: Fleet) -> None:
    fleet.configure(HELLO)
    while not fleet.configured()[HELLO.digest]:
        fleet.run(1)
    wish = Wish(by="ann", now=fleet.now)
    fleet.change(replace(fleet.slice, rollouts={APP: turned(fleet.slice, APP, Deed.ABORT, wish)}))
    fleet.run(20)
    assert set(fleet.configured()) == {HELLO.digest, ""}
    back = replace(wish, now=fleet.now, back=True)
    fleet.change(replace(fleet.slice, rollouts={APP: turned(fleet.slice, APP, Deed.ABORT, back)}))
    fleet.until(Phase.RETURNED)
    fleet.run(5)
    assert fleet.configured() == {"": 6}


def test_an_update_keeps_the_configuration_and_a_new_host_gets_it(fleet: Fleet) -> None:
    fleet.configure(HELLO)
    fleet.until(Phase.DONE)
    newer = (PackageRef("b" * 64, 10, "dsmtw_pinger-1.9-1.noarch.rpm"),)
    updated = turn(fleet.slice, APP, Verb.UPDATE, version=("1.9-1", newer))
    foreseen = at_once(fleet.slice, updated, APP)
    assert foreseen.changes == ("version 1.8-1 becomes 1.9-1",)
    assert [len(wave.hosts) for wave in foreseen.waves] == [6]
    fleet.change(updated)
    fleet.run(10)
    assert fleet.configured() == {HELLO.digest: 6}
    assert {one.release for one in fleet.slice.placements} == {release_name("1.9-1", HELLO.digest)}
    assert at_once(fleet.slice, updated, APP).is_nothing


def test_the_same_again_is_refused_and_foreseen_as_nothing(fleet: Fleet) -> None:
    assert in_waves(fleet.slice, fleet.fleet, APP, fleet.release(NONE), POLICY).is_nothing
    with pytest.raises(Conflict, match=r"1\.8-1 is what every host"):
        fleet.configure(NONE)


def test_what_is_foreseen_is_what_happens(fleet: Fleet) -> None:
    found = in_waves(fleet.slice, fleet.fleet, APP, fleet.release(HELLO), POLICY)
    assert [(wave.number, wave.upto, len(wave.hosts)) for wave in found.waves] == [(1, 1, 1), (2, 6, 5)]
    assert [host for wave in found.waves for host in wave.hosts] == in_order(SLICE, APP, fleet.slice.hosts)
    fleet.configure(HELLO)
    while not fleet.configured()[HELLO.digest]:
        fleet.run(1)
    assert {one.host for one in fleet.slice.placements if one.configuration} == set(found.waves[0].hosts)
    rest = in_waves(fleet.slice, fleet.fleet, APP, fleet.release(HELLO), POLICY)
    assert [list(wave.hosts) for wave in rest.waves] == [[], list(found.waves[1].hosts)]
    assert rest.index != found.index
    other = in_waves(fleet.slice, fleet.fleet, APP, fleet.release(HI), POLICY)
    assert other.index != rest.index


def test_a_host_that_still_has_the_older_one_is_not_well_however_long_it_runs(fleet: Fleet) -> None:
    first: Host = in_order(SLICE, APP, fleet.slice.hosts)[0]
    fleet.nodes[first].deaf = True
    fleet.configure(HELLO)
    fleet.run(3)
    # It follows the order, and still runs as before: as an agent does that does not know configurations.
    held = fleet.nodes[first].applications[SLICE][APP]
    placed = next(one for one in fleet.slice.placements if one.host == first)
    digest = orders.Digests(fleet.slice).of(placed)
    fleet.nodes[first].applications[SLICE][APP] = replace(held, generation=placed.generation, digest=digest)
    fleet.fleet.fold(fleet.nodes[first].agent_holdings(SLICE), now=fleet.now)
    fleet.until(Phase.RETURNING)
    assert "did not become healthy within 20 s" in fleet.slice.rollouts[APP].failed[first]


def test_the_digest_of_an_order_tells_configurations_apart_and_is_as_ever_without_one(fleet: Fleet) -> None:
    placed = fleet.slice.placements[0]
    without = orders.placed(fleet.slice, placed, Verb.APPCONFIG)
    slice_ = replace(
        fleet.slice, applications={APP: fleet.slice.applications[APP].at(fleet.release(HELLO))}
    )
    with_one = orders.placed(slice_, placed.at(fleet.release(HELLO).name), Verb.APPCONFIG)
    assert with_one.configuration == HELLO
    assert (with_one.digest != without.digest, "configuration" in without.pairs) == (True, False)
    words = ("run", APP, VERSION, "0", *map(str, without.packages))
    assert without.digest == orders._digest(*words), "as planners made it before there were configurations"


def test_a_stopped_application_takes_it_over_without_a_start(fleet: Fleet) -> None:
    fleet.change(turn(fleet.slice, APP, Verb.STOP))
    fleet.run(5)
    fleet.configure(HELLO)
    fleet.until(Phase.DONE)
    assert {one.run for one in fleet.slice.placements} == {Run.STOPPED}
    assert fleet.configured() == {}


def test_status_tells_which_configuration_runs_and_which_is_wanted(fleet: Fleet) -> None:
    fleet.configure(HELLO)
    fleet.until(Phase.DONE)
    told = summary(fleet.slice, fleet.fleet, now=fleet.now)["hosts"][0]["applications"][0]
    assert (told["configuration"], told["wanted_configuration"]) == (HELLO.digest, HELLO.digest)


def test_the_name_of_a_release_is_its_version_unless_it_is_configured() -> None:
    assert Release(VERSION).name == VERSION
    name = Release(VERSION, configuration=HELLO).name
    assert (version_of(name), configuration_of(name)) == (VERSION, HELLO.digest)
    assert said(name) == f"1.8-1 with configuration {HELLO.digest}"
    assert said(release_name(VERSION)) == VERSION


def test_what_changes_is_told_in_lines_that_are_bounded() -> None:
    many = Configuration.of({f"n{number:02}": "1" for number in range(25)})
    told = changes(Release(VERSION), Release("1.9-1", configuration=many))
    assert (told[0], len(told), told[-1]) == ("version 1.8-1 becomes 1.9-1", 21, "and 6 more")
    wish = Reconfiguration(values={"greeting": "hi"}, unset=("level",))
    assert wish.of(Configuration.of({"level": "3"})) == HI
    assert Reconfiguration(whole=True).of(HELLO) == NONE
