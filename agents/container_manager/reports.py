"""What a container manager says on the bus, and in whose name (docs/reference/protocol.md, section 2)."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from broker.bus import Bus
from dsmt_core.channels import facts_channel, heartbeat_channel, status_channel
from dsmt_core.container import CONTAINER_STATUS
from dsmt_core.container import PERIOD_S as CONTAINER_S
from dsmt_core.errors import DsmtError
from dsmt_core.events import DEPLOYMENT_STATUS, ONCE, VALUE_EXPIRY_S, Sender, legal_text
from dsmt_core.health import HEALTH, PERIOD_S, Condition, health_pairs
from dsmt_core.lifecycle import State
from dsmt_core.names import CONTAINER, CONTAINER_MGR, SLIVER_MGR, Host, Slice, manager_of
from dsmt_core.nodes import (
    FACTS,
    GOODBYE,
    HEARTBEAT,
    HOLDINGS,
    PROBE,
    ProbeResult,
    digest,
    gone_pairs,
    order_pairs,
    probe_pairs,
    sliver_pairs,
)
from dsmt_core.rights import NODES
from dsmt_core.selection import SLIVER_STATE, sliver_states

_REASON: Final = 400
# How many periods the value of what repeats holds.
_HOLDS: Final = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a node holds: slice → generation, of what is there and of what is gone, and → order's digest."""

    held: Mapping[Slice, int]
    gone: Mapping[Slice, int]
    orders: Mapping[Slice, str]


class Reports:
    """Publishes for one node.

    Args:
        host: the node.
        bus: its connection.
        period: seconds between heartbeats.

    Attributes:
        host, period: the same; the period may change.
        session: names this life in all that it says; the planner signs orders for it.
    """

    def __init__(self, host: Host, bus: Bus, period: float) -> None:
        self.host = host
        self._bus = bus
        self.period = period
        self.known: Mapping[str, str] = {}
        self.session = boot = uuid.uuid4().hex
        self._states = Sender("", f"{host}/{SLIVER_MGR}", boot)
        self._words = Sender("", f"{host}/{CONTAINER_MGR}/{SLIVER_STATE}", boot)
        self._figures = Sender("", f"{host}/{SLIVER_MGR}/{CONTAINER_STATUS}", boot)
        self._node = Sender(CONTAINER_MGR, f"{host}/{CONTAINER_MGR}", boot)
        # A queue of their own carries the heartbeats: counted with the rest they would seem to overtake it.
        self._beats = Sender(CONTAINER_MGR, f"{host}/{CONTAINER_MGR}/{HEARTBEAT}", boot)
        # An event's number is its place in the stream: numbered and sent as one.
        self._turn = asyncio.Lock()

    async def state(self, slice_: Slice, state: State, reason: str) -> None:
        """Publish a state of a sliver's container; returns when it is confirmed, or in the outbox."""
        pairs = {
            "hostname": self.host,
            "component": SLIVER_MGR,
            "managed": CONTAINER,
            "slice": slice_,
            "status": str(state),
        }
        if reason:
            pairs["reason"] = legal_text(reason)[:_REASON]
        async with self._turn:
            event = self._states.event(
                status_channel(slice_, SLIVER_MGR, self.host),
                DEPLOYMENT_STATUS,
                now=time.time(),
                id_=uuid.uuid4().hex,
                service=manager_of(slice_),
                pairs=pairs,
                **ONCE,
            )
            await self._bus.post(event)
        for word in sliver_states(state):
            await self._sliver_state(slice_, word, reason)

    async def _sliver_state(self, slice_: Slice, word: str, reason: str) -> None:
        pairs = {"hostname": str(self.host), "slice": str(slice_), "value": word}
        if reason:
            pairs["reason"] = legal_text(reason)[:_REASON]
        async with self._turn:
            event = self._words.event(
                status_channel(slice_, CONTAINER_MGR, self.host),
                SLIVER_STATE,
                now=time.time(),
                id_=uuid.uuid4().hex,
                service=manager_of(slice_),
                pairs=pairs,
                **ONCE,
            )
            await self._bus.post(event)

    async def container(self, slice_: Slice, field: str, value: str) -> None:
        """Tell one figure of a sliver's container (`dsmt_core.container`)."""
        pairs = {"hostname": str(self.host), "slice": str(slice_), "value": legal_text(value)[:_REASON]}
        async with self._turn:
            event = self._figures.event(
                status_channel(slice_, CONTAINER_STATUS, self.host),
                field,
                now=time.time(),
                id_=uuid.uuid4().hex,
                service=manager_of(slice_),
                pairs=pairs,
                emit_rate=CONTAINER_S,
                expiry=_HOLDS * CONTAINER_S,
            )
            await self._bus.post(event)

    async def holdings(self, said: Holdings, *, asks: bool) -> None:
        """Say which slivers the node holds, by which orders, and which it has deleted."""
        pairs = {
            "hostname": str(self.host),
            **sliver_pairs(said.held),
            **gone_pairs(said.gone),
            **order_pairs(said.orders),
        }
        if asks:
            pairs["asks"] = "yes"
        await self._tell(HOLDINGS, pairs)

    async def facts(self, facts: Mapping[str, str]) -> None:
        """Say what the machine is like; slivers may ask for it, too."""
        self.known = facts
        await self._tell(FACTS, {"hostname": str(self.host), **facts})

    async def health(self, condition: Condition) -> None:
        """Say how this process is doing."""
        await self._tell(HEALTH, {"hostname": str(self.host), **health_pairs(condition)}, PERIOD_S)

    async def probe(self, result: ProbeResult) -> None:
        """Say how a probe went."""
        pairs = {name: legal_text(text)[:_REASON] for name, text in probe_pairs(result).items()}
        await self._tell(PROBE, {"hostname": str(self.host), **pairs})

    async def goodbye(self, *, slivers: str) -> None:
        """Say that the container manager ends in order, and what becomes of the slivers."""
        await self._tell(GOODBYE, {"hostname": str(self.host), "slivers": slivers})

    def heartbeat(self, held: Mapping[Slice, int]) -> None:
        """One heartbeat, if the broker is there."""
        event = self._beats.event(
            heartbeat_channel(self.host),
            HEARTBEAT,
            now=time.time(),
            id_=uuid.uuid4().hex,
            pairs={"hostname": str(self.host), "digest": digest(held)},
            emit_rate=self.period,
            expiry=self.period * _HOLDS,
        )
        try:
            self._bus.hint(event, exchange=NODES)
        except DsmtError as error:
            log.warning("the heartbeat was refused: %s", error)

    async def _tell(self, field: str, pairs: Mapping[str, str], emit_rate: float = 0.0) -> None:
        async with self._turn:
            event = self._node.event(
                facts_channel(self.host),
                field,
                now=time.time(),
                id_=uuid.uuid4().hex,
                pairs=pairs,
                emit_rate=emit_rate,
                **({"expiry": max(VALUE_EXPIRY_S, _HOLDS * emit_rate)} if emit_rate else ONCE),
            )
            await self._bus.post(event)
