"""Trials: what the tracker wants done on nodes is ordered, and what they answer is told to it.

Nodes are told their period here, too: so many a second, each not again before it can have taken it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from broker.bus import Link
from dsmt_core.channels import NODE
from dsmt_core.commands import Order, Verb
from dsmt_core.errors import DsmtError, Invalid
from dsmt_core.events import Event
from dsmt_core.names import Host, host
from dsmt_core.nodes import GOODBYE, PROBE, read_probe
from planner.failed_nodes.notes import NODE as BY_NODE
from planner.failed_nodes.pace import differ
from planner.fleet import NodeState
from planner.reconcile.round import ALL_SLICES
from planner.service.means import Means, Watched

_LOOK_S: Final = 0.25
# A word to each of 10,000 nodes takes a minute and a half, and nobody notices.
_TOLD_A_LOOK: Final = 30
_TOLD_AGAIN_S: Final = 60.0
_log = structlog.get_logger(__name__)


class Speaks(Protocol):
    """Sends an order as an event of the planner."""

    async def order(self, order: Order) -> None:
        """Publish it, and return when it is confirmed."""
        ...


class Trials:
    """Probes nodes and tells them their period.

    Args:
        means: bus and clock.
        watched: the tracker, and the fleet.
        voice: sends the orders.
        period: seconds between the heartbeats of each node, as it should be now.
        wake: called when a node has answered.
    """

    def __init__(
        self,
        means: Means,
        watched: Watched,
        voice: Speaks,
        *,
        period: Callable[[], float],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._bus = means.bus
        self._clock = means.clock
        self._tracker = watched.tracker
        self._fleet = watched.fleet
        self._voice = voice
        self._period = period
        self._wake = wake
        self._told: dict[Host, float] = {}

    def heard(self, event: Event) -> bool:
        """Take in what a node says of itself; False when the event is none of these."""
        if event.field not in {PROBE, GOODBYE} or not event.channel.startswith(NODE):
            return False
        try:
            of = host(event.channel[len(NODE) :].partition("/")[0])
            if event.field == PROBE:
                self._answered(of, event)
            else:
                fate = event.pairs.get("slivers", "")[:40] or "live on"
                self._tracker.hint(
                    of, f"dsmt-node ended in order; its slivers {fate}", now=self._clock(), by=BY_NODE
                )
        except Invalid as error:
            _log.debug("what a node said is ignored", channel=event.channel, reason=str(error))
        return True

    async def run(self) -> None:
        """Order what is due, for ever."""
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._bus.health.link is Link.CONNECTED:
                await self.order()

    async def order(self) -> None:
        """Order what is due now; what cannot be sent is due again later."""
        now = self._clock()
        orders = [
            Order(verb=Verb.PROBE, host=probe.host, slice=ALL_SLICES, generation=0, nonce=probe.nonce)
            for probe in self._tracker.probes(now)
        ]
        orders += self._paces(now)
        sent = await asyncio.gather(*map(self._voice.order, orders), return_exceptions=True)
        for failure in filter(None, sent):
            if not isinstance(failure, DsmtError):
                raise failure
            _log.warning("a node was not told", reason=str(failure))

    def _answered(self, of: Host, event: Event) -> None:
        result = read_probe(event.pairs)
        now = self._clock()
        if self._tracker.probed(of, result.nonce, passed=result.passed, reason=result.reason, now=now):
            _log.info("a node was probed", host=of, passed=result.passed, reason=result.reason)
            self._wake()

    def _paces(self, now: float) -> list[Order]:
        wanted = self._period()
        self._told = {of: at for of, at in self._told.items() if now - at < _TOLD_AGAIN_S}
        others = [
            of
            for of in self._fleet.hosts
            if of not in self._told
            and differ(self._fleet.period(of), wanted)
            and self._fleet.state(of) is NodeState.ALIVE
        ][:_TOLD_A_LOOK]
        self._told |= dict.fromkeys(others, now)
        return [
            Order(verb=Verb.PACE, host=of, slice=ALL_SLICES, generation=0, heartbeat_s=wanted)
            for of in others
        ]
