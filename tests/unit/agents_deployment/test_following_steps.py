"""What follows for one application from each state: the step, what is said, and what is written before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agents.deployment_agent.decide import (
    CheckStatus,
    Clean,
    Fetch,
    Forget,
    Install,
    Life,
    Look,
    Prepare,
    Publish,
    Start,
    Step,
    Stop,
    Uninstall,
    WaitUntil,
)
from agents.deployment_agent.decide.course import NEVER
from agents.deployment_agent.decide.edition import Edition, GaveUp
from agents.deployment_agent.decide.following import following
from dsmt_core.commands import Order
from dsmt_core.lifecycle import State
from tests.unit.agents_deployment.courses import (
    GONE,
    HELLO,
    NEWER,
    NOW,
    REST,
    RESTARTED,
    STOPPED,
    UP,
    course,
)
from tests.unit.agents_deployment.test_deployment import NEW, OLD, order

BEFORE = Edition(version="1-1", packages=OLD, receipt={"old": "1"})
BESIDE = Edition(version="2-1", packages=NEW, receipt={"kind": "tar"})
TRIAL: dict[str, Any] = {
    **UP,
    "version": "2-1",
    "packages": NEW,
    "receipt": {"kind": "tar"},
    "before": BEFORE,
}
TRIED: dict[str, Any] = {**TRIAL, "life": Life.DOWN, "state": State.INSTANTIATED}
GIVEN_UP = GaveUp(packages=NEW, configuration="", version="2-1", reason="its port is taken")


@pytest.mark.parametrize(
    ("first", "known", "step", "says"),
    [
        (order(), {"life": Life.UNSURE}, Look("1-1"), []),
        (order(), {"life": Life.UNSURE, "stop_at": 101.0}, WaitUntil(101.0), []),
        (order(), {"life": Life.UNSURE, "stop_at": 100.0}, Look("1-1"), []),
        # Gone: stopped, removed, said, forgotten.
        (GONE, UP, Stop("1-1"), []),
        (GONE, {**UP, "stop_at": 100.5}, WaitUntil(100.5), []),
        (GONE, {**REST, "touched": True, "receipt": {"kind": "rpm"}}, Uninstall({"kind": "rpm"}), []),
        (GONE, {**REST, "touched": True, "retry_at": 100.5}, WaitUntil(100.5), []),
        (GONE, {**REST, "touched": True, "retry_at": 100.0}, Uninstall({}), []),
        (GONE, {"state": State.FAILED}, Forget(), [State.TERMINATED]),
        (GONE, {"state": State.UNDEFINED}, Forget(), []),
        (GONE, {"state": State.TERMINATED}, Forget(), []),
        # Stopped: ended, said, and what is newer installed.
        (STOPPED, UP, Stop("1-1"), []),
        (STOPPED, {**REST, "state": State.RUNNING}, WaitUntil(NEVER), [State.TERMINATED]),
        (STOPPED, REST, WaitUntil(NEVER), []),
        (STOPPED, {"state": State.TERMINATED}, Fetch(OLD), []),
        (STOPPED, {"state": State.FAILED}, WaitUntil(50.0), [State.TERMINATED]),
        (STOPPED, {"state": State.TERMINATED, "fetch_at": 101.0}, WaitUntil(101.0), []),
        (
            STOPPED,
            {"state": State.TERMINATED, "fetch_at": 101.0, "held_until": 105.0},
            WaitUntil(105.0),
            [],
        ),
        (STOPPED, {"state": State.TERMINATED, "fetch_at": 100.0, "held_until": 100.0}, Fetch(OLD), []),
        (
            STOPPED,
            {"state": State.TERMINATED, "fetched": OLD, "fetch_at": 101.0},
            Install(OLD, "1-1"),
            [],
        ),
        (STOPPED, {"state": State.TERMINATED, "fetched": OLD, "retry_at": 101.0}, WaitUntil(101.0), []),
        (STOPPED, {"state": State.TERMINATED, "refused": OLD}, WaitUntil(NEVER), []),
        # Running: held after a restart of the machine.
        (order(), {**REST, "held_until": 105.0}, WaitUntil(105.0), []),
        (order(), {**UP, "held_until": 105.0}, CheckStatus("1-1", 0), []),
        (
            order(),
            {**UP, "life": Life.STARTING, "start_pid": 7, "held_until": 105.0},
            CheckStatus("1-1", 7),
            [],
        ),
        # Running: fetched and installed first.
        (order(), {}, Fetch(OLD), [State.REQUESTED]),
        (order(), {"fetch_at": 101.0}, WaitUntil(101.0), []),
        (order(), {"fetched": OLD, "retry_at": 101.0}, WaitUntil(101.0), []),
        (
            order(),
            {"fetched": OLD, "retry_at": 100.0},
            WaitUntil(100.0),
            [State.REQUESTED, State.INSTANTIATED],
        ),
        (
            order(),
            {"fetched": OLD, "state": State.INSTANTIATED, "receipt": {"a": "b"}},
            Install(OLD, "1-1", {"a": "b"}, taken=({"a": "b"},)),
            [],
        ),
        (order(), {"refused": OLD}, WaitUntil(NEVER), []),
        # Another version while the old one runs.
        (NEWER, UP, Fetch(NEW), []),
        (NEWER, {**UP, "fetch_at": 101.0, "check_at": 103.0}, WaitUntil(101.0), []),
        (NEWER, {**UP, "fetch_at": 104.0, "check_at": 103.0}, WaitUntil(103.0), []),
        (NEWER, {**UP, "fetch_at": 104.0}, CheckStatus("1-1", 0), []),
        (
            NEWER,
            {**UP, "fetched": NEW, "retry_at": 101.0, "prepared": BESIDE},
            Stop("1-1"),
            [State.REQUESTED, State.INSTANTIATED],
        ),
        (NEWER, {**UP, "fetched": NEW}, Prepare(NEW, "2-1", (), OLD), []),
        (NEWER, {**UP, "fetched": NEW, "fetch_at": 104.0}, CheckStatus("1-1", 0), []),
        # What did not become healthy: the version before is back, from what is there.
        (NEWER, {**TRIAL, "returning": True}, Stop("2-1"), [State.REQUESTED, State.INSTANTIATED]),
        (NEWER, {**TRIED, "returning": True}, Install(OLD, "1-1", {"kind": "tar"}, {"old": "1"}), []),
        (NEWER, {**TRIED, "returning": True, "retry_at": 101.0}, WaitUntil(101.0), []),
        (NEWER, {**TRIED, "returning": True, "missing": True}, Fetch(OLD), []),
        (order(), TRIAL, Stop("2-1"), [State.REQUESTED, State.INSTANTIATED]),
        (
            NEWER,
            {**TRIED, "version": "", "packages": (), "refused": NEW},
            Install(OLD, "1-1", {"kind": "tar"}, {"old": "1"}),
            [],
        ),
        # What was given up is left alone for long.
        (NEWER, {**UP, "gave_up": GIVEN_UP, "again_at": 101.0, "check_at": 102.0}, WaitUntil(101.0), []),
        (NEWER, {**UP, "gave_up": GIVEN_UP, "again_at": 100.0}, Fetch(NEW), []),
        (order(), {**UP, "gave_up": GIVEN_UP, "check_at": 102.0}, WaitUntil(102.0), []),
        # What nobody needs is removed when there is time.
        (order(), {**UP, "leftovers": ({"a": "b"},), "check_at": 102.0}, Clean(({"a": "b"},), ()), []),
        (
            order(),
            {**UP, "leftovers": ({"a": "b"},), "check_at": 102.0, "clean_at": 101.0},
            WaitUntil(101.0),
            [],
        ),
        (order(), {**UP, "leftovers": ({"a": "b"},)}, CheckStatus("1-1", 0), []),
        (STOPPED, {**REST, "leftovers": ({"a": "b"},)}, Clean(({"a": "b"},), ()), []),
        (
            GONE,
            {**REST, "touched": True, "prepared": BESIDE, "leftovers": ({"a": "b"},)},
            Uninstall({}, ({"kind": "tar"}, {"a": "b"})),
            [],
        ),
        (NEWER, {**UP, "life": Life.STARTING}, Fetch(NEW), []),
        (NEWER, {**UP, "life": Life.BROKEN}, Fetch(NEW), [State.REQUESTED]),
        # What is installed is kept running.
        (order(), UP, CheckStatus("1-1", 0), []),
        (order(), {**UP, "check_at": 101.0}, WaitUntil(101.0), []),
        (order(), {**UP, "life": Life.DOOMED}, Stop("1-1"), []),
        (order(), {**REST, "retry_at": 101.0}, WaitUntil(101.0), []),
        (order(), REST, WaitUntil(100.0), [State.REQUESTED, State.INSTANTIATED, State.INITIALIZED]),
        (order(), {**REST, "state": State.INITIALIZED}, Start("1-1"), []),
        (RESTARTED, UP, Stop("1-1"), [State.REQUESTED]),
        (RESTARTED, {**UP, "restarts": 1}, CheckStatus("1-1", 0), []),
        (RESTARTED, {**UP, "life": Life.DOOMED}, Stop("1-1"), []),
        (replace(order(), configuration=HELLO), UP, Stop("1-1"), [State.REQUESTED]),
        (replace(order(), configuration=HELLO), {**UP, "configuration": HELLO}, CheckStatus("1-1", 0), []),
        (order(packages=()), {}, WaitUntil(NEVER), [State.FAILED]),
    ],
)
def test_from_each_state_one_step_follows(
    first: Order, known: dict[str, Any], step: Step, says: list[State]
) -> None:
    made = course(first, **known)
    assert following(made, NOW) == step
    assert made.to_say == says


def test_what_a_start_is_about_to_do_is_written_before() -> None:
    first = replace(RESTARTED, configuration=HELLO)
    made = course(first, **{**REST, "state": State.INITIALIZED, "start_pid": 7})
    assert following(made, NOW) == Start("1-1", HELLO)
    record = made.record
    assert (record.life, record.start_pid, record.restarts, record.configuration) == (
        Life.STARTING,
        0,
        1,
        HELLO,
    )
    assert (made.started_at, made.check_at) == (NOW, NOW)


def test_what_an_installation_is_about_to_do_is_written_before() -> None:
    made = course(NEWER, **{**REST, "state": State.INSTANTIATED, "fetched": NEW, "receipt": {"old": "1"}})
    made.record.mature, made.record.prepared = True, BESIDE
    step = Install(NEW, "2-1", {"old": "1"}, {"kind": "tar"}, ({"old": "1"}, {"old": "1"}))
    assert following(made, NOW) == step
    record = made.record
    assert (record.version, record.packages, record.touched) == ("", (), True)
    assert (record.before, record.mature) == (BEFORE, False)
    # What never proved well is nothing to go back to.
    made = course(NEWER, **{**REST, "state": State.INSTANTIATED, "fetched": NEW, "receipt": {"old": "1"}})
    made.record.prepared = BESIDE
    following(made, NOW)
    assert made.record.before is None
    assert made.record.leftovers == ({"old": "1"},)


def test_what_was_prepared_for_another_order_is_left_over() -> None:
    made = course(order(packages=OLD, version="3-1"), **{**TRIAL, "before": None, "fetched": OLD})
    made.record.prepared = BESIDE
    assert following(made, NOW) == Prepare(OLD, "3-1", ({"kind": "tar"}, {"kind": "tar"}), NEW)
    record = made.record
    assert record.prepared is None
    assert record.leftovers == ({"kind": "tar"},)


def test_a_restart_is_said_and_the_application_doomed_once() -> None:
    made = course(RESTARTED, **UP)
    following(made, NOW)
    assert (made.record.life, made.to_say) == (Life.DOOMED, [State.REQUESTED])
    following(made, NOW)
    assert made.to_say == [State.REQUESTED]


def test_without_packages_the_reason_is_told() -> None:
    made = course(order(packages=()))
    following(made, NOW)
    assert made.record.reason == "the order names no packages, and nothing is installed"
    assert made.publication() == Publish(State.FAILED, "1-1", 1, made.record.reason)
