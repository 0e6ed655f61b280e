"""One application's course, step by step, with a clock of the test."""

from __future__ import annotations

from itertools import pairwise

import pytest

from agents.deployment_agent.decide import (
    Checked,
    CheckStatus,
    Clean,
    Deployment,
    Done,
    Fetch,
    Forget,
    Install,
    Installed,
    Life,
    Outcome,
    Prepare,
    Publish,
    Record,
    Report,
    Start,
    Started,
    Step,
    Stop,
    Troubled,
    Uninstall,
    WaitUntil,
)
from dsmt_core.commands import Order, Verb
from dsmt_core.lifecycle import State
from dsmt_core.names import Application, Host, Slice
from dsmt_core.packages import PackageRef

WELL = Checked(scripted=True, code=0, text="ok", alive=True, start_code=0)
ILL = Checked(scripted=True, code=1, text="broken", alive=True, start_code=0)
WALK = [State.REQUESTED, State.INSTANTIATED, State.INITIALIZED, State.RUNNING]
OLD = (PackageRef("a" * 64, 1, "x-1.rpm"),)
NEW = (PackageRef("b" * 64, 1, "x-2.rpm"),)


def order(
    verb: Verb = Verb.APPCONFIG,
    generation: int = 1,
    *,
    packages: tuple[PackageRef, ...] = OLD,
    version: str = "1-1",
    restarts: int = 0,
) -> Order:
    return Order(
        verb=verb,
        host=Host("h"),
        slice=Slice("s"),
        generation=generation,
        application=Application("X"),
        wrapper="dsmtw_X",
        version=version,
        packages=packages,
        restarts=restarts,
        status_period=5.0,
    )


class Life1:
    """Plays the world for one deployment: every step succeeds unless ``outcomes`` says otherwise."""

    def __init__(self, first: Order) -> None:
        self.now = 100.0
        self.deployment = Deployment(Record(order=first), self.now)
        self.outcomes: dict[type, Outcome] = {}
        self.steps: list[Step] = []
        self.forgotten = False

    def outcome(self, step: Step) -> Outcome:
        usual: dict[type, Outcome] = {
            Install: Installed({"kind": "rpm"}),
            Start: Started(7),
            CheckStatus: WELL,
        }
        return self.outcomes.get(type(step)) or usual.get(type(step), Done())

    def until(self, end: float) -> None:
        """Play up to ``end`` seconds from the beginning."""
        for _ in range(1000):
            if self.now >= 100.0 + end or self.forgotten:
                return
            step = self.deployment.step(self.now)
            if isinstance(step, WaitUntil):
                assert step.at > self.now
                self.now = min(step.at, 100.0 + end)
                continue
            self.steps.append(step)
            self.deployment.done(step, self.outcome(step), self.now)
            self.forgotten = isinstance(step, Forget)
        raise AssertionError(f"no end of steps: {self.steps[-10:]}")

    @property
    def said(self) -> list[State]:
        return [step.state for step in self.steps if isinstance(step, Publish)]

    def kinds(self, *left_out: type) -> list[type]:
        return [type(step) for step in self.steps if type(step) not in left_out]

    def count(self, kind: type) -> int:
        return self.kinds().count(kind)


def test_an_order_walks_through_the_states_with_the_work_between() -> None:
    life = Life1(order())
    life.until(1.0)
    assert life.kinds(Report) == [
        Publish,
        Fetch,
        Publish,
        Install,
        Publish,
        Start,
        CheckStatus,
        Publish,
    ]
    assert life.said == WALK


def test_what_runs_is_looked_at_and_reported_each_period() -> None:
    life = Life1(order())
    life.until(21.0)
    assert life.count(CheckStatus) == 5
    assert life.said == WALK
    assert 5 <= life.count(Report) <= 6


def test_a_new_version_is_fetched_before_the_old_one_is_stopped() -> None:
    life = Life1(order())
    life.until(1.0)
    life.steps.clear()
    life.deployment.accept(order(generation=2, packages=NEW, version="2-1"), life.now)
    life.until(2.0)
    # The version before never proved well, so it is nothing to go back to.
    assert life.kinds(Report, Publish) == [Fetch, Prepare, Stop, Install, Start, CheckStatus, Clean]
    assert life.said == WALK
    assert life.deployment.held.version == "2-1"


def test_a_new_version_that_is_refused_leaves_the_old_one_alone() -> None:
    life = Life1(order())
    life.until(1.0)
    life.steps.clear()
    life.outcomes[Fetch] = Troubled("digest differs", final=True)
    life.deployment.accept(order(generation=2, packages=NEW, version="2-1"), life.now)
    life.until(60.0)
    assert life.count(Fetch) == 1
    assert life.said == []
    assert Stop not in life.kinds()
    assert life.deployment.note == "digest differs"
    assert life.deployment.held.version == "1-1"
    assert life.deployment.held.state is State.RUNNING


