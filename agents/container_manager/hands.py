"""The hands of the container manager: each step carried out, blocking work in threads.

A step that cannot be done raises; the decision what follows is not made here.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from agents import state_file
from agents.container_manager import agent_file, agent_orders, ports, sliver_certificates
from agents.container_manager.config import NodeConfig
from agents.container_manager.decide import (
    Boot,
    Configure,
    Create,
    End,
    Evict,
    Keep,
    Limit,
    Publish,
    Remake,
    Remove,
    StartAgent,
    Step,
)
from agents.container_manager.embedded import keep_running
from agents.container_manager.forking import Forking
from agents.container_manager.images.having import Images
from agents.container_manager.images.remaking import Remaking
from agents.container_manager.joining import Joined, secret_of
from agents.container_manager.metering import too_full
from agents.container_manager.node_socket import NodeSocket
from agents.container_manager.probing import PROBE_S, Prober
from agents.container_manager.reports import Reports
from agents.container_manager.roots.having import Roots
from agents.container_manager.slivers import record
from agents.container_manager.slivers.driver import AgentCommand, SliverDriver
from agents.container_manager.slivers.place import Place
from agents.order_trust import OrderTrust
from agents.package_cache import PackageCache
from dsmt_core.errors import Full, Unavailable
from dsmt_core.limits import Limits
from dsmt_core.names import Slice

# How many slivers are made, booted or ended at the same time.
WORKERS: Final = 8
_AGENT_ENDS_S: Final = 5.0
_THREADS_END_S: Final = 8.0

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the hands work with."""

    config: NodeConfig
    driver: SliverDriver
    reports: Reports
    cache: PackageCache
    joined: Joined
    trust: OrderTrust
    images: Images
    roots: Roots


