"""All applications of an agent: generations, what is remembered, and any order in any state."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agents.deployment_agent.decide import (
    Checked,
    CheckStatus,
    Clean,
    Deployments,
    Done,
    Fetch,
    Forget,
    Found,
    Goal,
    Install,
    Installed,
    Life,
    Look,
    Outcome,
    Periods,
    Prepare,
    Publish,
    Record,
    Start,
    Started,
    Step,
    Stop,
    Troubled,
    Uninstall,
    Verdict,
)
from agents.deployment_agent.decide.deployments import APPLICATIONS, GONE
from dsmt_core.commands import Order, Verb
from dsmt_core.errors import Full, Invalid
from dsmt_core.lifecycle import State, may_follow
from dsmt_core.names import Application, Host, Slice
from dsmt_core.packages import PackageRef

NAMES = [Application("X"), Application("Y")]


def order(verb: Verb, generation: int, *, name: str = "X", version: int = 1, restarts: int = 0) -> Order:
    return Order(
        verb=verb,
        host=Host("h"),
        slice=Slice("s"),
        generation=generation,
        application=Application(name),
        wrapper=f"dsmtw_{name}",
        version=f"{version}-1",
        packages=(PackageRef(f"{version:064x}", 1, "x.rpm"),),
        restarts=restarts,
        status_period=10.0,
    )


def test_an_older_order_is_refused_and_the_same_changes_nothing() -> None:
    deployments = Deployments()
    assert deployments.accept(order(Verb.APPCONFIG, 5), 0.0) is Verdict.ACCEPTED
    assert deployments.accept(order(Verb.STOP, 5), 0.0) is Verdict.SAME
    assert deployments.accept(order(Verb.UNINSTALL, 4), 0.0) is Verdict.REFUSED
    assert deployments[Application("X")].record.goal is Goal.RUNNING


def test_a_late_order_does_not_bring_back_what_is_gone() -> None:
    deployments = Deployments()
    deployments.accept(order(Verb.UNINSTALL, 7), 0.0)
    for name, step in deployments.due(0.0):
        deployments.done(name, step, Done(), 0.0)
    assert "X" not in deployments
    assert deployments.holdings() == {}
    assert deployments.accept(order(Verb.APPCONFIG, 6), 1.0) is Verdict.REFUSED
    assert deployments.holdings(Application("X"))[Application("X")].generation == 7
    assert deployments.accept(order(Verb.UNINSTALL, 7), 1.0) is Verdict.SAME
    assert deployments.accept(order(Verb.APPCONFIG, 8), 1.0) is Verdict.ACCEPTED


def test_a_number_that_was_given_away_twice_is_refused_with_a_word_that_shows_it() -> None:
    deployments = Deployments()
    deployments.accept(order(Verb.UNINSTALL, 7), 0.0)
    for name, step in deployments.due(0.0):
        deployments.done(name, step, Done(), 0.0)
    assert deployments.accept(order(Verb.APPCONFIG, 7), 1.0) is Verdict.REFUSED
    assert deployments.holdings(Application("X"))[Application("X")].digest == GONE


def test_the_digest_of_the_order_is_said_again_also_by_the_next_life() -> None:
    deployments, x = Deployments(), Application("X")
    deployments.accept(replace(order(Verb.APPCONFIG, 5), digest="abc"), 0.0)
    after = Deployments()
    after.load(json.loads(json.dumps(deployments.written())), 0.0, rebooted=False)
    assert after.holdings()[x].digest == deployments.holdings()[x].digest == "abc"
    old = deployments.written()
    del old["applications"][0]["order"]["digest"]
    before_digests = Deployments()
    before_digests.load(old, 0.0, rebooted=False)
    assert before_digests.holdings()[x].digest == ""


def test_another_digest_of_the_same_order_restarts_nothing() -> None:
    deployments = Deployments()
    deployments.accept(replace(order(Verb.APPCONFIG, 5), digest="abc"), 0.0)
    record = deployments[Application("X")].record
    record.failures = 3
    deployments.accept(replace(order(Verb.APPCONFIG, 6), digest="other"), 0.0)
    assert (record.failures, record.order.digest) == (3, "other")


def test_a_report_is_no_order_for_an_application() -> None:
    report = Order(verb=Verb.REPORT, host=Host("h"), slice=Slice("s"), generation=0)
    assert Deployments().accept(report, 0.0) is Verdict.REPORT


def test_an_agent_takes_so_many_applications_and_no_more() -> None:
    deployments = Deployments()
    for number in range(APPLICATIONS):
        deployments.accept(order(Verb.APPCONFIG, 1, name=f"A{number}"), 0.0)
    with pytest.raises(Full):
        deployments.accept(order(Verb.APPCONFIG, 1), 0.0)
    assert len(list(deployments)) == APPLICATIONS


def test_what_cannot_be_read_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="record of an application"):
        Deployments().load({"applications": [{"order": {}}]}, 0.0, rebooted=False)


PERIODS = Periods(retreat_s=1.0)


@dataclass
class Node:
    """What is really so on the node, for one application; kept apart from what the agent believes."""

    running: str = ""
    installed: str = ""
    starts: int = 0
    well: bool = True
    directories: set[str] = field(default_factory=set)
    said: list[State] = field(default_factory=lambda: [State.UNDEFINED])


class AnyCourse(RuleBasedStateMachine):
    """Orders, crashes, reboots, failing steps and time, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.generation = 0
        self.deployments = Deployments(periods=PERIODS)
        self.bad: set[str] = set()
        self.nodes = {name: Node() for name in NAMES}
        self.newest: dict[Application, Order] = {}
        self.astray = False
        self.broken_start = self.torn = False
        self.disk = self.deployments.written()

    @rule(
        name=st.sampled_from(NAMES),
        verb=st.sampled_from([Verb.APPCONFIG, Verb.UPDATE, Verb.START, Verb.STOP, Verb.UNINSTALL]),
        version=st.integers(1, 3),
        restarted=st.booleans(),
    )
    def ordered(self, name: Application, verb: Verb, version: int, restarted: bool) -> None:  # noqa: FBT001
        self.generation += 1
        restarts = self.newest[name].restarts if name in self.newest else 0
        newest = order(
            verb, self.generation, name=name, version=version, restarts=restarts + int(restarted)
        )
        assert self.deployments.accept(newest, self.now) is Verdict.ACCEPTED
        self.newest[name] = newest
        self._save()

    @precondition(lambda self: self.newest)
    @rule(data=st.data(), older=st.integers(0, 5))
    def repeated_or_late(self, data: st.DataObject, older: int) -> None:
        newest = self.newest[data.draw(st.sampled_from(sorted(self.newest)))]
        late = order(Verb.UNINSTALL, max(0, newest.generation - older), name=newest.application)
        verdict = self.deployments.accept(newest if older == 0 else late, self.now)
        assert verdict in {Verdict.SAME, Verdict.REFUSED}

    @rule(seconds=st.sampled_from([0.05, 0.5, 3.0, 30.0, 90.0]))
    def time_passes(self, seconds: float) -> None:
        end = self.now + seconds
        for _ in range(2000):
            due = self.deployments.due(self.now)
            self._save()
            for name, step in due:
                self.deployments.done(name, step, self._act(name, step), self.now)
            self._save()
            if not due:
                self.now = max(self.now, min(self.deployments.wake_at, end))
                if self.now >= end:
                    return
        raise AssertionError("it never rests")

    @rule()
    def the_agent_is_killed(self) -> None:
        self._again(rebooted=False)

    @rule(name=st.sampled_from(NAMES), started=st.booleans())
    def the_agent_is_killed_in_the_middle_of_a_step(self, name: Application, started: bool) -> None:  # noqa: FBT001
        for due, step in self.deployments.due(self.now):
            self._save()
            # What was unpacked and not written down lies there until the application is removed.
            self.torn |= isinstance(step, Prepare) and started
            if started and due == name:
                self._act(due, step)
        self._again(rebooted=False)

    @rule()
    def what_the_agent_knew_is_torn(self) -> None:
        """The planner answers what it asks for with the newest orders."""
        self.deployments = Deployments(periods=PERIODS)
        self.deployments.lost()
        # What lies beside is forgotten with it, until the application is removed.
        self.torn = True
        for node in self.nodes.values():
            node.said = [State.UNDEFINED]
        for newest in self.newest.values():
            self.deployments.accept(newest, self.now)
        self._save()

    @rule()
    def the_machine_restarts(self) -> None:
        for node in self.nodes.values():
            node.running = ""
        self._again(rebooted=True)

    @rule(away=st.booleans())
    def the_depot_comes_and_goes(self, away: bool) -> None:  # noqa: FBT001
        self.astray = away

    @rule(broken=st.booleans())
    def start_scripts_break_and_heal(self, broken: bool) -> None:  # noqa: FBT001
        self.broken_start = broken

    @rule(version=st.integers(1, 3), bad=st.booleans())
    def a_version_is_bad_or_mended(self, version: int, bad: bool) -> None:  # noqa: FBT001
        (self.bad.add if bad else self.bad.discard)(f"{version}-1")

    @rule(name=st.sampled_from(NAMES))
    def the_application_dies(self, name: Application) -> None:
        self.nodes[name].running = ""
        self.deployments.ended(name, self.now)

    @invariant()
    def states_follow_the_table(self) -> None:
        for node in self.nodes.values():
            for earlier, later in pairwise(node.said):
                assert may_follow(earlier, later) or earlier is later

    def teardown(self) -> None:
        """When nothing fails any more, everything becomes as the newest orders say."""
        self.astray = self.broken_start = False
        self.bad.clear()
        self.time_passes(200.0)
        for name, newest in self.newest.items():
            node = self.nodes[name]
            goal = Record(order=newest).goal
            assert node.running == (newest.version if goal is Goal.RUNNING else "")
            assert node.installed == ("" if goal is Goal.GONE else newest.version)
            assert (name in self.deployments) is (goal is not Goal.GONE)
            if goal is Goal.RUNNING and not self.torn:
                assert node.directories == {newest.version}
        starts = {name: node.starts for name, node in self.nodes.items()}
        self._again(rebooted=False)
        self.time_passes(200.0)
        assert starts == {name: node.starts for name, node in self.nodes.items()}

    def _save(self) -> None:
        self.disk = json.loads(json.dumps(self.deployments.written()))

    def _again(self, *, rebooted: bool) -> None:
        self.deployments = Deployments(periods=PERIODS)
        self.deployments.load(self.disk, self.now, rebooted=rebooted)

    def _act(self, name: Application, step: Step) -> Outcome:
        node = self.nodes[name]
        match step:
            case Publish(state=state):
                node.said.append(state)
            case Fetch():
                return Troubled("the depot is away") if self.astray else Done()
            case Forget():
                node.said = [State.UNDEFINED]
            case _:
                return self._change(node, step)
        return Done()

    def _change(self, node: Node, step: Step) -> Outcome:
        match step:
            case Prepare() | Install() | Clean() | Uninstall():
                return self._bring(node, step)
            case Start():
                return self._start(node)
            case CheckStatus():
                code = 0 if node.running else 3
                return Checked(scripted=True, code=code, alive=bool(node.running), start_code=0)
            case Look():
                found = {"directory": node.installed} if node.installed else {}
                return Found(node.installed, found, bool(node.running))
            case Stop():
                node.running = ""
        return Done()

    @staticmethod
    def _bring(node: Node, step: Step) -> Outcome:
        match step:
            case Prepare(version=version):
                assert version != node.installed
                node.directories.add(version)
                return Installed({"directory": version})
            case Install(version=version, prepared=prepared):
                assert not node.running, "installed under a running application"
                assert not prepared or version in node.directories, "what was to be back is gone"
                node.installed = version
                node.directories.add(version)
                return Installed({"directory": version})
            case Clean(receipts=receipts, keep=keep):
                kept = {receipt.get("directory") for receipt in keep}
                gone = {receipt["directory"] for receipt in receipts} - kept
                assert node.installed not in gone
                node.directories -= gone
            case Uninstall():
                assert not node.running
                node.installed = ""
                node.directories.clear()
        return Done()

    def _start(self, node: Node) -> Outcome:
        assert not node.running, "a healthy application was started again"
        assert node.installed
        if self.broken_start or node.installed in self.bad:
            return Troubled("the start script fails")
        node.running, node.starts = node.installed, node.starts + 1
        return Started(7)


