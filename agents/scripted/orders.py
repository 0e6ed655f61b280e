"""The orders of an agent of scripts: heard, kept, handed over as lines, and answered by what it holds.

A line is one order that is to be carried out. What was carried out already is not handed over again, an
older order never; after a restart of the agent what it had not finished comes first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from agents import signed_packages
from agents.deployment_agent.voice import Voice
from agents.order_trust import OrderTrust
from agents.scripted.held import Holdings, Kept, taken
from agents.scripted.identity import ENDED, Identity
from broker import retry
from broker.bus import Bus, Delivery
from dsmt_core.channels import command_channel
from dsmt_core.commands import FOR_APPLICATIONS, Order, Verb, order_of
from dsmt_core.errors import Denied, DsmtError, Full, Invalid
from dsmt_core.lifecycle import State
from dsmt_core.names import DEPLOYMENT_AGENT, SLIVER_BOOTSTRAP, Application
from dsmt_core.rights import ORDERS

_LOG = logging.getLogger(__name__)
_FIRST_S: Final = 0.05
_WALK: Final = (State.REQUESTED, State.INSTANTIATED, State.INITIALIZED, State.INSTALLED)


class Orders:
    """Hears orders until it is cancelled.

    Args:
        who: whose.
        bus: started.
        hand: takes each line.
    """

    def __init__(self, who: Identity, bus: Bus, hand: Callable[[str], None]) -> None:
        self._who = who
        self._bus = bus
        self._hand = hand
        self._holdings = Holdings(who.held)
        self._voice = Voice(who.config, DEPLOYMENT_AGENT, bus)
        self._trust = OrderTrust(who.config.order_keys, self._voice.session)
        self._listening = asyncio.Event()
        self._again: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Work."""
        self._bus.on_connected(self._greet)
        for name, kept in (await asyncio.to_thread(self._holdings.all)).items():
            if not kept.done:
                self._hand(kept.line(name))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._hear())
                await self._listening.wait()
                await self._running()
                await self._greet()
                group.create_task(self._tell())
        except asyncio.CancelledError:
            # Ended on purpose: the next one takes over without a word.
            await self._note(ENDED)
            raise

    async def _running(self) -> None:
        """The agent hears its orders; said once in its life, with what the bootstrap kept to itself."""
        recorded = await asyncio.to_thread(self._who.recorded)
        if recorded == State.RUNNING:
            return
        voice = Voice(self._who.config, SLIVER_BOOTSTRAP, self._bus)
        for became in (*(_WALK if recorded == State.FAILED else ()), State.RUNNING):
            await voice.state(DEPLOYMENT_AGENT, became)
        await self._note(State.RUNNING)

    async def _hear(self) -> None:
        config, policy = self._who.config, retry.consumer()
        channel = command_channel(config.slice, DEPLOYMENT_AGENT, config.host)
        while True:
            try:
                async with self._bus.consume(config.queue, under=channel) as deliveries:
                    self._listening.set()
                    async for delivery in deliveries:
                        policy.reset()
                        await self._delivered(delivery)
            except DsmtError as error:
                _LOG.warning("orders cannot be heard: %s", error)
            await asyncio.sleep(policy.next_s() + _FIRST_S)

    async def _delivered(self, delivery: Delivery) -> None:
        if not self._trust.believes(delivery, self._say_session):
            return
        try:
            if delivery.exchange == ORDERS:
                await self._ordered(order_of(delivery.event))
        except DsmtError as error:
            _LOG.warning("an order is not followed: %s", error)
        delivery.ack()

    def _say_session(self) -> None:
        self._again = asyncio.create_task(self._greet())

    async def _ordered(self, order: Order) -> None:
        config = self._who.config
        if (order.host, order.slice) != (config.host, config.slice):
            raise Invalid(f"the order {order.text!r} is for another sliver")
        if order.verb in FOR_APPLICATIONS:
            kept = await asyncio.to_thread(self._take, order.application, order)
            if kept is not None and not kept.done:
                self._hand(kept.line(order.application))
        await self._greet()

    def _take(self, name: Application, order: Order) -> Kept | None:
        known = self._holdings.all().get(name)
        is_there = known is not None and known.has(order)
        if not is_there and (why := signed_packages.of_application(order)):
            raise Denied(why)
        kept = taken(order, known)
        if kept is not None and kept is not known:
            try:
                self._holdings.keep(name, kept)
            except OSError as error:
                # What cannot be kept is not begun; the planner orders it again.
                raise Full(f"an order cannot be kept: {error.strerror}") from error
        return kept

    async def _greet(self) -> None:
        held = await asyncio.to_thread(self._holdings.all)
        gone = {name for name, kept in held.items() if kept.verb is Verb.UNINSTALL and kept.done}
        told = {name: kept.held for name, kept in held.items() if name not in gone}
        await self._voice.holdings(told, asks=not self._listening.is_set())

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(self._who.config.status_period)
            await self._greet()

    async def _note(self, state: str) -> None:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self._who.keep, state)