class Hands:
    """Carries out steps.

    Args:
        tools: what it works with.
        lost: told the slice whose init has ended by itself.

    Attributes:
        remake: called when a sliver is to be made otherwise.
        changed: called when a sliver runs, or has other limits, since now.
        refusal: why a sliver may install nothing now; empty when it may.
        admission: why a sliver with these limits may not begin here; empty when it may.
    """

    def __init__(self, tools: Tools, lost: Callable[[Slice], None]) -> None:
        self._tools = tools
        self._lost = lost
        self.changed: Callable[[], None] = lambda: None
        self.refusal: Callable[[Slice], str] = lambda _slice: ""
        self.admission: Callable[[Slice, Limits], str] = lambda _slice, _limits: ""
        self._prober = Prober(tools.driver, tools.config.probe)
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="sliver")
        self._forking = Forking(tools.driver)
        self.remake: Callable[[Slice], None] = lambda _slice: None
        # Looked up when it is called: it is set later.
        self._remaking = Remaking(tools.images, self._place, lambda name: self.remake(name))  # noqa: PLW0108
        self._sockets: dict[Slice, NodeSocket] = {}
        self._pidfds: dict[Slice, int] = {}
        self._agents: dict[Slice, asyncio.Task[None]] = {}
        self._ways: dict[type[Step], Callable[[Any], Awaitable[None]]] = {
            Publish: lambda step: tools.reports.state(step.slice, step.state, step.reason),
            Keep: lambda step: self._blocking(self._keep, step),
            Create: lambda step: self._blocking(tools.driver.create, self._place(step.slice)),
            Configure: self._configure,
            Boot: self._boot,
            Limit: self._limit,
            Evict: lambda step: self.end(step.slice),
            StartAgent: lambda step: self._start_agent(step.slice),
            Remake: lambda step: self._make_otherwise(step.slice),
            End: lambda step: self.end(step.slice),
            Remove: lambda step: self._remove(step.slice),
        }

    async def do(self, step: Step) -> None:
        """Carry out one step.

        Raises:
            DsmtError, OSError: it could not be done; the message is the reason.
        """
        try:
            await self._ways[type(step)](step)
        finally:
            if isinstance(step, Boot | Limit):
                self.changed()

    async def adopt(self, slice_: Slice) -> bool:
        """Watch over the init of a sliver if it runs; whether it does."""
        found = await self._blocking(self._tools.driver.adopt, self._place(slice_))
        return found is not None and self._watch(slice_, found)

    async def end(self, slice_: Slice) -> None:
        """End everything in a sliver."""
        self._unwatch(slice_)
        await self._end_agent(slice_)
        await self._blocking(self._tools.driver.end, self._place(slice_))

    async def probe(self) -> None:
        """Make a sliver, run a program in it, and remove it.

        Raises:
            DsmtError, OSError: what of this could not be done.
        """
        try:
            async with asyncio.timeout(PROBE_S):
                await self._blocking(self._prober.probe)
        except TimeoutError:
            raise Unavailable(f"making and removing a sliver took longer than {PROBE_S:g} s") from None

    async def clean_up(self) -> None:
        """Remove what is left of a probe that was cut short."""
        await self._blocking(self._prober.clean_up)

    async def close(self, *, end_slivers: bool) -> None:
        """Let go of everything; the slivers live on unless they are to be ended."""
        if end_slivers:
            ends = [self.end(name) for name in list(self._pidfds)]
            await asyncio.gather(*ends, return_exceptions=True)
        for slice_ in list(self._pidfds):
            self._unwatch(slice_)
        await asyncio.gather(*(self._end_agent(name) for name in list(self._agents)))
        await asyncio.gather(*(socket.close() for socket in self._sockets.values()), self._forking.close())
        # What a thread has begun is not left to go on beside the next life of the manager.
        waiting = asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        await asyncio.wait([asyncio.create_task(waiting)], timeout=_THREADS_END_S)

    def _place(self, slice_: Slice) -> Place:
        return self._tools.config.place(slice_)

    async def _blocking(self, call: Callable[..., T], *args: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(call, *args))

    def _keep(self, step: Keep) -> None:
        place = self._place(step.slice)
        place.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        values = {
            "generation": step.generation,
            "wanted": step.wanted,
            "agent": step.agent,
            "state": str(step.state),
            "digest": step.digest,
            "limits": step.limits.text,
            "life": step.life,
        }
        state_file.save(place.order_file, values)

    async def _configure(self, step: Configure) -> None:
        agent = agent_file.about(step.agent)
        place = self._place(step.slice)
        changed = await self._blocking(self._write_agent_file, place, agent, step.life)
        if step.slice not in self._sockets:
            self._sockets[step.slice] = NodeSocket(
                place,
                inside=self._tools.driver.inside(place),
                cache=self._tools.cache,
                refusal=lambda: self.refusal(step.slice),
                secret=functools.partial(secret_of, self._tools.config, step.slice),
            )
            self._sockets[step.slice].holder = functools.partial(ports.missed, place)
            self._sockets[step.slice].facts = lambda: self._tools.reports.known
            self._sockets[step.slice].image = functools.partial(self._remaking.asked, step.slice)
        await self._sockets[step.slice].start()
        if changed and step.slice in self._pidfds:
            # Another agent, or another broker than before: it is given that when it starts.
            owner = self._tools.driver.owner(place)
            await self._blocking(agent_orders.tell, place, owner, {"restart": True})

    async def _make_otherwise(self, slice_: Slice) -> None:
        await self.end(slice_)
        await self._remaking.ended(slice_)
        # Its directories are called otherwise inside from now on.
        await self._close_socket(slice_)

    async def _close_socket(self, slice_: Slice) -> None:
        socket = self._sockets.pop(slice_, None)
        if socket is not None:
            await socket.close()

    def _write_agent_file(self, place: Place, agent: Mapping[str, Any], life: int) -> bool:
        tools = self._tools
        ways = agent_file.ways(place, tools.joined, life) | tools.trust.pairs
        ways |= sliver_certificates.way(tools.config, tools.joined.broker, place, tools.driver)
        values = agent_file.values(place, agent, ways, status_period=tools.config.status_period)
        return agent_file.write(place, values)

    async def _boot(self, step: Boot) -> None:
        place, why = self._place(step.slice), self.admission(step.slice, step.limits)
        if why or (why := await self._blocking(too_full, place, step.limits)):
            raise Full(why, hint="another node, other limits, or dsmt-node --capacity")
        await self._tools.roots.settle(place, step.limits, self._tools.cache)
        booted = await self._blocking(self._tools.driver.boot, place, self._agent(place), step.limits)
        if not self._watch(step.slice, booted):
            raise Unavailable(f"the sliver {step.slice} ended at once")

    async def _limit(self, step: Limit) -> None:
        if why := self.admission(step.slice, step.fresh):
            raise Full(why, hint="smaller limits, or dsmt-node --capacity")
        await self._blocking(self._tools.driver.limit, self._place(step.slice), step.limits)

    def _agent(self, place: Place) -> AgentCommand:
        if self._tools.config.embedded_agent is not None:
            return AgentCommand()
        driver = self._tools.driver
        env = {**agent_file.environment(driver.inside(place)), **driver.agent_environment(place)}
        return AgentCommand(driver.agent_command(place), env, driver.agent_inside(place))

    async def _start_agent(self, slice_: Slice) -> None:
        place = self._place(slice_)
        embedded = self._tools.config.embedded_agent
        if embedded is None:
            owner = self._tools.driver.owner(place)
            await self._forking.attend(place)
            await self._blocking(agent_orders.tell, place, owner, {"start": True})
            return
        running = self._agents.get(slice_)
        if running is None or running.done():
            self._agents[slice_] = asyncio.create_task(
                keep_running(embedded, place), name=f"agent {slice_}"
            )

    async def _end_agent(self, slice_: Slice) -> None:
        agent = self._agents.pop(slice_, None)
        if agent is not None:
            agent.cancel()
            await asyncio.wait([agent], timeout=_AGENT_ENDS_S)

    async def _remove(self, slice_: Slice) -> None:
        await self._close_socket(slice_)
        await self._blocking(self._tools.driver.destroy, self._place(slice_))

    def _watch(self, slice_: Slice, init: record.InitRecord) -> bool:
        self._unwatch(slice_)
        pidfd = record.hold(init)
        if pidfd is None:
            return False
        self._pidfds[slice_] = pidfd
        asyncio.get_running_loop().add_reader(pidfd, self._ended, slice_)
        return True

    def _unwatch(self, slice_: Slice) -> None:
        self._forking.leave(slice_)
        pidfd = self._pidfds.pop(slice_, None)
        if pidfd is not None:
            asyncio.get_running_loop().remove_reader(pidfd)
            os.close(pidfd)

    def _ended(self, slice_: Slice) -> None:
        self._unwatch(slice_)
        agent = self._agents.pop(slice_, None)
        if agent is not None:
            agent.cancel()
        self._lost(slice_)