def test_a_new_version_that_cannot_be_had_now_is_tried_again_while_the_old_one_runs() -> None:
    life = Life1(order())
    life.until(1.0)
    life.outcomes[Fetch] = Troubled("depot away")
    life.deployment.accept(order(generation=2, packages=NEW, version="2-1"), life.now)
    life.until(30.0)
    assert life.said == WALK
    assert life.count(Fetch) == 1 + 5
    del life.outcomes[Fetch]
    life.until(90.0)
    assert life.said == [*WALK, *WALK]


def test_after_a_reboot_the_old_version_comes_up_while_the_new_one_is_refused() -> None:
    life = Life1(order())
    life.until(1.0)
    life.outcomes[Fetch] = Troubled("digest differs", final=True)
    life.deployment.accept(order(generation=2, packages=NEW, version="2-1"), life.now)
    life.until(2.0)
    life.deployment.rebooted(life.now)
    life.steps.clear()
    life.until(20.0)
    assert life.said == WALK
    assert next(step for step in life.steps if isinstance(step, Start)).version == "1-1"


def test_a_first_version_is_failed_when_it_is_refused_and_stays_so() -> None:
    life = Life1(order())
    life.outcomes[Fetch] = Troubled("digest differs", final=True)
    life.until(600.0)
    assert life.said == [State.REQUESTED, State.FAILED]
    assert life.count(Fetch) == 1


def test_a_depot_that_is_away_for_a_moment_is_no_failure() -> None:
    life = Life1(order())
    life.outcomes[Fetch] = Troubled("depot away")
    life.until(3.0)
    del life.outcomes[Fetch]
    life.until(10.0)
    assert life.said == WALK


def test_a_depot_that_stays_away_is_failed_once_and_tried_again() -> None:
    life = Life1(order())
    life.outcomes[Fetch] = Troubled("depot away")
    life.until(300.0)
    assert life.said == [State.REQUESTED, State.FAILED]
    assert life.count(Fetch) > 7
    del life.outcomes[Fetch]
    life.until(400.0)
    assert life.said == [State.REQUESTED, State.FAILED, *WALK]


def test_failures_in_a_row_wait_longer_and_the_fifth_stays_published() -> None:
    life = Life1(order())
    life.outcomes[Start] = Troubled("cannot be started")
    starts = []
    for second in range(1, 2000):
        before = life.count(Start)
        life.until(second / 10)
        if life.count(Start) > before:
            starts.append(second / 10)
    waits = [round(later - earlier, 1) for earlier, later in pairwise(starts)]
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[4:] == [60.0, 60.0, 60.0]
    assert life.said.count(State.FAILED) == 5
    assert life.said[-1] is State.FAILED


def test_a_quiet_attempt_that_succeeds_walks_from_requested() -> None:
    life = Life1(order())
    life.outcomes[CheckStatus] = Checked(scripted=True, code=1, alive=False, start_code=3)
    life.until(30.0)
    assert life.said[-1] is State.FAILED
    del life.outcomes[CheckStatus]
    life.until(120.0)
    assert life.said[-5:] == [State.FAILED, *WALK]


def test_a_minute_of_health_forgets_the_failures() -> None:
    life = Life1(order())
    life.outcomes[CheckStatus] = Checked(scripted=True, code=1, alive=False, start_code=3)
    life.until(1.0)
    assert life.deployment.record.failures == 2
    del life.outcomes[CheckStatus]
    life.until(80.0)
    assert life.deployment.record.failures == 0


def test_what_recovers_by_itself_is_not_started_again() -> None:
    life = Life1(order())
    life.until(1.0)
    life.outcomes[CheckStatus] = ILL
    life.until(5.3)
    assert life.said == [*WALK, State.FAILED]
    del life.outcomes[CheckStatus]
    life.until(20.0)
    assert life.said == [*WALK, State.FAILED, *WALK]
    assert life.count(Start) == 1
    assert life.count(Stop) == 0


def test_what_is_broken_is_stopped_before_it_is_started_again() -> None:
    life = Life1(order())
    life.until(1.0)
    life.steps.clear()
    life.outcomes[CheckStatus] = ILL
    life.until(5.9)
    assert life.kinds(Report, Publish)[:4] == [CheckStatus, CheckStatus, Stop, Start]


def test_unknown_is_not_false() -> None:
    life = Life1(order())
    life.until(1.0)
    life.outcomes[CheckStatus] = Troubled("the init does not answer")
    life.until(60.0)
    assert life.said == WALK
    assert Stop not in life.kinds()


def test_a_restart_stops_and_starts_once() -> None:
    life = Life1(order())
    life.until(1.0)
    life.steps.clear()
    for _ in range(3):
        life.deployment.accept(order(Verb.RESTART, 2, restarts=1), life.now)
    life.until(10.0)
    assert life.kinds(Report, Publish, CheckStatus) == [Stop, Start]
    assert life.said == WALK


def test_a_higher_generation_with_the_same_content_disturbs_nothing() -> None:
    life = Life1(order())
    life.until(1.0)
    life.steps.clear()
    life.deployment.accept(order(Verb.START, 9), life.now)
    life.until(4.0)
    assert life.steps == []
    assert life.deployment.held.generation == 9


