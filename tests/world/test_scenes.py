"""Single scenes of the simulated world, on a faithful network: what people will look at first."""

from __future__ import annotations

from collections import Counter

import pytest

from dsmt_core.configuration import NONE, Configuration
from dsmt_core.names import Host
from planner.disruption import Disruption
from planner.fleet import NodeState
from tests.world.layout import small
from tests.world.misfortune import heal
from tests.world.people import updated
from tests.world.truth import Place, Truth
from tests.world.world import SLICE, World


class Scene(World):
    """A world without misfortune but what a test brings; it has come to rest."""

    def __init__(self, starts: Counter[Host]) -> None:
        super().__init__(4, small())
        self.starts = starts
        self.simulation.faulty = False
        self.wait(20)
        assert not self.differs()
        self.starts.clear()

    def wait(self, seconds: float) -> None:
        self.simulation.run(self.simulation.now + seconds, self.check)

    def wait_until_running(self, count: int, within: float) -> float:
        began = self.simulation.now
        while len(self.truth.hosts(SLICE) - self.simulation.cut) != count:
            self.wait(0.1)
            assert self.simulation.now - began < within, self.differs()
        return self.simulation.now - began


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    starts: Counter[Host] = Counter()
    start = Truth.start

    def counted(truth: Truth, place: Place, version: str, configuration: Configuration = NONE) -> None:
        starts[place[0]] += 1
        start(truth, place, version, configuration)

    monkeypatch.setattr(Truth, "start", counted)
    return Scene(starts)


def test_a_lost_node_is_replaced_within_six_seconds_and_gives_up_when_it_is_back(scene: Scene) -> None:
    lost = min(scene.truth.hosts(SLICE))
    scene.nodes[lost].fail()
    assert scene.wait_until_running(3, within=8) < 6
    assert scene.starts.total() == 1
    scene.nodes[lost].recover()
    scene.wait(15)
    assert not scene.differs()
    assert scene.starts[lost] == 0, "it started what had moved away"
    assert scene.planner.tracker.state(lost) is NodeState.ALIVE


def test_a_node_that_was_cut_off_runs_on_and_gives_up_only_what_moved_away(scene: Scene) -> None:
    lost = min(scene.truth.hosts(SLICE))
    scene.simulation.cut.add(lost)
    scene.wait_until_running(3, within=8)
    assert lost in scene.truth.hosts(SLICE)
    heal(scene, scene.simulation.cut, [lost])
    scene.wait(15)
    assert not scene.differs()
    assert lost not in scene.truth.hosts(SLICE)
    assert scene.starts.total() == 1


def test_a_short_cut_changes_nothing(scene: Scene) -> None:
    before = scene.slice
    lost = min(scene.truth.hosts(SLICE))
    scene.simulation.cut.add(lost)
    scene.wait(1.5)
    heal(scene, scene.simulation.cut, [lost])
    scene.wait(20)
    assert scene.slice == before
    assert scene.starts.total() == 0


def test_a_planner_that_is_away_and_comes_back_restarts_nothing(scene: Scene) -> None:
    before = scene.slice
    scene.planner.alive = False
    scene.wait(60)
    scene.planner.start()
    scene.wait(60)
    assert scene.slice == before
    assert scene.starts.total() == 0
    assert not scene.differs()


def test_a_planner_that_comes_back_knows_from_heartbeats_that_all_is_as_it_was_written_down(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.planner.alive = False
    with monkeypatch.context() as lucky:
        lucky.setattr(scene.simulation, "chance", lambda _share: True)
        scene.planner.start()
    assert scene.planner.fleet.hosts
    scene.wait(15)
    disruption = Disruption(scene.slice, scene.planner.fleet)
    assert (disruption.up, disruption.allowance) == (3, 1), "else no drain and no roll-out would go on"


def test_agents_and_container_managers_that_die_restart_nothing(scene: Scene) -> None:
    before = scene.slice
    for node in scene.nodes.values():
        node.crash_agent(SLICE)
        node.crash_manager(away_s=1.0)
    scene.wait(30)
    assert scene.starts.total() == 0
    assert scene.slice == before
    assert not scene.differs()


def test_a_power_failure_of_everything_is_survived_where_it_was(scene: Scene) -> None:
    hosts = scene.truth.hosts(SLICE)
    scene.planner.alive = False
    for node in scene.nodes.values():
        node.fail()
    scene.wait(5)
    for node in scene.nodes.values():
        node.recover()
    scene.wait(20)
    assert scene.truth.hosts(SLICE) == hosts, "the nodes come up without the planner"
    scene.planner.start()
    scene.wait(60)
    assert scene.truth.hosts(SLICE) == hosts
    assert not scene.differs()


def test_an_application_that_dies_is_restarted_where_it_is(scene: Scene) -> None:
    before = scene.slice
    host = min(scene.truth.hosts(SLICE))
    scene.nodes[host].kill_application()
    scene.wait(15)
    assert scene.starts == {host: 1}
    assert scene.slice == before


def test_a_number_that_a_restored_planner_gives_away_again_is_noticed(scene: Scene) -> None:
    copy = scene.planner.store.wanted
    scene.planner.change(updated(scene.slice, "2"))
    scene.wait(20)
    lost = scene.slice.generation
    scene.planner.alive = False
    scene.planner.store.wanted = copy
    scene.planner.store.restored = True
    scene.planner.start()
    scene.planner.change(updated(scene.slice, "3"))
    assert scene.slice.generation == lost
    scene.wait(60)
    assert not scene.differs()
    assert {process.version for process in scene.truth.processes.values()} == {"1.3-1"}


def test_a_node_that_is_forgotten_is_not_waited_for_by_a_planner_that_dies_at_once(scene: Scene) -> None:
    lost = min(scene.truth.hosts(SLICE))
    scene.nodes[lost].fail()
    scene.destroyed.add(lost)
    scene.wait_until_running(3, within=8)
    assert lost in scene.slice.retired
    scene.planner.forget(lost)
    scene.planner.crash(away_s=0.5)
    scene.wait(20)
    assert lost not in scene.slice.retired
    assert not scene.differs()
