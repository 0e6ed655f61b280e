"""The container manager as a service: it joins, and lives on the broker that the planner names.

It ends in order and leaves the slivers running, so that it can be upgraded; what runs is adopted when it
comes back. So a broker that has moved is met by beginning a new life, as after a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import Final

import broker
from agents.container_manager import certificates, joining, sliver_certificates, unreached
from agents.container_manager.config import NodeConfig
from agents.container_manager.joining import Joined
from agents.container_manager.life import Life
from agents.container_manager.limits.finding import found_groups
from agents.container_manager.limits.sweeping import sweep
from agents.container_manager.slivers.choosing import Choice, choose
from broker import retry
from broker.address import with_certificate
from broker.bus import Bus, Limits
from broker.endings import node_connection
from dsmt_core.errors import Banished, Denied, Unavailable

log = logging.getLogger(__name__)

# A depot that stays away makes the node ask the planner no more often than this.
_REJOIN_S: Final = 2.0
# On the average; within one and a half of it a changed password has reached the node.
REJOIN_EVERY_S: Final = 600.0


class Moved(Exception):
    """The planner names another broker, or another way to it, than the one that is used."""

    def __init__(self, joined: Joined) -> None:
        super().__init__("the broker has moved")
        self.joined = joined


class ContainerManager:
    """One node's manager, as a task.

    Args:
        config: how it is run.
        bus: a bus to use, which the caller starts and closes; by default one of its own, for the broker
            that the planner names.
        joined: what a join would answer, where no planner is asked.
    """

    def __init__(self, config: NodeConfig, *, bus: Bus | None = None, joined: Joined | None = None) -> None:
        self.config = config
        self.ready = asyncio.Event()
        self._bus = bus
        self._joined = joined

    async def run(self) -> None:
        """Manage the node until cancelled.

        Raises:
            Conflict: another living node has this name.
            Denied: the token is not valid, and this node has never joined.
            Invalid, Unavailable: the driver that was asked for is not known, or does not work here.
        """
        config = self.config
        config.data.mkdir(mode=0o755, parents=True, exist_ok=True)
        groups = await asyncio.to_thread(found_groups)
        await asyncio.to_thread(sweep, groups, config.place)
        choice = await asyncio.to_thread(choose, config.sliver_driver, groups)
        if choice.warning:
            log.warning("%s", choice.warning)
        joined, confirmed = await self._first_join()
        while True:
            try:
                await self._live(choice, joined, confirmed=confirmed)
            except* Moved as moved:
                joined, confirmed = _joined_of(moved), True

    async def _live(self, choice: Choice, joined: Joined, *, confirmed: bool) -> None:
        bus = self._bus or broker.connect(
            with_certificate(joined.broker, str(self.config.data / certificates.OWN)),
            limits=Limits(),
            name=node_connection(self.config.host),
        )
        life = Life(self.config, choice, bus, joined)
        bus.on_connected(life.connected)
        try:
            await life.restore()
            if self._bus is None:
                await bus.start()
            else:
                await life.connected()
            self.ready.set()
            async with asyncio.TaskGroup() as tasks:
                life.begin(tasks)
                tasks.create_task(unreached.tell(bus.health), name="unreached")
                tasks.create_task(unreached.denied(bus.health, life.astray.set), name="denied")
                if self._joined is None:
                    tasks.create_task(self._stay_joined(joined, life, confirmed=confirmed), name="join")
        except asyncio.CancelledError:
            await life.goodbye()
            raise
        finally:
            await life.close()
            if self._bus is None:
                await bus.close()

    async def _first_join(self) -> tuple[Joined, bool]:
        """What to work with, and whether the planner has just said so."""
        if self._joined is not None:
            return self._joined, True
        known = await asyncio.to_thread(joining.remembered, self.config.data)
        if known is None:
            return await self._join(), True
        try:
            return await self._join_once(), True
        except Unavailable as error:
            log.warning("%s; working with what is known", error)
        except Denied as error:
            log.warning("%s; working with what is known", error)
            return known, True
        return known, False

    async def _stay_joined(self, known: Joined, life: Life, *, confirmed: bool) -> None:
        """Join again: what is known is not confirmed, depot or broker turn it away, or it is long ago.

        The planner may then name another depot, or another broker, or another password.
        """
        while True:
            if confirmed:
                spread = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
                await _until(life.astray, REJOIN_EVERY_S * spread)
            try:
                joined = await self._join()
            except Banished as error:
                log.warning("%s; what runs here is ended", error)
                life.banished()
            except Denied as error:
                log.warning("%s; going on with what is known", error)
            else:
                if _way(joined) != _way(known):
                    raise Moved(joined)
                life.told(joined)
            confirmed = True
            await asyncio.sleep(_REJOIN_S)
            life.astray.clear()

    async def _join(self) -> Joined:
        policy = retry.reconnection(Limits())
        while True:
            try:
                return await self._join_once()
            except Unavailable as error:
                log.warning("%s", error)
            await asyncio.sleep(policy.next_s())

    async def _join_once(self) -> Joined:
        joined = await asyncio.to_thread(joining.join, self.config)
        await asyncio.to_thread(joining.remember, self.config.data, joined)
        await asyncio.to_thread(sliver_certificates.lay_all, self.config, joined.broker)
        log.info("joined as %s", self.config.host)
        return joined


def _way(joined: Joined) -> tuple[str, ...]:
    """With what node, agents and applications connect, and whose orders they follow."""
    return joined.broker, joined.queue, joined.application_broker, joined.order_keys


async def _until(event: asyncio.Event, within_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()


def _joined_of(moved: BaseExceptionGroup[Moved]) -> Joined:
    first = moved.exceptions[0]
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first.joined
