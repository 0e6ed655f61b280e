"""Scenes of applications that do not come to run: on one host, and on all."""

from __future__ import annotations

from collections import Counter

import pytest

from dsmt_core.commands import Verb
from dsmt_core.names import Host
from dsmt_core.packages import PackageRef
from planner.turns import turn
from tests.world.test_scenes import Scene, scene
from tests.world.world import APP, SLICE

__all__ = ["scene"]


def waiting(scene: Scene) -> list[str]:
    return [one.reason for one in scene.planner.held_back.of(SLICE)]


def break_and_kill(scene: Scene, host: Host) -> None:
    scene.truth.broken.add(host)
    scene.nodes[host].kill_application()


def update(scene: Scene, version: str) -> None:
    packages = (PackageRef(version[2] * 64, 10, "dsmtw_pinger.rpm"),)
    scene.planner.change(turn(scene.slice, APP, Verb.UPDATE, version=(version, packages)))


def test_what_fails_on_one_host_runs_on_another_and_the_others_stay(scene: Scene) -> None:
    before = scene.truth.hosts(SLICE)
    bad = min(before)
    break_and_kill(scene, bad)
    took = scene.wait_until_running(3, within=90)
    assert took > 20, "the agent tries by itself first"
    after = scene.truth.hosts(SLICE)
    assert len(after - before) == 1
    assert before - after == {bad}
    assert all(scene.starts[host] == 0 for host in before - {bad})
    why = scene.planner.fleet.fits(SLICE).out[bad]
    assert "pinger 1.0-1 does not run here: its port is taken; tried again from" in why


def test_a_host_is_tried_again_later_each_time(scene: Scene) -> None:
    bad = min(scene.truth.hosts(SLICE))
    break_and_kill(scene, bad)
    scene.wait_until_running(3, within=90)
    others = sorted(scene.nodes.keys() - scene.truth.hosts(SLICE) - {bad})
    for host in others:
        scene.nodes[host].fail()
    lost = max(scene.truth.hosts(SLICE))
    scene.nodes[lost].fail()
    scene.wait(200)
    known = scene.planner.store.misfits[SLICE, bad]
    assert known.failures >= 3, "nothing else is left, so it was tried again"
    assert known.until - known.since > 3 * 10.0
    scene.truth.broken.clear()
    scene.wait_until_running(3, within=150)


def test_a_version_that_fails_everywhere_moves_nothing_and_says_so(scene: Scene) -> None:
    hosts = set(scene.slice.hosts)
    scene.truth.bad.add("1.6-1")
    update(scene, "1.6-1")
    scene.wait(120)
    assert set(scene.slice.hosts) == hosts
    assert "pinger 1.6-1 fails on 3 of 3 hosts: the application itself fails, so nothing moves" in waiting(
        scene
    )
    assert not scene.planner.fleet.fits(SLICE).out
    update(scene, "1.7-1")
    scene.wait_until_running(3, within=90)
    scene.wait(10)
    assert set(scene.slice.hosts) == hosts
    assert not scene.differs()


def test_another_version_begins_without_a_past(scene: Scene) -> None:
    bad = min(scene.truth.hosts(SLICE))
    break_and_kill(scene, bad)
    scene.wait_until_running(3, within=90)
    assert (SLICE, bad) in scene.planner.store.misfits
    update(scene, "1.7-1")
    scene.wait(5)
    assert (SLICE, bad) not in scene.planner.store.misfits
    assert not scene.planner.fleet.fits(SLICE).out


def test_what_is_known_of_a_host_outlives_the_planner(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = min(scene.truth.hosts(SLICE))
    break_and_kill(scene, bad)
    scene.wait_until_running(3, within=90)
    known = scene.planner.store.misfits[SLICE, bad]
    scene.planner.alive = False
    monkeypatch.setattr(scene.simulation, "chance", lambda _share: True)
    scene.planner.start()
    monkeypatch.undo()
    scene.wait(2)
    assert scene.planner.store.misfits[SLICE, bad] == known
    assert bad in scene.planner.fleet.fits(SLICE).out


def test_a_node_on_which_no_sliver_can_be_made_stays_out_though_its_heartbeats_come(scene: Scene) -> None:
    sick = min(scene.truth.hosts(SLICE))
    scene.nodes[sick].fail()
    scene.wait_until_running(3, within=8)
    scene.nodes[sick].sick = "no space left on the device"
    scene.nodes[sick].recover()
    scene.wait(120)
    assert scene.planner.tracker.state(sick) in {"failed", "probation"}
    assert scene.planner.tracker.judgement(sick).failures >= 4
    assert Counter(note.by for note in scene.planner.tracker.evidence(sick))["probe"] >= 2
    scene.nodes[sick].sick = ""
    scene.wait(30)
    assert scene.planner.tracker.state(sick) == "alive"
