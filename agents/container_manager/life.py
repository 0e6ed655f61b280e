"""One life of the container manager: all that it has while it uses one bus.

What it decides and does is in `conduct`; here are its real hands, its package cache, its facts and its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Final

from agents import facts
from agents.container_manager import joining
from agents.container_manager.capacity import own_capacity
from agents.container_manager.conduct import Conduct, loop_time, said
from agents.container_manager.config import NodeConfig
from agents.container_manager.decide.admission import refusal
from agents.container_manager.hands import Hands, Tools
from agents.container_manager.images.drivers import BothDrivers
from agents.container_manager.images.having import Images
from agents.container_manager.joining import Joined
from agents.container_manager.metering import Metering
from agents.container_manager.reports import Reports
from agents.container_manager.restoring import found_slivers
from agents.container_manager.roots.having import Roots
from agents.container_manager.slivers.choosing import Choice
from agents.fact_programs import FactPrograms
from agents.order_trust import OrderTrust, keys_of
from agents.package_cache import PackageCache
from agents.package_download import Depot
from broker import condition
from broker.bus import Bus, Link
from dsmt_core.events import legal_text
from dsmt_core.limits import LACKING_FACT, NETWORKS_FACT, Limits, Network
from dsmt_core.names import Slice

log = logging.getLogger(__name__)

# Nobody waits longer for the last word of a node that ends.
_GOODBYE_S: Final = 1.0
_FACT: Final = 256


class Life:
    """The manager while it uses one bus.

    Args:
        config: of the node.
        choice: the driver of its slivers.
        bus: its connection, not necessarily connected.
        joined: what the planner told.
    """

    def __init__(self, config: NodeConfig, choice: Choice, bus: Bus, joined: Joined) -> None:
        self._config = config
        self._bus = bus
        self._joined = joined
        self._choice = choice
        self.astray = asyncio.Event()
        self._reports = Reports(config.host, bus, joined.heartbeat_s)
        trust = OrderTrust(keys_of(joined.order_keys), self._reports.session)
        self._cache = PackageCache(
            config.packages,
            most_bytes=config.cache_bytes,
            depot=_depot(config, joined),
            away=self.astray.set,
        )
        self._images = Images(config.data / "podman", config.podman)
        self._roots = Roots(config.data / "roots", config.slivers, config.roots, choice.driver)
        self._driver = BothDrivers(choice.driver, self._images.driver, self._roots.driver)
        tools = Tools(
            config=config,
            driver=self._driver,
            images=self._images,
            roots=self._roots,
            reports=self._reports,
            cache=self._cache,
            joined=joined,
            trust=trust,
        )
        self._hands = Hands(tools, self._lost)
        self._conduct = Conduct(bus, joined.queue, self._reports, self._hands, trust)
        self._metering = Metering(config, self._driver, self._conduct.node, self._reports)
        self._metering.evict = self._conduct.evict
        self._hands.changed = self._metering.soon
        self._hands.remake = self._conduct.remake
        self._hands.refusal = self._metering.refusal
        self._hands.admission = self._admission
        self._admitted: dict[Slice, Limits] = {}
        self._facts: dict[str, str] = {}
        self._programs = FactPrograms(config.facts_d)
        self._told: Mapping[str, str] = {}

    def _admission(self, slice_: Slice, asked: Limits) -> str:
        slivers = self._conduct.node.slivers
        others = {name: one for name, one in slivers.items() if name != slice_}
        promised = [one.in_force for one in others.values() if one.alive]
        # Several boot at the same time: what was admitted and does not live yet is promised, too.
        promised += [
            self._admitted[name]
            for name, one in others.items()
            if one.busy and not one.alive and name in self._admitted
        ]
        why = refusal(asked, promised, self._config.capacity or own_capacity(self._config.data))
        self._admitted.pop(slice_, None)
        if not why:
            self._admitted[slice_] = asked
        return why

    async def restore(self) -> None:
        """Take up what is on disk and what runs."""
        await asyncio.to_thread(self._roots.clean)
        found = await found_slivers(self._config, self._driver, self._hands.adopt)
        self._conduct.node.restore(found, loop_time())
        self._conduct.node.confirmed(self._joined.slivers)

    def begin(self, tasks: asyncio.TaskGroup) -> None:
        """Start the tasks of this life."""
        self._conduct.begin(tasks)
        health = condition.watch(self._bus, lambda now: said(self._reports.health(now)))
        for work in (self._look_at_facts(), self._hands.clean_up(), health, self._metering.run()):
            tasks.create_task(work)

    def told(self, joined: Joined) -> None:
        """Take in what the planner says when the node has joined again."""
        self._conduct.node.confirmed(joined.slivers)
        self._reports.period = joined.heartbeat_s
        self._cache.depot = _depot(self._config, joined)
        self._conduct.wake()

    def banished(self) -> None:
        """The planner has excluded this node, and nothing it says by the broker would arrive."""
        self._conduct.node.banish()
        self._conduct.wake()

    async def connected(self) -> None:
        """The bus is (again) there: say what this node is and holds."""
        self._conduct.beat()
        await self._conduct.report()
        await self._tell_facts(always=True)
        self._metering.connected()

    async def goodbye(self) -> None:
        """Say that this manager ends in order, if the broker is there."""
        if self._bus.health.link is not Link.CONNECTED:
            return
        fate = "ended" if self._config.end_slivers else "live on"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await said(self._reports.goodbye(slivers=fate))

    async def close(self) -> None:
        """Let go; may be called twice."""
        await self._hands.close(end_slivers=self._config.end_slivers)
        await asyncio.to_thread(self._images.close)
        await self._cache.close()

    async def _look_at_facts(self) -> None:
        while True:
            told = await self._programs.look()
            # Applications may need the facts also while the broker is away.
            if told != self._told or not self._facts:
                self._told = told
                await self._tell_facts(always=False)
            await asyncio.sleep(self._config.facts_s)
            await self._tell_facts(always=False)

    async def _tell_facts(self, *, always: bool) -> None:
        try:
            more = {"sliver_driver": self._choice.driver.name}
            more |= await asyncio.to_thread(self._networks)
            more |= await asyncio.to_thread(self._roots.facts)
            if by := await asyncio.to_thread(self._images.offers):
                more["images"] = by
            now = await asyncio.to_thread(facts.facts, self._config.data, **more)
        except OSError as error:
            log.warning("the facts of this node cannot be read: %s", error)
            return
        if self._choice.warning:
            now["warning"] = self._choice.warning
        # What the node knows of itself nobody overwrites.
        now = {**self._told, **now}
        if always or facts.differ(self._facts, now):
            self._facts = now
            await said(self._reports.facts(now))

    def _networks(self) -> dict[str, str]:
        """Which networks programs can have here: a planner sends no sliver for another one."""
        why = {network: self._driver.lacks(network) for network in Network}
        told = {NETWORKS_FACT: " ".join(name for name, lack in why.items() if not lack)}
        if lacking := "; ".join(f"{name}: {lack}" for name, lack in why.items() if lack):
            told[LACKING_FACT] = legal_text(lacking)[:_FACT]
        return told

    def _lost(self, slice_: Slice) -> None:
        self._conduct.lost(slice_)


def _depot(config: NodeConfig, joined: Joined) -> Depot:
    """Where packages come from; what was said on the node itself goes before what the planner says."""
    mirror = config.depot_mirror or joined.depot_mirror
    return Depot(joined.depot, joined.depot_token, mirror, joining.trust_of(config).known())
