"""Whether an application is well, from what its scripts said and its processes show.

The contract of the scripts: *start* may return or stay; *status* 0 runs, 3 stopped, anything else
failed; without a status script, running means that a process lives.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agents.deployment_agent.decide.steps import Checked
from dsmt_core.lifecycle import State

STOPPED_CODE = 3
_MOST_RETREATS = 96.0
_DOUBLINGS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """The times of an agent, seconds.

    Attributes:
        status_s: how long one call of the status script may take.
        first_poll_s: after a start the status is asked so soon, then after twice as long, and so on
            up to the order's period.
        grace_s: how long after its start an application may say that it does not run yet.
        settle_s: a start script that has not returned by then is taken to stay in the foreground.
        empty_s: so long after its start an application without any process is not waited for.
        ask_s: after a restart of the machine, how long to wait for the planner's answer.
        again_s: between attempts at something that cannot fail for long, such as a stop.
        proof_s: what has been healthy for so long after an upgrade has proved well.
        retreat_s: what was given up is tried again after so long, then twice as long, up to 96 times as
            long: a day.
    """

    status_s: float = 10.0
    first_poll_s: float = 0.1
    grace_s: float = 30.0
    settle_s: float = 1.0
    empty_s: float = 2.0
    ask_s: float = 5.0
    again_s: float = 1.0
    proof_s: float = 10.0
    retreat_s: float = 900.0

    def second_chance_s(self, times: int) -> float:
        """How long what was given up ``times`` times (at least 1) is left alone."""
        return self.retreat_s * min(2.0 ** (min(times, _DOUBLINGS) - 1), _MOST_RETREATS)


class Verdict(StrEnum):
    """What a look at an application that is being started tells."""

    WELL = "well"
    NOT_YET = "not yet"
    ILL = "ill"


def well(checked: Checked) -> bool:
    """Whether an application that has started runs."""
    if checked.start_code not in {None, 0}:
        return False
    if checked.probe:
        # Somebody else may answer at the port: what does not live is not well.
        return checked.code == 0 and checked.alive
    return checked.code == 0 if checked.scripted else checked.alive


def ended_well(checked: Checked) -> bool:
    """Whether an application that does not run has ended by itself, and not by a failure."""
    if checked.alive or checked.killed or checked.start_code not in {None, 0}:
        return False
    if checked.scripted and not checked.probe:
        return checked.code == STOPPED_CODE
    return checked.start_code == 0


def starting(checked: Checked, since_s: float, periods: Periods) -> Verdict:
    """The same for one that was started ``since_s`` seconds ago."""
    settled = checked.start_code == 0 or since_s >= periods.settle_s
    if well(checked):
        return Verdict.WELL if settled else Verdict.NOT_YET
    hopeless = (
        checked.start_code not in {None, 0}
        or (checked.scripted and not checked.probe and checked.code is None)
        or since_s >= periods.grace_s
        or (not checked.alive and since_s >= periods.empty_s)
    )
    return Verdict.ILL if hopeless else Verdict.NOT_YET


def trouble(checked: Checked, timeout_s: float) -> str:
    """What is wrong with an application that is not well, in one line; ``timeout_s`` is that of a check."""
    if checked.killed:
        return checked.killed
    if checked.start_code not in {None, 0}:
        return _said(f"the start script ended with exit code {checked.start_code}", checked.start_text)
    if not checked.scripted or (checked.probe and not checked.alive):
        return _said("its processes have ended", checked.start_text)
    complaint = _complaint(checked, timeout_s)
    if checked.alive or not checked.start_text:
        return complaint
    # The script says that it is gone; why, it has said itself.
    return f"{complaint}; the last that it printed: {checked.start_text}"


def _complaint(checked: Checked, timeout_s: float) -> str:
    """What the check of an application says, or that it says nothing."""
    if checked.code is None:
        return f"{checked.probe or 'status script'} did not answer within {timeout_s:g} s"
    if checked.probe:
        return f"{checked.probe}: {checked.text}"
    if checked.code == STOPPED_CODE:
        return _said("it has stopped: the status script ended with exit code 3", checked.text)
    return _said(f"the status script ended with exit code {checked.code}", checked.text)


def walk(state: State, upto: State) -> tuple[State, ...]:
    """The states to publish from ``state`` up to ``upto``; a further attempt begins with requested."""
    if state is upto:
        return ()
    begin = _PATH.index(state) + 1 if state in _PATH[:-1] else 0
    return _PATH[begin : _PATH.index(upto) + 1]


_PATH = (State.REQUESTED, State.INSTANTIATED, State.INITIALIZED, State.RUNNING)


def _said(what: str, text: str) -> str:
    return f"{what}: {text}" if text else what
