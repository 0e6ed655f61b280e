"""One life of the container manager: while it uses one bus it hears orders and has steps carried out.

One task owns the `Node` and takes its steps; everything else only changes it between two awaits, and
wakes that task.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Mapping
from typing import Final

from agents import facts, heartbeat
from agents.container_manager.config import NodeConfig
from agents.container_manager.decide import Node, Probes, Step
from agents.container_manager.hands import Hands, Tools
from agents.container_manager.joining import Joined
from agents.container_manager.reports import Holdings, Reports
from agents.container_manager.restoring import found_slivers
from agents.container_manager.slivers.choosing import Choice
from agents.fact_programs import FactPrograms
from agents.package_cache import Depot, PackageCache
from broker import condition, retry
from broker.bus import Bus, Delivery, Link
from dsmt_core.channels import DEPLOYMENT
from dsmt_core.commands import Order, Verb, order_of
from dsmt_core.errors import DsmtError, Invalid
from dsmt_core.names import Slice
from dsmt_core.nodes import ProbeResult
from dsmt_core.rights import ORDERS

log = logging.getLogger(__name__)

# How long one wait of the owner lasts at most: a look at the clock costs nothing.
_LONGEST_WAIT_S: Final = 30.0
# Nobody waits longer for the last word of a node that ends.
_GOODBYE_S: Final = 1.0


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
        self._node = Node()
        self._probes = Probes()
        self.depot_away = asyncio.Event()
        self._reports = Reports(config.host, bus, joined.heartbeat_s)
        self._cache = PackageCache(
            config.packages,
            most_bytes=config.cache_bytes,
            depot=Depot(joined.depot, joined.depot_token),
            away=self.depot_away.set,
        )
        tools = Tools(
            config=config,
            driver=choice.driver,
            reports=self._reports,
            cache=self._cache,
            broker=joined.broker,
            application_broker=joined.application_broker,
        )
        self._hands = Hands(tools, self._lost)
        self._wake = asyncio.Event()
        self._facts: dict[str, str] = {}
        self._programs = FactPrograms(config.facts_d)
        self._told: Mapping[str, str] = {}

    async def restore(self) -> None:
        """Take up what is on disk and what runs."""
        found = await found_slivers(self._config, self._choice.driver, self._hands.adopt)
        self._node.restore(found, self._now())
        self._node.confirmed(self._joined.slivers)

    def begin(self, tasks: asyncio.TaskGroup) -> None:
        """Start the tasks of this life."""
        self._tasks = tasks
        health = condition.watch(self._bus, lambda now: self._said(self._reports.health(now)))
        parts = (self._own(), self._hear(), self._beat(), self._look_at_facts(), self._hands.clean_up())
        for work in (*parts, health):
            tasks.create_task(work)

    def told(self, joined: Joined) -> None:
        """Take in what the planner says when the node has joined again."""
        self._node.confirmed(joined.slivers)
        self._reports.period = joined.heartbeat_s
        self._cache.depot = Depot(joined.depot, joined.depot_token)
        self._wake.set()

    async def connected(self) -> None:
        """The bus is (again) there: say what this node is and holds."""
        self._reports.heartbeat(self._node.held())
        await self._report()
        await self._tell_facts(always=True)

    async def goodbye(self) -> None:
        """Say that this manager ends in order, if the broker is there."""
        if self._bus.health.link is not Link.CONNECTED:
            return
        fate = "ended" if self._config.end_slivers else "live on"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await self._said(self._reports.goodbye(slivers=fate))

    async def close(self) -> None:
        """Let go; may be called twice."""
        await self._hands.close(end_slivers=self._config.end_slivers)
        await self._cache.close()

    async def _own(self) -> None:
        """Take steps, have them carried out, and sleep until there may be more."""
        while True:
            self._wake.clear()
            for step in self._node.take(self._now()):
                self._tasks.create_task(self._carry_out(step), name=f"{type(step).__name__} {step.slice}")
            if self._node.report_due():
                await self._report()
            wait = min(_LONGEST_WAIT_S, self._node.wake_at(self._now()) - self._now())
            # Not wait_for: in Python 3.11 it can swallow the cancellation that ends this loop.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, wait)):
                    await self._wake.wait()

    async def _carry_out(self, step: Step) -> None:
        error = ""
        try:
            await self._hands.do(step)
        except (DsmtError, OSError) as failed:
            error = str(failed) or type(failed).__name__
            log.warning("%s of %s: %s", type(step).__name__, step.slice, error)
        except Exception as failed:
            # One sliver's misfortune is not the node's.
            error = f"an unexpected error: {failed!r}"
            log.exception("%s of %s", type(step).__name__, step.slice)
        self._node.done(step, self._now(), error=error)
        self._wake.set()

    async def _hear(self) -> None:
        policy = retry.consumer()
        while True:
            try:
                async with self._bus.consume(self._joined.queue, under=DEPLOYMENT) as deliveries:
                    async for delivery in deliveries:
                        policy.reset()
                        self._heard(delivery)
                        delivery.ack()
            except DsmtError as error:
                log.warning("the orders of this node cannot be heard: %s", error)
            await asyncio.sleep(policy.next_s())

    def _heard(self, delivery: Delivery) -> None:
        try:
            order = order_of(delivery.event)
            if delivery.exchange != ORDERS or order.host != self._config.host:
                raise Invalid(f"{order.text} is not an order for this node")  # noqa: TRY301
        except Invalid as error:
            log.warning("an order is not understood: %s", error)
            return
        if order.verb is Verb.PROBE:
            self._asked_to_probe(order)
            return
        if order.verb is Verb.PACE:
            self._reports.period = order.heartbeat_s
            log.info("one heartbeat each %g s from now on", order.heartbeat_s)
            return
        verdict = self._node.order(order, self._now())
        log.info("%s generation %d: %s", order.text, order.generation, verdict)
        self._wake.set()

    def _asked_to_probe(self, order: Order) -> None:
        if self._probes.asked(order.nonce):
            self._tasks.create_task(self._probe(order.nonce), name="probe")
        elif answer := self._probes.answer_again(order.nonce):
            self._tasks.create_task(self._said(self._reports.probe(answer)), name="probe answered again")

    async def _probe(self, nonce: str) -> None:
        began, reason = self._now(), ""
        try:
            await self._hands.probe()
        except (DsmtError, OSError) as failed:
            reason = str(failed) or type(failed).__name__
        except Exception as failed:
            # A node on which a probe cannot even be tried does not pass it.
            reason = f"an unexpected error: {failed!r}"
            log.exception("a probe")
        result = ProbeResult(nonce=nonce, reason=reason, took_s=self._now() - began)
        log.info("probed: %s", reason or f"passed in {result.took_s:.2f} s")
        self._probes.done(result)
        await self._said(self._reports.probe(result))

    async def _beat(self) -> None:
        await heartbeat.beat(
            lambda: self._reports.period,
            lambda: self._reports.heartbeat(self._node.held()),
            random.random,
        )

    async def _look_at_facts(self) -> None:
        while True:
            told = await self._programs.look()
            if told != self._told:
                self._told = told
                await self._tell_facts(always=False)
            await asyncio.sleep(self._config.facts_s)
            await self._tell_facts(always=False)

    async def _tell_facts(self, *, always: bool) -> None:
        try:
            now = await asyncio.to_thread(
                facts.facts, self._config.data, sliver_driver=self._choice.driver.name
            )
        except OSError as error:
            log.warning("the facts of this node cannot be read: %s", error)
            return
        if self._choice.warning:
            now["warning"] = self._choice.warning
        # What the node knows of itself nobody overwrites.
        now = {**self._told, **now}
        if always or facts.differ(self._facts, now):
            self._facts = now
            await self._said(self._reports.facts(now))

    async def _report(self) -> None:
        node = self._node
        holdings = Holdings(node.held(), node.gone(self._now()), node.orders())
        await self._said(self._reports.holdings(holdings, asks=node.asks))

    async def _said(self, word: Awaitable[None]) -> None:
        try:
            await word
        except DsmtError as error:
            log.warning("a word of this node was not taken: %s", error)

    def _lost(self, slice_: Slice) -> None:
        log.warning("the first process of sliver %s has ended", slice_)
        self._node.lost(slice_, self._now())
        self._wake.set()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
