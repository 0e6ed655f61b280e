"""Several bad answers make a failure, several good ones health; restarts are as people choose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.deployment_agent.decide import Checked, CheckStatus, Fetch, Life, Start, Stop
from agents.deployment_agent.decide.damping import Damping
from agents.deployment_agent.decide.judgement import ended_well, trouble, well
from agents.deployment_agent.decide.record import read, written
from dsmt_core.commands import Order, Verb
from dsmt_core.lifecycle import State
from dsmt_core.watch import Restart, Watch
from tests.unit.agents_deployment.test_deployment import ILL, WALK, WELL, Life1, order

HTTP = "http://127.0.0.1:80/"
GOOD = Checked(scripted=True, code=0, text="200 OK", alive=True, start_code=0, probe=HTTP)
BAD = Checked(scripted=True, code=1, text="503 Busy", alive=True, start_code=0, probe=HTTP)
DEAD = replace(BAD, alive=False, start_text="bye")
DONE = Checked(scripted=False, alive=False, start_code=0)
BROKEN = Checked(scripted=False, alive=False, start_code=7)


def watched(generation: int = 1, verb: Verb = Verb.APPCONFIG, **watch: Any) -> Order:
    return replace(order(verb, generation), watch=Watch.of(watch))


def running(checked: Checked = WELL, **watch: Any) -> Life1:
    """An application that has come up."""
    life = Life1(watched(**watch))
    life.outcomes[CheckStatus] = checked
    life.until(20.0)
    assert life.said == WALK
    life.steps.clear()
    return life


def says(life: Life1, checked: Checked, seconds: float) -> None:
    """The checks say this for so long."""
    life.outcomes[CheckStatus] = checked
    life.until(life.now - 100.0 + seconds)


def test_one_bad_answer_of_three_is_a_doubt_and_no_failure() -> None:
    life = running(failures=3)
    says(life, ILL, 9.9)
    assert life.said == []
    assert (
        life.deployment.note == "2 of 3 failures in a row: the status script ended with exit code 1: broken"
    )
    says(life, WELL, 5.0)
    assert life.deployment.note == ""
    says(life, ILL, 9.9)
    assert life.said == []
    says(life, ILL, 5.1)
    assert life.said[0] is State.FAILED
    assert life.deployment.record.reason.startswith("the status script ended with exit code 1")


def test_what_has_died_is_not_asked_again() -> None:
    life = running(GOOD, check=HTTP, failures=9)
    says(life, DEAD, 5.0)
    assert life.said[0] is State.FAILED
    assert life.deployment.record.reason == "its processes have ended: bye"


def test_it_runs_only_after_so_many_good_answers_in_a_row() -> None:
    life = Life1(watched(successes=3, every_s=10.0))
    life.outcomes[CheckStatus] = WELL
    life.until(0.05)
    assert life.said == WALK[:3]
    life.until(2.0)
    assert life.said == WALK
    assert life.count(CheckStatus) == 3


def test_what_gets_well_by_itself_has_to_say_so_as_often() -> None:
    life = running(successes=3, restart="never")
    says(life, ILL, 10.0)
    life.steps.clear()
    says(life, WELL, 9.0)
    assert State.RUNNING not in life.said
    says(life, WELL, 6.0)
    assert life.said == WALK
    assert Start not in life.kinds()


def test_it_is_checked_as_often_as_its_watch_says() -> None:
    life = running(GOOD, check=HTTP, every_s=1.0, timeout_s=2.0)
    says(life, GOOD, 10.0)
    assert life.count(CheckStatus) == 10
    step = next(step for step in life.steps if isinstance(step, CheckStatus))
    assert (step.watch.check, step.watch.timeout_s) == (HTTP, 2.0)


def test_a_new_check_ends_nothing_before_it_has_passed_once() -> None:
    life = running()
    life.deployment.accept(watched(2, check=HTTP), life.now)
    says(life, BAD, 100.0)
    assert (life.said, Stop in life.kinds()) == ([], False)
    assert life.deployment.note.endswith("does not count so long: http://127.0.0.1:80/: 503 Busy")
    says(life, GOOD, 5.0)
    assert life.deployment.note == ""
    assert read(written(life.deployment.record)).proven == HTTP
    says(life, BAD, 5.0)
    assert life.said[0] is State.FAILED


def test_a_look_that_was_under_way_says_nothing_of_a_check_that_was_ordered_meanwhile() -> None:
    life = running()
    life.now += 5.0
    step = life.deployment.step(life.now)
    assert isinstance(step, CheckStatus)
    life.deployment.accept(watched(2, check=HTTP), life.now)
    life.deployment.done(step, WELL, life.now)
    assert life.deployment.record.proven == ""
    again = life.deployment.step(life.now)
    assert isinstance(again, CheckStatus)
    assert again.watch.check == HTTP
    life.deployment.done(again, BAD, life.now)
    says(life, BAD, 100.0)
    assert (life.said, Stop in life.kinds()) == ([], False)
    assert "never passed this check" in life.deployment.note


def test_what_is_started_has_to_pass_the_check() -> None:
    life = Life1(watched(check=HTTP))
    life.outcomes[CheckStatus] = replace(BAD, code=None)
    life.until(29.0)
    assert life.said == WALK[:3]
    life.until(40.0)
    assert State.FAILED in life.said
    assert life.deployment.record.reason == f"{HTTP} did not answer within 10 s"


def test_an_answer_of_somebody_else_at_the_port_is_none() -> None:
    assert not well(replace(GOOD, alive=False))
    assert well(replace(WELL, alive=False)), "a status script knows"
    assert trouble(replace(GOOD, alive=False, start_text="port taken"), 1.0).endswith("ended: port taken")


def test_what_fails_too_often_stays_failed_until_the_window_has_room() -> None:
    life = running(restarts=2, within_s=600)
    life.outcomes[CheckStatus] = BROKEN
    says(life, BROKEN, 100.0)
    assert life.count(Start) == 2
    assert life.deployment.record.reason.startswith("failed more than 2 times within 600 s, now: ")
    assert life.said[-1] is State.FAILED
    life.steps.clear()
    says(life, WELL, 400.0)
    assert (life.said, life.count(Start)) == ([], 0), "neither called running nor started"
    says(life, WELL, 200.0)
    assert life.said == WALK


def test_what_flaps_is_not_told_for_ever() -> None:
    life = running(restarts=3, within_s=1000)
    for _ in range(50):
        says(life, ILL, 5.0)
        says(life, WELL, 12.0)
    assert life.said.count(State.FAILED) <= 4


def test_never_means_that_people_say_when() -> None:
    life = running(restart="never")
    says(life, BROKEN, 1000.0)
    assert (life.said, life.count(Start), life.count(Stop)) == ([State.FAILED], 0, 0)
    assert life.deployment.record.reason.endswith("(it is not restarted: its policy is never)")
    life.deployment.accept(replace(watched(2, Verb.RESTART, restart="never"), restarts=1), life.now)
    says(life, WELL, 10.0)
    assert (life.count(Stop), life.count(Start), life.said[-1]) == (1, 1, State.RUNNING)


def test_never_lets_it_get_well_by_itself() -> None:
    life = running(restart="never")
    says(life, ILL, 60.0)
    says(life, WELL, 10.0)
    assert (life.said, life.count(Start)) == ([State.FAILED, *WALK], 0)


def test_on_failure_leaves_what_ended_by_itself() -> None:
    life = running(Checked(scripted=False, alive=True), restart="on-failure")
    says(life, DONE, 1000.0)
    assert (life.said, life.count(Start)) == ([State.TERMINATED], 0)
    assert life.deployment.record.life is Life.ENDED
    assert life.deployment.settled
    kept = read(written(life.deployment.record))
    assert (kept.life, kept.reason) == (Life.ENDED, "its processes have ended")
    life.deployment.accept(replace(watched(2, Verb.RESTART, restart="on-failure"), restarts=1), life.now)
    says(life, Checked(scripted=False, alive=True), 10.0)
    assert life.count(Start) == 1


def test_on_failure_takes_a_short_job_as_one_and_starts_again_what_failed() -> None:
    life = Life1(watched(restart="on-failure"))
    life.outcomes[CheckStatus] = DONE
    life.until(100.0)
    assert (life.said, life.count(Start)) == ([*WALK[:3], State.TERMINATED], 1)
    life = running(Checked(scripted=False, alive=True), restart="on-failure")
    says(life, BROKEN, 3.0)
    assert life.count(Start) >= 1


@pytest.mark.parametrize(
    ("checked", "expected"),
    [
        (DONE, True),
        (BROKEN, False),
        (replace(DONE, start_code=None), False),
        (replace(DONE, alive=True), False),
        (Checked(scripted=True, code=3), True),
        (Checked(scripted=True, code=3, killed="over its memory limit"), False),
        (Checked(scripted=True, code=3, start_code=1), False),
        (Checked(scripted=True, code=1), False),
        (Checked(scripted=True, code=1, probe=HTTP, start_code=0), True),
        (Checked(scripted=True, code=1, probe=HTTP), False),
    ],
)
def test_who_ended_by_itself(checked: Checked, *, expected: bool) -> None:
    assert ended_well(checked) is expected


def test_another_watch_asks_at_once_and_counts_anew() -> None:
    life = running(failures=3)
    says(life, ILL, 9.0)
    life.deployment.accept(watched(2, failures=2), life.now)
    says(life, ILL, 0.1)
    assert life.said == []
    says(life, ILL, 5.0)
    assert life.said[0] is State.FAILED
    assert Fetch not in life.kinds()


@given(st.lists(st.floats(0, 50), max_size=30), st.integers(0, 4))
def test_never_more_failures_are_let_through_than_allowed(waits: list[float], restarts: int) -> None:
    watch = Watch(restarts=restarts, within_s=100.0)
    damping, now, started = Damping(), 0.0, []
    for wait in waits:
        now = max(now + wait, damping.held_until(now, watch))
        started.append(now)
        damping.failed(now, watch)
        assert len(damping.failed_at) <= restarts + 1
    if restarts:
        for number, at in enumerate(started):
            assert len([one for one in started[: number + 1] if at - one < 99.9]) <= restarts + 1


def test_a_policy_is_one_of_three() -> None:
    assert [*Restart] == ["always", "on-failure", "never"]
