"""The deployment agent at work: hears orders, keeps them, has steps carried out, and tells.

One task owns what is known (`Deployments`); one step at a time for each application, different
applications side by side. Whatever must outlive the agent lies on disk or with the sliver's init, so an
agent that ends at any point takes up where it was and restarts nothing that is well.
"""

from __future__ import annotations

import asyncio
import logging

from agents.deployment_agent.answering import Answering
from agents.deployment_agent.body import Body, InSliver
from agents.deployment_agent.config import AgentConfig
from agents.deployment_agent.decide import Backoff, Deployments, Periods, Step, Verdict
from agents.deployment_agent.paths import SliverPaths
from agents.deployment_agent.voice import Voice
from agents.order_trust import OUTDATED, OrderTrust
from broker import condition
from broker.bus import Bus, Delivery
from dsmt_core.calls import CALL
from dsmt_core.channels import command_channel
from dsmt_core.commands import NO_APPLICATION, Order, order_of
from dsmt_core.errors import DsmtError, Invalid
from dsmt_core.names import DEPLOYMENT_AGENT, Application

_LOG = logging.getLogger(__name__)
_AGAIN = Backoff(first_s=0.2, most_s=5.0)


class DeploymentAgent:
    """The agent of one sliver.

    Args:
        config: whose agent it is.
        bus: PsEPR, in its name; started and closed by the caller.
        voice: its own, over this bus.
        deployments: what it knows; shared with ``body``.
        body: what it lives in and acts with.
    """

    def __init__(
        self, config: AgentConfig, bus: Bus, voice: Voice, deployments: Deployments, body: Body
    ) -> None:
        self._config = config
        self._bus = bus
        self._voice = voice
        self._deployments = deployments
        self._body = body
        self._answering = Answering(config, voice, body.answer)
        self._trust = OrderTrust(config.order_keys, voice.session)
        self._wake = asyncio.Event()
        self._begun = asyncio.Event()
        self.listening = asyncio.Event()

    def begin(self) -> None:
        """From now on the agent acts and tells; before, it only hears and keeps its orders."""
        self._begun.set()

    async def run(self) -> None:
        """Work until it is cancelled; everything that it started goes on without it."""
        await self._body.load(self._now())
        self._bus.on_connected(self._greet)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear(group))
            await self._begun.wait()
            group.create_task(self._watch())
            group.create_task(self._tell())
            group.create_task(condition.watch(self._bus, self._voice.health))
            await self._work(group)

    async def _work(self, group: asyncio.TaskGroup) -> None:
        while True:
            self._wake.clear()
            now = self._now()
            for name, step in self._deployments.due(now):
                group.create_task(self._take(name, step))
            wait_s = max(0.0, self._deployments.wake_at - now)
            try:
                async with asyncio.timeout(wait_s if wait_s < float("inf") else None):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _take(self, name: Application, step: Step) -> None:
        await self._keep()
        outcome = await self._body.perform(name, self._deployments[name], step)
        self._deployments.done(name, step, outcome, self._now())
        await self._keep()
        self._wake.set()

    async def _keep(self) -> None:
        """Write down what is known; what cannot be written is not begun."""
        failures = 0
        while True:
            try:
                return await self._body.save()
            except DsmtError as error:
                _LOG.error("%s", error)
            failures += 1
            await asyncio.sleep(_AGAIN.wait_s(failures))

    # Orders ---------------------------------------------------------------------------------------

    async def _hear(self, group: asyncio.TaskGroup) -> None:
        channel = command_channel(self._config.slice, DEPLOYMENT_AGENT, self._config.host)
        failures = 0
        while True:
            try:
                async with self._bus.consume(self._config.queue, under=channel) as deliveries:
                    self.listening.set()
                    async for delivery in deliveries:
                        failures = 0
                        await self._told(delivery, group)
            except DsmtError as error:
                _LOG.warning("orders cannot be heard: %s", error)
            failures += 1
            await asyncio.sleep(_AGAIN.wait_s(failures))

    async def _told(self, delivery: Delivery, group: asyncio.TaskGroup) -> None:
        if not self._trust.believes(delivery, lambda: group.create_task(self._greet())):
            return
        if delivery.event.field != CALL:
            await self._ordered(delivery)
            return
        delivery.ack()
        try:
            self._answering.heard(delivery.event, group)
        except DsmtError as error:
            _LOG.warning("a call is not answered: %s", error)

    async def _ordered(self, delivery: Delivery) -> None:
        """Keep one order, then acknowledge it.

        One that could not be kept is acknowledged too: nothing is done about it before it is on disk, and
        the planner repeats what nobody answers.
        """
        verdict = Verdict.SAME
        try:
            verdict = await self._obey(self._for_me(order_of(delivery.event)))
        except DsmtError as error:
            _LOG.warning("an order is not followed: %s", error)
        if verdict is Verdict.REFUSED:
            delivery.refuse(OUTDATED)
        else:
            delivery.ack()

    async def _obey(self, order: Order) -> Verdict:
        verdict = self._deployments.accept(order, self._now())
        self._wake.set()
        if verdict is Verdict.ACCEPTED:
            await self._body.save()
        elif verdict is Verdict.REFUSED:
            known = self._deployments.generation(order.application)
            _LOG.warning("%s of generation %d is older than %d", order.text, order.generation, known)
        await self._say_holdings(order.application if verdict is Verdict.REFUSED else NO_APPLICATION)
        return verdict

    def _for_me(self, order: Order) -> Order:
        if (order.host, order.slice) != (self._config.host, self._config.slice):
            raise Invalid(f"the order {order.text!r} is for another sliver")
        return order

    # What is told besides -------------------------------------------------------------------------

    async def _greet(self) -> None:
        if self._begun.is_set():
            await self._say_holdings(asks=not self._deployments.settled)

    async def _tell(self) -> None:
        await self._greet()
        while True:
            await asyncio.sleep(self._config.status_period)
            await self._say_holdings()

    async def _say_holdings(self, refused: Application = NO_APPLICATION, *, asks: bool = False) -> None:
        if self._begun.is_set():
            await self._voice.holdings(self._deployments.holdings(refused), asks=asks)

    async def _watch(self) -> None:
        """Have an application looked at as soon as one of its processes ends."""
        failures = 0
        while True:
            try:
                async for name in self._body.ended():
                    failures = 0
                    self._deployments.ended(name, self._now())
                    self._wake.set()
            except DsmtError as error:
                _LOG.warning("the ends of processes cannot be heard: %s", error)
            failures += 1
            await asyncio.sleep(_AGAIN.wait_s(failures))

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def agent_in_sliver(config: AgentConfig, paths: SliverPaths, bus: Bus) -> DeploymentAgent:
    """The agent of the sliver that is at ``paths`` for this process."""
    periods = Periods()
    voice = Voice(config, DEPLOYMENT_AGENT, bus)
    deployments = Deployments(periods=periods)
    body = InSliver(config, paths, voice, deployments, periods)
    return DeploymentAgent(config, bus, voice, deployments, body)
