"""A deployment agent of the swarm: the real decisions and the real voice; hands that only pretend."""

from __future__ import annotations

import asyncio
import contextlib

from agents.deployment_agent.config import AgentConfig
from agents.deployment_agent.decide import (
    Checked,
    CheckStatus,
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
    Verdict,
)
from agents.deployment_agent.hands import state_pairs, status_pairs
from agents.deployment_agent.voice import Voice
from broker import retry
from broker.bus import Bus
from dsmt_core.channels import command_channel
from dsmt_core.commands import NO_APPLICATION, order_of
from dsmt_core.errors import DsmtError
from dsmt_core.lifecycle import State
from dsmt_core.names import DEPLOYMENT_AGENT, SLIVER_BOOTSTRAP, Application
from lab.swarm.tally import Place, Tally

# What is pretended takes no time, so a second look at an application that begins comes soon enough.
_PERIODS = Periods(first_poll_s=1.0)
_WALK = (State.REQUESTED, State.INSTANTIATED, State.INITIALIZED, State.INSTALLED)


class SwarmAgent:
    """The agent of one pretended sliver.

    Args:
        config: whose agent; what it says of connections is not used.
        bus: connected.
        tally: where it counts.
    """

    def __init__(self, config: AgentConfig, bus: Bus, tally: Tally) -> None:
        self._config = config
        self._bus = bus
        self._tally = tally
        self._bootstrap = Voice(config, SLIVER_BOOTSTRAP, bus)
        self._voice = Voice(config, DEPLOYMENT_AGENT, bus)
        self._deployments = Deployments(periods=_PERIODS)
        self._running: set[Application] = set()
        self._wake = asyncio.Event()
        self._listening = asyncio.Event()

    async def run(self) -> None:
        """Work until it is cancelled; then nothing runs in the sliver any more."""
        forget = self._bus.on_connected(self._greet)
        try:
            async with asyncio.TaskGroup() as tasks:
                for state in _WALK:
                    await self._bootstrap.state(DEPLOYMENT_AGENT, state)
                tasks.create_task(self._hear())
                await self._listening.wait()
                await self._bootstrap.state(DEPLOYMENT_AGENT, State.RUNNING)
                tasks.create_task(self._tell())
                await self._work(tasks)
        finally:
            forget()
            for name in list(self._running):
                self._end(name)

    def crash(self) -> int:
        """Its applications die by themselves; how many."""
        dying = list(self._running)
        for name in dying:
            self._end(name)
            self._deployments.ended(name, self._now())
        self._wake.set()
        return len(dying)

    async def _work(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            self._wake.clear()
            now = self._now()
            for name, step in self._deployments.due(now):
                tasks.create_task(self._take(name, step))
            wait_s = max(0.0, self._deployments.wake_at - now)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s if wait_s < float("inf") else None):
                    await self._wake.wait()

    async def _take(self, name: Application, step: Step) -> None:
        outcome = await self._carry_out(name, step)
        self._deployments.done(name, step, outcome, self._now())
        self._wake.set()

    async def _carry_out(self, name: Application, step: Step) -> Outcome:
        match step:
            case Publish():
                await self._voice.state(name, step.state, state_pairs(self._deployments[name], step))
            case Report():
                deployment = self._deployments[name]
                period_s = deployment.record.order.status_period
                await self._voice.status(name, period_s, status_pairs(deployment))
            case Install():
                return Installed({})
            case Look():
                return Found("", {}, alive=name in self._running)
            case Start():
                self._begin(name)
                return Started(1)
            case CheckStatus():
                return self._checked(name)
            case Stop():
                self._end(name)
            case _:
                pass
        return Done()

    def _checked(self, name: Application) -> Checked:
        alive = name in self._running
        return Checked(scripted=True, code=0 if alive else 3, text="", alive=alive, start_code=0)

    async def _hear(self) -> None:
        channel = command_channel(self._config.slice, DEPLOYMENT_AGENT, self._config.host)
        policy = retry.consumer()
        while True:
            with contextlib.suppress(DsmtError):
                async with self._bus.consume(self._config.queue, under=channel) as deliveries:
                    self._listening.set()
                    async for delivery in deliveries:
                        policy.reset()
                        with contextlib.suppress(DsmtError):
                            verdict = self._deployments.accept(order_of(delivery.event), self._now())
                            await self._obeyed(verdict, order_of(delivery.event).application)
                        delivery.ack()
            await asyncio.sleep(policy.next_s())

    async def _obeyed(self, verdict: Verdict, application: Application) -> None:
        self._tally.heard += 1
        self._wake.set()
        await self._say_holdings(application if verdict is Verdict.REFUSED else NO_APPLICATION)

    async def _greet(self) -> None:
        if self._listening.is_set():
            await self._say_holdings(asks=not self._deployments.settled)

    async def _tell(self) -> None:
        await self._greet()
        while True:
            await asyncio.sleep(self._config.status_period)
            await self._say_holdings()

    async def _say_holdings(self, refused: Application = NO_APPLICATION, *, asks: bool = False) -> None:
        await self._voice.holdings(self._deployments.holdings(refused), asks=asks)

    def _begin(self, name: Application) -> None:
        self._running.add(name)
        self._tally.begins(self._place(name))

    def _end(self, name: Application) -> None:
        self._running.discard(name)
        self._tally.ends(self._place(name))

    def _place(self, name: Application) -> Place:
        return self._config.host, self._config.slice, name

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
