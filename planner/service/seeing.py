"""Seen: what is heard on the event service is folded into the fleet, by one task at a time.

Folding never waits and never raises: one bad event is logged and the rest goes on. A delivery is
acknowledged after its fold. While the planner is deaf (broker away, loop late) nobody is judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import structlog

from broker.bus import Delivery, Link
from broker.topology import HEARTBEATS, INGEST, planner_topology
from dsmt_core.channels import DEPLOYMENT, NODE, Channel, lies_under
from dsmt_core.errors import DeadlinePassed, DsmtError, Invalid
from dsmt_core.events import Doubles, Event
from dsmt_core.names import CONTAINER_MGR, DEPLOYMENT_AGENT, Host, host
from dsmt_core.nodes import HEARTBEAT
from planner.failed_nodes import Verdict
from planner.placement import unproven
from planner.service.means import Means, Watched
from planner.service.requests import Requests
from planner.service.tap import Tap
from planner.standing import distrusted, maintained

PREFETCH: Final = 300
# Often enough that a verdict comes at most this share of a period late.
_TICKS_A_PERIOD: Final = 8
# And that who is hinted at is suspected within a second.
_TICK_S: Final = 0.5
# No node is told a longer period; who says one would be silent for as long as it likes.
_LONGEST_PERIOD_S: Final = 300.0
_AGAIN_S: Final = 0.5
# Parts speak on some channels, again and again.
_REMEMBERED: Final = 1 << 17
_OURS: Final = Channel("/org/dsmt/ns/")
_COMMANDS: Final = frozenset({CONTAINER_MGR, DEPLOYMENT_AGENT})
_log = structlog.get_logger(__name__)


class Listener(Protocol):
    """Hears all that the planner's lease of ``/`` delivers; it never waits and never raises."""

    def begins(self) -> None:
        """The lease is in place (again): what was said before it was not heard."""

    def heard(self, delivery: Delivery) -> None:
        """The next event."""


@dataclass(frozen=True, slots=True)
class Senses:
    """What seeing changes, whom it wakes, and who else hears everything.

    Attributes:
        answers: takes what nodes say to the tracker (`planner.service.trials`).
    """

    watched: Watched
    tap: Tap
    wake: Callable[[], None]
    answers: Callable[[Event], bool]
    listeners: tuple[Listener, ...] = ()


