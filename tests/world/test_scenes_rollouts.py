"""Scenes of roll-outs in the simulated world: a good version, a bad one, and a planner that keeps dying."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.packages import PackageRef
from planner.fleet import Fleet
from planner.rollout import Phase, Release, policy
from planner.rollout.turns import Wish, started
from planner.steps import SliceChange
from tests.world import rollout_part
from tests.world.layout import APP, small
from tests.world.rollout_part import BAD
from tests.world.truth import Broken
from tests.world.world import SLICE, World

GOOD = "2.1-1"


class Scene(World):
    """A small world at rest, without misfortune."""

    def __init__(self) -> None:
        super().__init__(4, small())
        self.simulation.faulty = False
        self.wait(30)
        assert not self.differs()

    def wait(self, seconds: float) -> None:
        self.simulation.run(self.simulation.now + seconds, self.check)

    def roll(self, version: str) -> None:
        release = Release(version, (PackageRef(version[2] * 64, 10, "dsmtw_pinger.rpm"),))
        chosen = policy(["1"], min_healthy_s=2.0, deadline_s=20.0)
        wish = Wish(by="ann", now=self.planner.now)
        rollout = started(self.slice, APP, release, chosen, wish)
        self.planner.change(replace(self.slice, rollouts={APP: rollout}))

    def versions(self) -> set[str]:
        return {process.version for process in self.truth.processes.values()}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_good_version_goes_through_and_each_host_starts_it_once(scene: Scene) -> None:
    started_before = scene.truth.started
    scene.roll(GOOD)
    scene.wait(60)
    assert not scene.differs()
    assert scene.versions() == {GOOD}
    assert scene.truth.started - started_before == len(scene.slice.hosts)


def test_a_bad_version_reaches_one_host_and_goes_back(scene: Scene) -> None:
    scene.truth.bad.add(BAD)
    before = scene.versions()
    scene.roll(BAD)
    scene.wait(90)
    assert scene.slice.rollouts[APP].phase is Phase.RETURNED
    assert len(scene.slice.rollouts[APP].failed) == 1
    assert not scene.differs()
    assert scene.versions() == before


def test_a_configuration_goes_through_and_each_host_starts_once_with_it(scene: Scene) -> None:
    started_before, versions = scene.truth.started, scene.versions()
    scene.planner.change(rollout_part.configure(scene)(scene.slice))
    scene.wait(60)
    assert not scene.differs()
    configured = {process.configuration.digest for process in scene.truth.processes.values()}
    assert configured == {scene.slice.applications[APP].configuration.digest} != {""}
    assert scene.versions() == versions
    assert scene.truth.started - started_before == len(scene.slice.hosts)


def test_the_laws_notice_a_release_that_is_started_and_was_never_ordered(scene: Scene) -> None:
    scene.truth.ordered.clear()
    scene.truth.die(next(iter(scene.truth.processes)))
    with pytest.raises(Broken, match="nobody ever ordered it"):
        scene.wait(30)


def test_a_planner_that_dies_at_every_commit_brings_it_to_its_end(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = []
    check = rollout_part.check_commit

    def and_die(*args: object, **more: float) -> None:
        check(*args, **more)  # type: ignore[arg-type]
        deaths.append(scene.simulation.now)
        scene.simulation.after(0.0, lambda: scene.planner.crash(away_s=0.5))

    monkeypatch.setattr(rollout_part, "check_commit", and_die)
    scene.roll(GOOD)
    for _ in range(60):
        scene.wait(5)
        if scene.slice.rollouts[APP].phase is Phase.DONE:
            break
    monkeypatch.undo()
    scene.wait(30)
    assert len(deaths) > 4
    assert not scene.differs()
    assert scene.versions() == {GOOD}


def commit(scene: Scene, change: SliceChange) -> None:
    seen: Fleet = scene.planner.fleet
    rollout_part.check_commit(scene.planner.store, seen, change, now=scene.planner.now)


def with_version(scene: Scene, version: str, number: int) -> SliceChange:
    placements = [
        replace(one, version=version) if at < number else one
        for at, one in enumerate(scene.slice.placements)
    ]
    slice_ = scene.slice
    return SliceChange(
        slice=SLICE,
        generation=slice_.generation + 1,
        hosts=slice_.hosts,
        retired={},
        placements=tuple(placements),
    )


def test_the_laws_notice_a_version_that_nobody_wants(scene: Scene) -> None:
    with pytest.raises(Broken, match="nobody asked"):
        commit(scene, with_version(scene, GOOD, 1))
    scene.roll(GOOD)
    with pytest.raises(Broken, match="are wanted"):
        commit(scene, with_version(scene, "7.7-7", 1))


def test_the_laws_notice_more_that_are_taken_down_than_may_be(scene: Scene) -> None:
    scene.roll(GOOD)
    commit(scene, with_version(scene, GOOD, 1))
    with pytest.raises(Broken, match="2 of 3 are taken down, 1 may be"):
        commit(scene, with_version(scene, GOOD, 2))


def test_the_laws_notice_a_roll_out_that_goes_backward_or_never_ends(scene: Scene) -> None:
    scene.roll(GOOD)
    assert "the roll-out is running" in rollout_part.differs(scene.slice, bad=False)
    scene.wait(60)
    done = scene.slice.rollouts[APP]
    change = with_version(scene, GOOD, 0)
    with pytest.raises(Broken, match="from done to running"):
        commit(scene, replace(change, rollouts={APP: replace(done, phase=Phase.RUNNING)}))


def test_the_laws_notice_a_roll_out_that_is_called_done_over_nobody(scene: Scene) -> None:
    scene.roll(GOOD)
    done = replace(scene.slice.rollouts[APP], phase=Phase.DONE)
    with pytest.raises(Broken, match="called done, and no host has"):
        commit(scene, replace(with_version(scene, GOOD, 0), rollouts={APP: done}))
    scene.wait(4)
    proving = scene.slice.rollouts[APP]
    assert proving.is_active
    assert proving.told
    done = replace(proving, phase=Phase.DONE)
    there = replace(with_version(scene, GOOD, 0), rollouts={APP: done})
    commit(scene, there)
    with pytest.raises(Broken, match="called done, and no host has"):
        commit(scene, replace(there, hosts={}, placements=()))


def test_a_roll_out_that_loses_all_its_hosts_waits_and_goes_on_when_they_are_back(scene: Scene) -> None:
    scene.roll(GOOD)
    for node in scene.nodes.values():
        node.fail()
    scene.wait(60)
    assert (scene.slice.hosts, scene.slice.rollouts[APP].phase) == ({}, Phase.RUNNING)
    assert not rollout_part.differs(scene.slice, bad=False)
    waiting = [one.reason for one in scene.planner.held_back.of(SLICE)]
    assert "the roll-out waits: the slice has no hosts now" in waiting
    for node in scene.nodes.values():
        node.recover()
    scene.wait(90)
    assert not scene.differs()
    assert scene.versions() == {GOOD}
