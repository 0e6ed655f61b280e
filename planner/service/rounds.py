"""Rounds: at most one every 100 ms over what is dirty, and one over everything every 30 s.

A round decides, commits, makes the queues, then sends the orders, in this order. What cannot be sent is
not kept: the next round that finds it missing orders it again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from broker.bus import Link
from broker.topology import agent_queue, agent_topology
from dsmt_core.commands import Order
from dsmt_core.errors import Conflict, DsmtError
from dsmt_core.names import Host, Slice
from planner.config import PlannerConfig
from planner.fleet import Dirty, Fleet
from planner.reconcile import HeldBack, SentOrders, reconcile
from planner.service.means import Means
from planner.steps import Round, Waiting

# Orders handed to the bus at once; its window bounds what is really under way.
_TOGETHER: Final = 500
_AWAY_S: Final = 0.5
_AGAIN_S: Final = 1.0
Expecting = Callable[[Collection[tuple[Slice, Host]]], Awaitable[None]]
_log = structlog.get_logger(__name__)


async def _nobody(_places: Collection[tuple[Slice, Host]]) -> None:
    """Nobody wants to know of new slivers."""


class Speaks(Protocol):
    """Sends an order as an event of the planner."""

    async def order(self, order: Order) -> None:
        """Publish it, and return when it is confirmed."""
        ...

    async def nodes_of(self, slice_: Slice, hosts: Collection[Host]) -> None:
        """Tell the nodes of a slice, if they are others than were told last."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often: the least time between two rounds, and the most until one over everything; seconds."""

    least: float
    most: float

    @classmethod
    def of(cls, config: PlannerConfig) -> Pace:
        """As the planner is configured."""
        return cls(least=config.round_every, most=config.full_round_every)


class Rounds:
    """Runs the rounds; it owns what was sent.

    Args:
        means: what is wanted, and the bus for the queues.
        fleet: what is seen.
        voice: sends the orders.
        pace: how often.

    Attributes:
        sent: what was ordered.
        expecting: told the places of new slivers, before they are ordered.
        count: rounds until now.
        took: seconds that they took, in all.
        ordered: orders that were sent and confirmed.
        trouble: why the last round failed; empty when it did not.
    """

    def __init__(self, means: Means, fleet: Fleet, *, voice: Speaks, pace: Pace) -> None:
        self._ledger = means.ledger
        self._bus = means.bus
        self._clock = means.clock
        self._fleet = fleet
        self._voice = voice
        self._pace = pace
        self.sent = SentOrders()
        self._news = asyncio.Event()
        self._changed: set[Slice] = set()
        self._everything = True
        self._held_back = HeldBack()
        self.expecting: Expecting = _nobody
        self.count = 0
        self.took = 0.0
        self.ordered = 0
        self.trouble = ""

    def wake(self) -> None:
        """Something was heard: a round is due."""
        self._news.set()

    def changed(self, slice_: Slice) -> None:
        """People changed a slice: a round over it is due."""
        self._changed.add(slice_)
        self._news.set()

    def everything(self) -> None:
        """A round over everything is due, as after a reconnect: what was said meanwhile was not heard."""
        self.sent.deafened()
        self._everything = True
        self._news.set()

    def waiting(self, slice_: Slice) -> tuple[Waiting, ...]:
        """What the last rounds about a slice held back."""
        return self._held_back.of(slice_)

    async def run(self) -> None:
        """Run rounds, for ever."""
        full_at = again_at = 0.0
        while True:
            if self._clock() >= full_at:
                self._everything = True
                full_at = self._clock() + self._pace.most
            again_at = await self._guarded_round()
            await self._pause(min(full_at, again_at))

    async def _pause(self, until: float) -> None:
        """Wait for news, or until ``until``; in any case the least time between two rounds."""
        await asyncio.sleep(self._pace.least)
        left = until - self._clock()
        if left > 0:
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def _guarded_round(self) -> float:
        """One round; an error that the next one may not meet is logged. When the next one is due."""
        try:
            due = await self._round()
        except Conflict:
            # Another planner has taken over: this one has to end.
            raise
        except DsmtError as error:
            _log.warning("a round was cut short", reason=str(error))
            return self._failed(str(error))
        except Exception as error:  # noqa: BLE001 - see below
            # People can still look and change things while it is shown as degraded (`trouble`).
            _log.exception("a round failed")
            return self._failed(f"{type(error).__name__}: {error}")
        self.trouble = ""
        return due

    def _failed(self, reason: str) -> float:
        self.trouble = reason
        self._everything = True
        return self._clock() + _AGAIN_S

    async def _round(self) -> float:
        if self._bus.health.link is not Link.CONNECTED:
            # Nothing could be ordered; what was decided would only wait for its repetition.
            self._everything = True
            self.sent.deafened()
            return self._clock() + _AWAY_S
        began = time.monotonic()
        async with self._ledger.deciding:
            only = self._take_dirty()
            round_ = reconcile(
                self._ledger.wanted, self._fleet, sent=self.sent, now=self._clock(), only=only
            )
            if round_.changes:
                await self._ledger.commit(round_.changes)
        self.count += 1
        self._held_back.take(round_)
        await self._act(round_)
        self.took += time.monotonic() - began
        return round_.again_at

    def _take_dirty(self) -> Dirty | None:
        """What to look at; None for everything."""
        self._news.clear()
        dirty = self._fleet.take_dirty()
        everything = self._everything or dirty.everything
        dirty.slices |= self._changed
        self._everything, self._changed = False, set()
        return None if everything else dirty

    async def _act(self, round_: Round) -> None:
        if round_.agent_queues:
            await self.expecting(round_.agent_queues)
            parts = [agent_topology(slice_, host) for slice_, host in round_.agent_queues]
            queues = [queue for some, _ in parts for queue in some]
            await self._bus.declare(queues, [binding for _, some in parts for binding in some])
        for first in range(0, len(round_.orders), _TOGETHER):
            await self._send(round_.orders[first : first + _TOGETHER])
        for slice_, host in round_.gone_queues:
            await self._bus.delete_queue(agent_queue(slice_, host))
        for change in round_.changes:
            await self._voice.nodes_of(change.slice, change.hosts)

    async def _send(self, orders: Sequence[Order]) -> None:
        # Tasks begin in the order in which they are made, so the bus gets the orders in theirs.
        sent = await asyncio.gather(*map(self._voice.order, orders), return_exceptions=True)
        failures = [result for result in sent if result is not None]
        self.ordered += len(sent) - len(failures)
        for failure in failures:
            if not isinstance(failure, DsmtError):
                raise failure
        if failures:
            _log.warning("orders were not sent", count=len(failures), reason=str(failures[0]))
