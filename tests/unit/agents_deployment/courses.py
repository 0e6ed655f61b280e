"""Orders, states and courses of one application, from which tests of what an agent decides begin."""

from __future__ import annotations

from typing import Any

from agents.deployment_agent.decide import Life, Record
from agents.deployment_agent.decide.course import Course
from dsmt_core.commands import Order, Verb
from dsmt_core.configuration import Configuration
from dsmt_core.lifecycle import State
from dsmt_core.names import Application
from tests.unit.agents_deployment.test_deployment import NEW, OLD, order

NOW = 100.0
X = Application("X")
HELLO = Configuration((("greeting", "hello"),))
UP: dict[str, Any] = {"life": Life.UP, "version": "1-1", "packages": OLD, "state": State.RUNNING}
REST: dict[str, Any] = {**UP, "life": Life.DOWN, "state": State.TERMINATED}
STOPPED, GONE, RESTARTED = order(Verb.STOP), order(Verb.UNINSTALL), order(Verb.RESTART, restarts=1)
NEWER = order(packages=NEW, version="2-1")


def course(first: Order | None = None, /, **known: Any) -> Course:
    """A course that began long ago; what a `Record` has goes there."""
    ordered = first or order()
    record = {name: value for name, value in known.items() if name in Record.__dataclass_fields__}
    made = Course(Record(order=ordered, **record), 50.0)
    for name, value in known.items():
        if name not in record:
            setattr(made, name, value)
    return made
