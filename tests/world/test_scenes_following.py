"""Scenes of a slice that follows another one: it goes where that runs, and does not flap with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dsmt_core.commands import Verb
from dsmt_core.names import Slice
from planner.reconcile import scope
from planner.turns import turn
from tests.world.layout import APP, small
from tests.world.world import SLICE, World

FOLLOWER = Slice("xyz2")


class Scene(World):
    """Two slices at rest, without misfortune: the second follows the first."""

    def __init__(self) -> None:
        super().__init__(4, replace(small(), slices=(SLICE, FOLLOWER), follows=True))
        self.simulation.faulty = False
        self.wait(60)
        assert not self.differs()

    def wait(self, seconds: float) -> None:
        self.simulation.run(self.simulation.now + seconds, self.check)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_it_runs_where_the_first_runs_and_nowhere_else(scene: Scene) -> None:
    assert scene.truth.hosts(FOLLOWER) == scene.truth.hosts(SLICE) == scene.slice.hosts.keys()


def test_it_follows_to_the_node_that_replaces_a_lost_one(scene: Scene) -> None:
    lost = min(scene.truth.hosts(SLICE))
    scene.nodes[lost].fail()
    scene.wait(12)
    assert scene.truth.hosts(FOLLOWER) == scene.truth.hosts(SLICE)
    assert lost not in scene.truth.hosts(SLICE)
    assert len(scene.truth.hosts(SLICE)) == 3


def test_it_does_not_stop_while_the_first_is_restarted(scene: Scene) -> None:
    before = scene.planner.store.wanted.slices[FOLLOWER]
    scene.planner.change(turn(scene.slice, APP, Verb.RESTART))
    scene.wait(30)
    assert scene.planner.store.wanted.slices[FOLLOWER] == before
    assert not scene.differs()


def test_a_planner_that_forgets_to_look_at_followers_is_late(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every round that is over everything they would come after all."""
    monkeypatch.setattr(scope, "followed", lambda _slice: frozenset[Slice]())
    lost = min(scene.truth.hosts(SLICE))
    scene.nodes[lost].fail()
    scene.wait(12)
    assert scene.truth.hosts(FOLLOWER) != scene.truth.hosts(SLICE)
