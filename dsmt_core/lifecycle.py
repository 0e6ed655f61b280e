"""The life cycle of a layer (container, deployment agent, application), as one table.

The states are those of the architecture guide, which are CDDLM's: forward only, any state may go to
failed or terminated, and a notification only on a real change. A further attempt (after a failure, a
stop, or for a new version) begins with ``requested`` again.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from dsmt_core.errors import Invalid


class State(StrEnum):
    """A state of a layer.

    Attributes:
        UNDEFINED: nothing is known, or nothing was asked for.
        REQUESTED: the request is being processed.
        INSTANTIATED: the code has been loaded onto the node.
        INITIALIZED: unpacked, configured and ready to run.
        INSTALLED: the deployment agent is in place (only that layer has this state).
        RUNNING: it runs.
        FAILED: it does not, against what is wanted; a reason goes with it.
        TERMINATED: it was ended as wanted.
    """

    UNDEFINED = "undefined"
    REQUESTED = "requested"
    INSTANTIATED = "instantiated"
    INITIALIZED = "initialized"
    INSTALLED = "installed"
    RUNNING = "running"
    FAILED = "failed"
    TERMINATED = "terminated"


_END: Final = frozenset({State.FAILED, State.TERMINATED})

TABLE: Final = MappingProxyType(
    {
        State.UNDEFINED: frozenset({State.REQUESTED}) | _END,
        State.REQUESTED: frozenset({State.INSTANTIATED}) | _END,
        State.INSTANTIATED: frozenset({State.INITIALIZED}) | _END,
        State.INITIALIZED: frozenset({State.INSTALLED, State.RUNNING}) | _END,
        State.INSTALLED: frozenset({State.RUNNING}) | _END,
        State.RUNNING: frozenset({State.REQUESTED}) | _END,
        State.FAILED: frozenset({State.REQUESTED, State.TERMINATED}),
        State.TERMINATED: frozenset({State.REQUESTED, State.FAILED}),
    }
)


def may_follow(state: State, later: State) -> bool:
    """Whether ``later`` may come right after ``state``."""
    return later in TABLE[state]


def advance(state: State, later: State) -> State:
    """``later``, if it may follow ``state``.

    Raises:
        Invalid: it may not; both are named.
    """
    if not may_follow(state, later):
        raise Invalid(f"a layer that is {state} cannot become {later}")
    return later


def state(text: str) -> State:
    """The state of this name.

    Raises:
        Invalid: there is none; the message lists them.
    """
    try:
        return State(text)
    except ValueError:
        names = ", ".join(State)
        raise Invalid(f"{text!r} is not a state", hint=f"the states are {names}") from None
