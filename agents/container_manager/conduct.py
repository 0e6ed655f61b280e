"""What a container manager does on its bus: it hears orders, has steps carried out, beats and reports.

One task owns the `Node` and takes its steps; everything else only changes it between two awaits, and
wakes that task. Whose hands carry out the steps is not known here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable
from typing import Final, Protocol

from agents import heartbeat, signed_packages
from agents.container_manager.decide import Node, Probes, Step, Verdict
from agents.container_manager.reports import Holdings, Reports
from agents.order_trust import OUTDATED, OrderTrust
from broker import retry
from broker.bus import Bus, Delivery
from dsmt_core.channels import DEPLOYMENT
from dsmt_core.commands import Order, Verb, order_of
from dsmt_core.errors import DsmtError, Invalid
from dsmt_core.lifecycle import State
from dsmt_core.names import Slice
from dsmt_core.nodes import ProbeResult
from dsmt_core.rights import ORDERS

log = logging.getLogger(__name__)

# How long one wait of the owner lasts at most: a look at the clock costs nothing.
_LONGEST_WAIT_S: Final = 30.0


class CarriesOut(Protocol):
    """What has hands."""

    async def do(self, step: Step) -> None:
        """Carry out one step.

        Raises:
            DsmtError, OSError: it could not be done; the message is the reason.
        """
        ...

    async def probe(self) -> None:
        """Make a sliver, run a program in it, and remove it.

        Raises:
            DsmtError, OSError: what of this could not be done.
        """
        ...


class Conduct:
    """The manager of one node on one bus.

    Args:
        bus: its connection, not necessarily connected.
        queue: of its orders.
        reports: how it speaks.
        hands: carry out what is decided.
        trust: whose orders it follows.

    Attributes:
        node: decides; its owner is the task that takes its steps.
    """

    def __init__(
        self, bus: Bus, queue: str, reports: Reports, hands: CarriesOut, trust: OrderTrust | None = None
    ) -> None:
        self.node = Node()
        self._bus = bus
        self._queue = queue
        self._reports = reports
        self._hands = hands
        self._trust = trust or OrderTrust((), reports.session)
        self._probes = Probes()
        self._wake = asyncio.Event()

    def begin(self, tasks: asyncio.TaskGroup) -> None:
        """Start the tasks of it."""
        self._tasks = tasks
        for work in (self._own(), self._hear(), self._beat()):
            tasks.create_task(work)

    def wake(self) -> None:
        """The node has changed: there may be steps."""
        self._wake.set()

    def lost(self, slice_: Slice) -> None:
        """The first process of a sliver has ended by itself."""
        log.warning("the first process of sliver %s has ended", slice_)
        self.node.lost(slice_, loop_time())
        self.wake()

    def remake(self, slice_: Slice) -> None:
        """A sliver is to be made otherwise."""
        self.node.remake(slice_)
        self.wake()

    def evict(self, slice_: Slice, reason: str) -> None:
        """A sliver has taken more than it may."""
        log.warning("sliver %s is ended: %s", slice_, reason)
        self.node.evict(slice_, reason)
        self.wake()

    def beat(self) -> None:
        """One heartbeat, at once."""
        self._reports.heartbeat(self.node.held())

    async def report(self) -> None:
        """Say what the node holds."""
        node = self.node
        holdings = Holdings(node.held(), node.gone(loop_time()), node.orders())
        await said(self._reports.holdings(holdings, asks=node.asks))

    async def _own(self) -> None:
        """Take steps, have them carried out, and sleep until there may be more."""
        while True:
            self._wake.clear()
            for step in self.node.take(loop_time()):
                self._tasks.create_task(self._carry_out(step), name=f"{type(step).__name__} {step.slice}")
            if self.node.report_due():
                await self.report()
            wait = min(_LONGEST_WAIT_S, self.node.wake_at(loop_time()) - loop_time())
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
        self.node.done(step, loop_time(), error=error)
        self.wake()

    async def _hear(self) -> None:
        policy = retry.consumer()
        while True:
            try:
                async with self._bus.consume(self._queue, under=DEPLOYMENT) as deliveries:
                    async for delivery in deliveries:
                        policy.reset()
                        if self._trust.believes(delivery, self._say_session):
                            if why := self._heard(delivery):
                                delivery.refuse(why)
                            else:
                                delivery.ack()
            except DsmtError as error:
                log.warning("the orders of this node cannot be heard: %s", error)
            await asyncio.sleep(policy.next_s())

    def _say_session(self) -> None:
        self._tasks.create_task(self.report(), name="session")

    def _heard(self, delivery: Delivery) -> str:
        """Why it is refused, in the end; empty when it is not."""
        try:
            order = order_of(delivery.event)
            if delivery.exchange != ORDERS or order.host != self._reports.host:
                raise Invalid(f"{order.text} is not an order for this node")  # noqa: TRY301
        except Invalid as error:
            log.warning("an order is not understood: %s", error)
            return error.message
        if order.verb is Verb.PROBE:
            self._asked_to_probe(order)
            return ""
        if order.verb is Verb.PACE:
            self._reports.period = order.heartbeat_s
            log.info("one heartbeat each %g s from now on", order.heartbeat_s)
            return ""
        why = signed_packages.of_sliver(order) if order.verb is Verb.CREATE else ""
        if why and not self.node.uses(order):
            self._unsigned(order, why)
            return why
        verdict = self.node.order(order, loop_time())
        log.info("%s generation %d: %s", order.text, order.generation, verdict)
        self.wake()
        return OUTDATED if verdict is Verdict.REFUSED else ""

    def _unsigned(self, order: Order, why: str) -> None:
        """Say that a sliver is not made; one that is there goes on as it is."""
        log.warning("%s: %s", order.text, why)
        if order.slice not in self.node.slivers:
            word = self._reports.state(order.slice, State.FAILED, why)
            self._tasks.create_task(said(word), name="unsigned")

    def _asked_to_probe(self, order: Order) -> None:
        if self._probes.asked(order.nonce):
            self._tasks.create_task(self._probe(order.nonce), name="probe")
        elif answer := self._probes.answer_again(order.nonce):
            self._tasks.create_task(said(self._reports.probe(answer)), name="probe answered again")

    async def _probe(self, nonce: str) -> None:
        began, reason = loop_time(), ""
        try:
            await self._hands.probe()
        except (DsmtError, OSError) as failed:
            reason = str(failed) or type(failed).__name__
        except Exception as failed:
            # A node on which a probe cannot even be tried does not pass it.
            reason = f"an unexpected error: {failed!r}"
            log.exception("a probe")
        result = ProbeResult(nonce=nonce, reason=reason, took_s=loop_time() - began)
        log.info("probed: %s", reason or f"passed in {result.took_s:.2f} s")
        self._probes.done(result)
        await said(self._reports.probe(result))

    async def _beat(self) -> None:
        await heartbeat.beat(lambda: self._reports.period, self.beat, random.random)


async def said(word: Awaitable[None]) -> None:
    """Say something; what cannot be said now is told in the log, and left."""
    try:
        await word
    except DsmtError as error:
        log.warning("a word of this node was not taken: %s", error)


def loop_time() -> float:
    """Seconds of the event loop's clock."""
    return asyncio.get_running_loop().time()
