"""What a deployment agent lives in and acts with: its sliver, its scripts, its memory on disk.

A port, so that the agent's loops and decisions are the same where slivers only pretend (`lab.swarm`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from agents.deployment_agent.config import AgentConfig
from agents.deployment_agent.decide import Deployment, Deployments, Outcome, Periods, Step
from agents.deployment_agent.hands import Hands
from agents.deployment_agent.looking_in import LookingIn
from agents.deployment_agent.memory import Memory
from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.sliver import Sliver
from agents.deployment_agent.voice import Voice
from dsmt_core.calls import Answer, Call
from dsmt_core.names import Application


class Body(Protocol):
    """The port."""

    async def load(self, now: float) -> None:
        """Take back what was known; ``now`` in seconds of the event loop."""
        ...

    async def save(self) -> None:
        """Have what is known survive this process.

        Raises:
            DsmtError: it cannot; nothing may be begun that depends on it.
        """
        ...

    async def perform(self, name: Application, deployment: Deployment, step: Step) -> Outcome:
        """Carry out a step of an application; every failure is an outcome."""
        ...

    async def answer(self, call: Call) -> Answer:
        """Carry out a call.

        Raises:
            DsmtError: it cannot be.
        """
        ...

    def ended(self) -> AsyncIterator[Application]:
        """The applications of which a process has ended, as they end.

        Raises:
            DsmtError: while it is iterated: they cannot be heard now.
        """
        ...


class InSliver:
    """The real one.

    Args:
        config: whose agent it is.
        paths: where its sliver is for this process.
        voice: how the agent speaks.
        deployments: what is kept.
        periods: times.
    """

    def __init__(
        self,
        config: AgentConfig,
        paths: SliverPaths,
        voice: Voice,
        deployments: Deployments,
        periods: Periods,
    ) -> None:
        self._deployments = deployments
        self._hands = Hands(config, paths, voice, periods)
        self._looking_in = LookingIn(paths, deployments, self._hands)
        self._sliver = Sliver(paths.run)
        self._memory = Memory(paths.own, deployments, boot_id=config.boot_id, used=paths.hold_applications)

    async def load(self, now: float) -> None:
        """See `Body`; the applications' credentials are written anew."""
        await self._memory.load(now)
        await self._hands.predecessor.note(self._deployments)
        await self._hands.give_credentials(self._deployments)

    async def save(self) -> None:
        """See `Body`.

        Raises:
            Full: the disk has no room.
        """
        await self._memory.save()

    async def perform(self, name: Application, deployment: Deployment, step: Step) -> Outcome:
        """See `Body`."""
        return await self._hands.perform(name, deployment, step)

    async def answer(self, call: Call) -> Answer:
        """See `Body`.

        Raises:
            DsmtError: of `LookingIn.answer`.
        """
        return await self._looking_in.answer(call)

    async def ended(self) -> AsyncIterator[Application]:
        """See `Body`."""
        async for reaped in self._sliver.reaped():
            for name in self._hands.concerns(reaped.pid):
                yield name