TestAnyCourse = AnyCourse.TestCase
TestAnyCourse.settings = settings(max_examples=120, stateful_step_count=25)


def test_what_is_written_comes_back() -> None:
    deployments = Deployments()
    deployments.accept(order(Verb.RESTART, 3, restarts=2), 0.0)
    deployments.accept(order(Verb.STOP, 4, name="Y"), 0.0)
    deployments[Application("X")].record.life = Life.BROKEN
    written = json.loads(json.dumps(deployments.written()))
    again = Deployments()
    again.load(written, 0.0, rebooted=False)
    assert again.written() == deployments.written()


@pytest.mark.parametrize(
    "values",
    [
        {"past": []},
        {"past": {"x": "many"}},
        {"past": {"../x": 1}},
        {"applications": 7},
        {"applications": [{}]},
        {"applications": [None]},
    ],
)
def test_of_what_cannot_be_read_nothing_is_taken(values: dict[str, object]) -> None:
    good = Deployments()
    good.accept(order(Verb.APPCONFIG, 1), 1.0)
    deployments = Deployments()
    with pytest.raises(Invalid):
        deployments.load({**good.written(), **values}, 1.0, rebooted=False)
    assert list(deployments) == []
    assert deployments.generation(order(Verb.APPCONFIG, 1).application) == -1
