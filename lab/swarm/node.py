"""A node of the swarm: the container manager's real decisions and reports; slivers that only pretend."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable
from typing import Final

from agents import heartbeat
from agents.container_manager.decide import End, Node, Publish, StartAgent, Step
from agents.container_manager.joining import Joined
from agents.container_manager.reports import Holdings, Reports
from agents.deployment_agent.config import AgentConfig
from broker import retry
from broker.bus import Bus
from broker.endings import node_connection
from broker.topology import agent_queue
from dsmt_core.channels import DEPLOYMENT
from dsmt_core.commands import Order, Verb, order_of
from dsmt_core.errors import DsmtError
from dsmt_core.names import Host, Slice
from dsmt_core.nodes import ProbeResult
from lab.swarm.agent import SwarmAgent
from lab.swarm.lines import Lines
from lab.swarm.tally import Tally

_FACTS: Final = {"sliver_driver": "swarm", "cpus": "1"}
_LONGEST_WAIT_S: Final = 30.0


class SwarmNode:
    """One life of a machine.

    Args:
        host: its name.
        joined: what the planner told it.
        lines: where its connections come from.
        tally: where it counts.
    """

    def __init__(self, host: Host, joined: Joined, lines: Lines, tally: Tally) -> None:
        self.host = host
        self._joined = joined
        self._lines = lines
        self._tally = tally
        self._node = Node()
        self._wake = asyncio.Event()
        self._agents: dict[Slice, tuple[SwarmAgent, asyncio.Task[None]]] = {}
        self._buses: list[Bus] = []
        self._mute = False
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Live until cancelled: then it is gone as at a power failure, and its connections are closed."""
        try:
            bus = await self._open(node_connection(self.host))
            self._reports = Reports(self.host, bus, self._joined.heartbeat_s)
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                bus.on_connected(self._greet)
                await self._greet()
                self._tally.connected += 1
                self.connected.set()
                for work in (self._own(), self._hear(bus), self._beat()):
                    tasks.create_task(work)
        finally:
            self._tally.connected -= self.connected.is_set()
            for _, task in self._agents.values():
                task.cancel()
            await asyncio.gather(*(task for _, task in self._agents.values()), return_exceptions=True)
            await asyncio.gather(*(self._lines.close(bus) for bus in self._buses))

    def silence(self) -> None:
        """It says and hears nothing any more, while its connections stay."""
        self._mute = True

    def crash(self) -> int:
        """Its applications die; how many."""
        return sum(agent.crash() for agent, _ in self._agents.values())

    async def _open(self, name: str) -> Bus:
        bus = await self._lines.open(self._joined.broker, name)
        self._buses.append(bus)
        return bus

    async def _greet(self) -> None:
        self._reports.heartbeat(self._node.held())
        await self._report()
        await self._said(self._reports.facts(_FACTS))

    async def _own(self) -> None:
        while True:
            self._wake.clear()
            for step in self._node.take(self._now()):
                self._tasks.create_task(self._carry_out(step))
            if self._node.report_due():
                await self._report()
            wait = min(_LONGEST_WAIT_S, self._node.wake_at(self._now()) - self._now())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, wait)):
                    await self._wake.wait()

    async def _carry_out(self, step: Step) -> None:
        error = ""
        try:
            if isinstance(step, Publish):
                await self._reports.state(step.slice, step.state, step.reason)
            elif isinstance(step, StartAgent):
                await self._start_agent(step.slice)
            elif isinstance(step, End):
                await self._end_agent(step.slice)
        except DsmtError as failed:
            error = failed.message
        self._node.done(step, self._now(), error=error)
        self._wake.set()

    async def _start_agent(self, slice_: Slice) -> None:
        if slice_ in self._agents:
            return
        config = AgentConfig(
            host=self.host, slice=slice_, broker="", queue=agent_queue(slice_, self.host), boot_id="1"
        )
        bus = await self._open(f"dsmt-swarm {slice_} {self.host}")
        agent = SwarmAgent(config, bus, self._tally)
        self._agents[slice_] = agent, asyncio.create_task(agent.run())

    async def _end_agent(self, slice_: Slice) -> None:
        if slice_ in self._agents:
            _, task = self._agents.pop(slice_)
            task.cancel()
            await asyncio.wait({task})

    async def _hear(self, bus: Bus) -> None:
        policy = retry.consumer()
        while True:
            with contextlib.suppress(DsmtError):
                async with bus.consume(self._joined.queue, under=DEPLOYMENT) as deliveries:
                    async for delivery in deliveries:
                        policy.reset()
                        with contextlib.suppress(DsmtError):
                            self._ordered(order_of(delivery.event))
                        delivery.ack()
            await asyncio.sleep(policy.next_s())

    def _ordered(self, order: Order) -> None:
        self._tally.heard += 1
        if self._mute:
            return
        if order.verb is Verb.PACE:
            self._reports.period = order.heartbeat_s
        elif order.verb is Verb.PROBE:
            self._tasks.create_task(self._probe(order.nonce))
        else:
            self._node.order(order, self._now())
            self._wake.set()

    async def _probe(self, nonce: str) -> None:
        await self._said(self._reports.probe(ProbeResult(nonce=nonce)))

    async def _beat(self) -> None:
        await heartbeat.beat(lambda: self._reports.period, self._beat_once, random.random)

    def _beat_once(self) -> None:
        if not self._mute:
            self._tally.beats += 1
            self._reports.heartbeat(self._node.held())

    async def _report(self) -> None:
        node = self._node
        holdings = Holdings(node.held(), node.gone(self._now()), node.orders())
        await self._said(self._reports.holdings(holdings, asks=node.asks))

    @staticmethod
    async def _said(word: Awaitable[None]) -> None:
        with contextlib.suppress(DsmtError):
            await word

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
