"""A node of the swarm: the real container manager's conduct; slivers that only pretend."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from agents.container_manager.agent_file import way
from agents.container_manager.conduct import Conduct, said
from agents.container_manager.decide import Configure, End, Publish, StartAgent, Step
from agents.container_manager.joining import Joined
from agents.container_manager.reports import Reports
from agents.deployment_agent.config import AgentConfig
from broker.bus import Bus
from broker.endings import node_connection
from broker.parties import Kind, Party
from broker.topology import agent_queue
from dsmt_core.names import Host, Slice
from lab.swarm.agent import SwarmAgent
from lab.swarm.lines import Lines
from lab.swarm.tally import Tally

_FACTS: Final = {"sliver_driver": "swarm", "cpus": "1"}


class CountedReports(Reports):
    """Reports whose heartbeats are counted."""

    def __init__(self, host: Host, bus: Bus, period: float, tally: Tally) -> None:
        super().__init__(host, bus, period)
        self._tally = tally

    def heartbeat(self, held: Mapping[Slice, int]) -> None:
        """See `Reports.heartbeat`."""
        self._tally.beats += 1
        super().heartbeat(held)


class PretendedHands:
    """Slivers that are nothing but their agents.

    Args:
        host: whose.
        broker: what the agents connect to.
        reports: how the node speaks.
        lines: where the agents' connections come from.
        tally: where they count.
    """

    def __init__(self, host: Host, broker: str, reports: Reports, lines: Lines, tally: Tally) -> None:
        self._host = host
        self._broker = broker
        self._reports = reports
        self._lines = lines
        self._tally = tally
        self._agents: dict[Slice, tuple[SwarmAgent, asyncio.Task[None]]] = {}
        self._lives: dict[Slice, int] = {}

    async def do(self, step: Step) -> None:
        """See `agents.container_manager.conduct.CarriesOut`."""
        match step:
            case Configure():
                self._lives[step.slice] = step.life
            case Publish():
                await self._reports.state(step.slice, step.state, step.reason)
            case StartAgent() if step.slice not in self._agents:
                await self._start_agent(step.slice)
            case End() if step.slice in self._agents:
                _, task = self._agents.pop(step.slice)
                task.cancel()
                await asyncio.wait({task})

    async def probe(self) -> None:
        """A pretended sliver can always be made."""

    def crash(self) -> int:
        """The applications of all slivers die; how many."""
        return sum(agent.crash() for agent, _ in self._agents.values())

    async def close(self) -> None:
        """End the agents, and their connections."""
        tasks = [task for _, task in self._agents.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _start_agent(self, slice_: Slice) -> None:
        queue = agent_queue(slice_, self._host)
        config = AgentConfig(host=self._host, slice=slice_, broker="", queue=queue, boot_id="1")
        party = Party(Kind.AGENT, slice_, self._host)
        url = way(self._broker, party, self._broker, self._lives.get(slice_, 0))
        bus = await self._lines.open(url, f"dsmt-agent {slice_} {self._host}")
        agent = SwarmAgent(config, bus, self._tally)
        self._agents[slice_] = agent, asyncio.create_task(self._live(agent, bus))

    async def _live(self, agent: SwarmAgent, bus: Bus) -> None:
        try:
            await agent.run()
        finally:
            await self._lines.close(bus)


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
        self._hands: PretendedHands | None = None
        self._conducting: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Live until cancelled: then it is gone as at a power failure, and its connections are closed."""
        bus = await self._lines.open(self._joined.broker, node_connection(self.host))
        reports = CountedReports(self.host, bus, self._joined.heartbeat_s, self._tally)
        hands = PretendedHands(self.host, self._joined.broker, reports, self._lines, self._tally)
        try:
            self._hands = hands
            self._conducting = asyncio.create_task(self._conduct(bus, reports, hands))
            await asyncio.wait({self._conducting})
            if not self._conducting.cancelled():
                self._conducting.result()
            await asyncio.Event().wait()
        finally:
            self.silence()
            self._tally.connected -= self.connected.is_set()
            await hands.close()
            await self._lines.close(bus)

    def silence(self) -> None:
        """It says and hears nothing any more, while its connections stay."""
        if self._conducting is not None:
            self._conducting.cancel()

    def crash(self) -> int:
        """Its applications die; how many."""
        return self._hands.crash() if self._hands is not None else 0

    async def _conduct(self, bus: Bus, reports: Reports, hands: PretendedHands) -> None:
        conduct = Conduct(bus, self._joined.queue, reports, hands)

        async def greet() -> None:
            conduct.beat()
            await conduct.report()
            await said(reports.facts(_FACTS))

        forget = bus.on_connected(greet)
        try:
            async with asyncio.TaskGroup() as tasks:
                await greet()
                self._tally.connected += 1
                self.connected.set()
                conduct.begin(tasks)
        finally:
            forget()
