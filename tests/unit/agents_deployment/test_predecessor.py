"""What the agent before has left under way is waited for, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from agents.deployment_agent import predecessor
from agents.deployment_agent.predecessor import Predecessor
from agents.deployment_agent.sliver import Processes
from dsmt_core.errors import Unavailable
from dsmt_core.names import Application

DEMO = Application("demo")


class Init:
    """Answers about runs as the test says; the last answer holds."""

    def __init__(self, *answers: set[int] | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def processes(self, _: str) -> Processes:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise Unavailable("the init does not answer")
        return Processes(frozenset(), {}, runs=frozenset(answer))


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predecessor, "_LOOK_S", 0.001)


async def ended(init: Init, names: Sequence[Application] = (DEMO,), **more: Any) -> Predecessor:
    made = Predecessor(init, **more)  # type: ignore[arg-type]
    await made.note(names)
    await made.end_of(DEMO)
    return made


async def test_it_is_waited_for_and_then_not_asked_about_any_more() -> None:
    init = Init({7}, {7}, {7, 8}, {8})
    made = await ended(init)
    assert init.asked == 4
    await made.end_of(DEMO)
    assert init.asked == 4


async def test_what_this_agent_runs_itself_is_not_waited_for() -> None:
    init = Init(set(), {8})
    await ended(init)
    assert init.asked == 1


async def test_who_could_not_be_asked_at_first_is_asked_later() -> None:
    init = Init(None, {7}, {9})
    await ended(init)
    assert init.asked == 3


async def test_an_application_that_was_not_known_is_looked_at() -> None:
    init = Init({7}, {7, 8}, set())
    await ended(init, names=())
    assert init.asked == 3


async def test_it_is_not_waited_for_for_ever() -> None:
    await ended(Init({7}), most_s=0.05)