def test_stop_ends_it_and_start_walks_again() -> None:
    life = Life1(order())
    life.until(1.0)
    life.deployment.accept(order(Verb.STOP, 2), life.now)
    life.until(30.0)
    assert life.said == [*WALK, State.TERMINATED]
    assert life.deployment.settled
    life.deployment.accept(order(Verb.START, 3), life.now)
    life.until(31.0)
    assert life.said == [*WALK, State.TERMINATED, *WALK]
    assert life.count(Install) == 1


def test_what_is_ordered_stopped_is_installed_without_a_walk() -> None:
    life = Life1(order(Verb.STOP))
    life.until(30.0)
    assert life.said == [State.TERMINATED]
    assert life.kinds(Report, Publish) == [Fetch, Install]
    assert life.deployment.settled


def test_uninstall_stops_removes_and_forgets() -> None:
    life = Life1(order())
    life.until(1.0)
    life.steps.clear()
    life.deployment.accept(order(Verb.UNINSTALL, 2, packages=(), version=""), life.now)
    life.until(3.0)
    assert life.kinds(Report) == [Stop, Uninstall, Publish, Forget]
    assert life.said == [State.TERMINATED]


def test_a_removal_that_fails_is_tried_until_it_works() -> None:
    life = Life1(order())
    life.until(1.0)
    life.outcomes[Uninstall] = Troubled("scriptlet failed", final=True)
    life.deployment.accept(order(Verb.UNINSTALL, 2, packages=(), version=""), life.now)
    life.until(300.0)
    assert not life.forgotten
    assert life.said == [*WALK, State.FAILED]
    del life.outcomes[Uninstall]
    life.until(400.0)
    assert isinstance(life.steps[-1], Forget)
    assert life.said == [*WALK, State.FAILED, State.TERMINATED]


def test_a_stop_that_fails_is_tried_again() -> None:
    life = Life1(order())
    life.until(1.0)
    life.outcomes[Stop] = Troubled("survives SIGKILL")
    life.deployment.accept(order(Verb.STOP, 2), life.now)
    life.until(10.0)
    assert life.count(Stop) == 9
    assert State.TERMINATED not in life.said


def test_an_install_that_fails_is_failed_and_fetched_again() -> None:
    life = Life1(order())
    life.outcomes[Install] = Troubled("rpm failed")
    life.until(0.7)
    assert life.said == [State.REQUESTED, State.INSTANTIATED, State.FAILED] * 2
    assert life.deployment.held.version == ""
    del life.outcomes[Install]
    life.until(10.0)
    assert life.said[-4:] == WALK


def test_a_crash_between_writing_and_starting_starts_it() -> None:
    life = Life1(order())
    life.until(1.0)
    record = life.deployment.record
    record.life, record.start_pid, record.state = Life.STARTING, 0, State.INITIALIZED
    again = Life1(order())
    again.deployment = Deployment(record, again.now)
    again.outcomes[CheckStatus] = Checked(scripted=True, code=3, alive=False)
    again.until(0.05)
    again.outcomes.clear()
    again.until(1.0)
    assert again.kinds(Report, Publish)[:2] == [CheckStatus, Start]
    assert again.said == [State.RUNNING]


def test_an_agent_that_comes_back_adopts_without_a_word() -> None:
    life = Life1(order())
    life.until(1.0)
    again = Life1(order())
    again.deployment = Deployment(life.deployment.record, again.now)
    again.until(20.0)
    assert set(again.kinds()) == {CheckStatus, Report}


def test_after_a_reboot_nothing_starts_for_five_seconds_unless_the_planner_speaks() -> None:
    for confirmed_at, started_after in ((None, 5.0), (2.0, 2.0)):
        life = Life1(order())
        life.until(1.0)
        record = life.deployment.record
        again = Life1(order())
        again.deployment = Deployment(record, again.now)
        again.deployment.rebooted(again.now)
        assert not again.deployment.settled
        if confirmed_at is not None:
            again.until(confirmed_at)
            again.deployment.confirmed()
        again.until(started_after - 0.01)
        assert Start not in again.kinds() or confirmed_at
        again.until(started_after + 0.1)
        assert again.said == WALK


def test_the_end_of_a_process_is_looked_into_at_once() -> None:
    life = Life1(order())
    life.until(2.0)
    life.steps.clear()
    life.deployment.ended(life.now)
    life.until(2.2)
    assert life.kinds() == [CheckStatus]


def test_an_order_without_packages_for_something_not_there_is_failed() -> None:
    life = Life1(order(packages=()))
    life.until(100.0)
    assert life.said == [State.FAILED]


@pytest.mark.parametrize("verb", [Verb.STOP, Verb.UNINSTALL])
def test_a_start_script_that_hangs_can_be_stopped(verb: Verb) -> None:
    life = Life1(order())
    life.outcomes[CheckStatus] = Checked(scripted=True, code=3, alive=True)
    life.until(5.0)
    life.deployment.accept(order(verb, 2), life.now)
    life.until(6.0)
    assert life.said[-1] is State.TERMINATED
