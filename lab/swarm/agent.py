"""A deployment agent of the swarm: the real one, in a body that only pretends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from agents.deployment_agent.config import AgentConfig
from agents.deployment_agent.decide import (
    Checked,
    CheckStatus,
    Deployment,
    Deployments,
    Done,
    Found,
    Install,
    Installed,
    Look,
    Outcome,
    Periods,
    Publish,
    Report,
    Start,
    Started,
    Step,
    Stop,
)
from agents.deployment_agent.hands import tell
from agents.deployment_agent.service import DeploymentAgent
from agents.deployment_agent.voice import Voice
from broker.bus import Bus
from dsmt_core.calls import Answer, Call
from dsmt_core.configuration import NONE, Configuration
from dsmt_core.lifecycle import State
from dsmt_core.names import DEPLOYMENT_AGENT, SLIVER_BOOTSTRAP, Application
from lab.swarm.tally import Place, Tally

# What is pretended takes no time, so a second look at an application that begins comes soon enough.
_PERIODS: Final = Periods(first_poll_s=1.0)
_WALK: Final = (State.REQUESTED, State.INSTANTIATED, State.INITIALIZED, State.INSTALLED)


class PretendedBody:
    """A sliver without processes: what is started runs until it is stopped or crashes.

    Args:
        config: whose agent it is.
        voice: how the agent speaks.
        tally: where it counts.
    """

    def __init__(self, config: AgentConfig, voice: Voice, tally: Tally) -> None:
        self._config = config
        self._voice = voice
        self._tally = tally
        self._running: dict[Application, Configuration] = {}
        self._ended: asyncio.Queue[Application] = asyncio.Queue()

    async def load(self, now: float) -> None:
        """Nothing was known before."""

    async def save(self) -> None:
        """Nothing outlives the swarm."""

    async def perform(self, name: Application, deployment: Deployment, step: Step) -> Outcome:
        """See `agents.deployment_agent.body.Body`."""
        match step:
            case Publish() | Report():
                await tell(self._voice, name, deployment, step)
            case Install():
                return Installed({})
            case Look():
                held = self._running.get(name, NONE)
                return Found("", {}, alive=name in self._running, configuration=held)
            case Start(configuration=configuration):
                self._running[name] = configuration
                self._tally.begins(self._place(name))
                return Started(1)
            case CheckStatus():
                alive = name in self._running
                return Checked(scripted=True, code=0 if alive else 3, text="", alive=alive, start_code=0)
            case Stop():
                self._end(name)
            case _:
                pass
        return Done()

    async def answer(self, call: Call) -> Answer:
        """See `agents.deployment_agent.body.Body`; nothing prints here, and commands do nothing."""
        return Answer(id=call.id)

    async def ended(self) -> AsyncIterator[Application]:
        """See `agents.deployment_agent.body.Body`."""
        while True:
            yield await self._ended.get()

    def crash(self) -> int:
        """What runs dies by itself; how much did."""
        dying = list(self._running)
        for name in dying:
            self._end(name)
            self._ended.put_nowait(name)
        return len(dying)

    def close(self) -> None:
        """Nothing runs any more."""
        for name in list(self._running):
            self._end(name)

    def _end(self, name: Application) -> None:
        self._running.pop(name, None)
        self._tally.ends(self._place(name))

    def _place(self, name: Application) -> Place:
        return self._config.host, self._config.slice, name


class SwarmAgent:
    """The agent of one pretended sliver.

    Args:
        config: whose agent; what it says of connections is not used.
        bus: connected.
        tally: where it counts.
    """

    def __init__(self, config: AgentConfig, bus: Bus, tally: Tally) -> None:
        voice = Voice(config, DEPLOYMENT_AGENT, bus)
        self._bootstrap = Voice(config, SLIVER_BOOTSTRAP, bus)
        self._body = PretendedBody(config, voice, tally)
        deployments = Deployments(periods=_PERIODS)
        self._agent = DeploymentAgent(config, bus, voice, deployments, self._body)

    async def run(self) -> None:
        """Work until it is cancelled; then nothing runs in the sliver any more."""
        try:
            for state in _WALK:
                await self._bootstrap.state(DEPLOYMENT_AGENT, state)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._agent.run())
                await self._agent.listening.wait()
                await self._bootstrap.state(DEPLOYMENT_AGENT, State.RUNNING)
                self._agent.begin()
        finally:
            self._body.close()

    def crash(self) -> int:
        """Its applications die by themselves; how many."""
        return self._body.crash()
