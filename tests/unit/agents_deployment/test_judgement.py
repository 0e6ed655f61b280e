"""What counts as running."""

from __future__ import annotations

import pytest

from agents.deployment_agent.decide import Checked, Periods
from agents.deployment_agent.decide.backoff import RESTART
from agents.deployment_agent.decide.judgement import Verdict, starting, trouble, walk, well
from dsmt_core.lifecycle import State

P = Periods()


@pytest.mark.parametrize(
    ("checked", "expected"),
    [
        (Checked(scripted=True, code=0, alive=False), True),
        (Checked(scripted=True, code=3, alive=True), False),
        (Checked(scripted=True, code=None, alive=True), False),
        (Checked(scripted=False, alive=True), True),
        (Checked(scripted=False, alive=False), False),
        (Checked(scripted=True, code=0, alive=True, start_code=1), False),
        (Checked(scripted=True, code=0, alive=True, start_code=-9), False),
    ],
)
def test_the_status_script_decides_and_without_one_the_processes(checked: Checked, expected: bool) -> None:  # noqa: FBT001
    assert well(checked) is expected


@pytest.mark.parametrize(
    ("checked", "since_s", "expected"),
    [
        (Checked(scripted=True, code=0, alive=True, start_code=0), 0.0, Verdict.WELL),
        (Checked(scripted=True, code=0, alive=True), 0.5, Verdict.NOT_YET),
        (Checked(scripted=True, code=0, alive=True), 1.0, Verdict.WELL),
        (Checked(scripted=True, code=3, alive=True), 29.0, Verdict.NOT_YET),
        (Checked(scripted=True, code=3, alive=True), 30.0, Verdict.ILL),
        (Checked(scripted=True, code=3, alive=False), 1.0, Verdict.NOT_YET),
        (Checked(scripted=True, code=3, alive=False), 2.0, Verdict.ILL),
        (Checked(scripted=True, code=0, alive=True, start_code=1), 0.0, Verdict.ILL),
        (Checked(scripted=True, code=None, alive=True), 0.0, Verdict.ILL),
        (Checked(scripted=False, alive=True), 0.2, Verdict.NOT_YET),
        (Checked(scripted=False, alive=True, start_code=0), 0.2, Verdict.WELL),
    ],
)
def test_what_has_just_started_gets_its_time(checked: Checked, since_s: float, expected: Verdict) -> None:
    assert starting(checked, since_s, P) is expected


@pytest.mark.parametrize(
    ("checked", "expected"),
    [
        (
            Checked(scripted=True, code=1, text="no db", start_code=0),
            "the status script ended with exit code 1: no db",
        ),
        (Checked(scripted=True, code=3), "it has stopped: the status script ended with exit code 3"),
        (
            Checked(scripted=True, code=1, text="no", start_text="x"),
            "the status script ended with exit code 1: no; the last that it printed: x",
        ),
        (Checked(scripted=True, code=None), "status script did not answer within 10 s"),
        (Checked(scripted=False), "its processes have ended"),
        (
            Checked(scripted=True, code=1, start_code=7, start_text="no disk"),
            "the start script ended with exit code 7: no disk",
        ),
    ],
)
def test_trouble_is_told_in_one_line(checked: Checked, expected: str) -> None:
    assert trouble(checked, P.status_s) == expected


def test_a_walk_goes_on_where_it_is_and_begins_anew_after_an_end() -> None:
    assert walk(State.INSTANTIATED, State.RUNNING) == (State.INITIALIZED, State.RUNNING)
    assert walk(State.FAILED, State.INSTANTIATED) == (State.REQUESTED, State.INSTANTIATED)
    assert walk(State.RUNNING, State.REQUESTED) == (State.REQUESTED,)
    assert walk(State.RUNNING, State.RUNNING) == ()
    assert walk(State.INITIALIZED, State.REQUESTED) == ()


def test_waits_double_and_lasting_trouble_waits_longest() -> None:
    assert [RESTART.wait_s(failures) for failures in range(1, 7)] == [0.5, 1.0, 2.0, 4.0, 60.0, 60.0]