class Seeing:
    """Hears heartbeats, reports and requests.

    Args:
        means: the bus; and wanted, for what a node on probation must have given up.
        senses: what is changed.
        requests: where commands of operators go.
        heartbeat: the nodes' period, seconds.
    """

    def __init__(self, means: Means, senses: Senses, *, requests: Requests, heartbeat: float) -> None:
        self._bus = means.bus
        self._ledger = means.ledger
        self._clock = means.clock
        self._senses = senses
        self._requests = requests
        self._heartbeat = heartbeat
        self._asked = Doubles()
        self.folded = 0
        self.ignored = 0

    async def ingest(self) -> None:
        """Fold reports, for ever."""
        await _again_and_again(self._ingest)

    async def heartbeats(self) -> None:
        """Fold heartbeats, for ever."""
        await _again_and_again(self._heartbeats)

    async def listen(self) -> None:
        """Keep what everybody says for those who ask over HTTP, for ever."""
        await _again_and_again(self._listen)

    async def _ingest(self) -> None:
        try:
            async with self._bus.consume(INGEST, under=_OURS, prefetch=PREFETCH) as deliveries:
                async for delivery in deliveries:
                    self._take(delivery)
                    self.folded += 1
        except DeadlinePassed as error:
            await self._make_ingest_anew(error)

    async def _make_ingest_anew(self, error: DeadlinePassed) -> None:
        """Throw the queue of reports away, and declare it again.

        Killed within seconds of its declaration, RabbitMQ 3.10 brings a quorum queue back without a leader.
        What was in it were hints; those who wait for a confirm send again, and all say what they hold.
        """
        _log.warning("the queue of reports is made anew", queue=INGEST, reason=str(error))
        queues, bindings = planner_topology(self._heartbeat)
        await self._bus.renew(
            [queue for queue in queues if queue.name == INGEST],
            [binding for binding in bindings if binding.queue == INGEST],
        )
        self.deafened()
        self._senses.wake()

    async def _heartbeats(self) -> None:
        queue = heartbeat_queue(self._heartbeat)
        async with self._bus.consume(queue, under=NODE, prefetch=PREFETCH) as deliveries:
            async for delivery in deliveries:
                self._beat(delivery)
                delivery.ack()

    async def _listen(self) -> None:
        async with self._bus.lease() as deliveries:
            for listener in self._senses.listeners:
                listener.begins()
            async for delivery in deliveries:
                self._senses.tap.heard(delivery.event, delivery.lost)
                for listener in self._senses.listeners:
                    listener.heard(delivery)

    async def judge(self) -> None:
        """Tick the tracker, for ever."""
        while True:
            await asyncio.sleep(min(self._heartbeat / _TICKS_A_PERIOD, _TICK_S))
            now = self._clock()
            if self._bus.health.link is not Link.CONNECTED:
                self._senses.watched.tracker.cut_off(now)
            for verdict in self._senses.watched.tracker.tick(
                now,
                unproven=self._unproven(),
                maintained=maintained(self._ledger.wanted.standings, now),
                distrusted=distrusted(self._ledger.wanted.standings),
            ):
                self._believe(verdict)
            if self._senses.watched.fleet.is_dirty:
                # No event has said so: a label, a fact of a further source, a node that was forgotten.
                self._senses.wake()

    def deafened(self) -> None:
        """Something kept the planner from hearing; silence counts from now."""
        self._senses.watched.tracker.deafened(self._clock())

    def _unproven(self) -> frozenset[Host]:
        return unproven(self._ledger.wanted, self._senses.watched.fleet)

    def _believe(self, verdict: Verdict) -> None:
        _log.info("a node is judged anew", host=verdict.host, state=verdict.state, reason=verdict.reason)
        self._senses.watched.fleet.judge(verdict.host, verdict.state)
        self._senses.wake()

    def _take(self, delivery: Delivery) -> None:
        event = delivery.event
        if is_request(event.channel):
            if self._asked.is_new(event) and self._requests.offer(delivery):
                return
            delivery.ack()
            return
        ignored = "" if self._senses.answers(event) else self._fold(event)
        delivery.ack()
        if ignored:
            self.ignored += 1
            _log.debug("an event is ignored", channel=event.channel, reason=ignored)
        else:
            self._senses.wake()

    def _fold(self, event: Event) -> str:
        try:
            return self._senses.watched.fleet.fold(event, now=self._clock())
        except Exception:  # noqa: BLE001 - see below
            # A mistake of ours about one event must not end the hearing of all others.
            _log.exception("an event could not be folded", channel=event.channel, field=event.field)
            return "it could not be folded"

    def _beat(self, delivery: Delivery) -> None:
        event, now = delivery.event, self._clock()
        if event.field != HEARTBEAT:
            return
        try:
            of = host(event.channel[len(NODE) :].partition("/")[0])
        except Invalid:
            return
        digest, period = event.pairs.get("digest", ""), min(event.emit_rate, _LONGEST_PERIOD_S)
        ignored = self._senses.watched.fleet.heard(
            of, digest, now=now, boot_id=event.boot_id, period=period
        )
        if ignored:
            self.ignored += 1
            return
        self._senses.watched.fleet.clocks.heard(of, event.sent_at - now)
        self._senses.watched.tracker.heard(of, now=now, period=period)
        node = self._senses.watched.fleet.node(of)
        if node is not None and node.differs_since is not None:
            self._senses.wake()


async def _again_and_again(hear: Callable[[], Awaitable[None]]) -> None:
    """Hear again when hearing has ended: a lease that was lost ends by an error, and never silently."""
    while True:
        try:
            await hear()
        except DsmtError as error:
            _log.warning("hearing begins again", reason=str(error))
        await asyncio.sleep(_AGAIN_S)


def heartbeat_queue(heartbeat: float) -> str:
    """The name of the queue of heartbeats with this period."""
    queues, _ = planner_topology(heartbeat)
    return next(queue.name for queue in queues if queue.name.startswith(HEARTBEATS))


@lru_cache(_REMEMBERED)
def is_request(channel: Channel) -> bool:
    """Whether events on this channel of `psepr` are requests to the planner."""
    words = channel[1:-1].split("/")
    return (
        lies_under(channel, DEPLOYMENT)
        and len(words) in {7, 8}
        and words[5] in _COMMANDS
        and words[6] == "command"
    )
