"""What the planner says: orders, and refusals of requests. One sender numbers all of it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from typing import Final

from broker.bus import Bus
from dsmt_core.calls import CALL, TTL_S, Call
from dsmt_core.channels import Channel, command_channel, component_channel
from dsmt_core.commands import FOR_SLIVERS, Order
from dsmt_core.events import ONCE, STATUS, VALUE_EXPIRY_S, Sender
from dsmt_core.names import CONTAINER_MGR, DEPLOYMENT_AGENT, Host, Slice, manager_of
from dsmt_core.rights import ORDERS
from dsmt_core.selection import NODE_LIST, node_list_pairs
from planner.authority.order_keys import OrderKeys
from planner.reconcile.round import ALL_SLICES
from planner.service.clock import SteadyClock
from planner.service.signing import Signing, of_agent, of_node
from planner.silences import PATIENCE

INSTANCE: Final = "planner"


class Voice:
    """Publishes in the name of the planner; ``signing`` signs what it orders."""

    def __init__(self, bus: Bus, clock: SteadyClock, boot_id: str, keys: OrderKeys) -> None:
        self.signing = Signing(keys, clock)
        self._bus = bus
        self._clock = clock
        self._sender = Sender("", INSTANCE, boot_id)
        self._nodes: dict[Slice, frozenset[Host]] = {}

    async def order(self, order: Order) -> None:
        """Publish an order; returns when the broker has confirmed.

        Raises:
            Unavailable: the broker is away or did not confirm, or the key cannot be used; ordering again is
                safe.
        """
        event = self._sender.event(
            command_channel(order.slice, component_of(order), order.host),
            STATUS,
            now=self._clock(),
            id_=secrets.token_hex(16),
            service=manager_of(order.slice),
            value=order.text,
            pairs=order.pairs,
        )
        is_node = component_of(order) == CONTAINER_MGR
        listens = of_node(order.host) if is_node else of_agent(order.slice, order.host)
        await self._bus.publish(self.signing.signed(event, listens), exchange=ORDERS)

    async def call(self, call: Call) -> None:
        """Publish a call of an agent; returns when the broker has confirmed.

        Raises:
            Unavailable: the broker is away or did not confirm; it may be carried out all the same.
        """
        event = self._sender.event(
            command_channel(call.slice, DEPLOYMENT_AGENT, call.host),
            CALL,
            now=self._clock(),
            id_=secrets.token_hex(16),
            service=manager_of(call.slice),
            value=str(call.kind),
            pairs=call.pairs,
            ttl=TTL_S,
        )
        signed = self.signing.signed(event, of_agent(call.slice, call.host))
        await self._bus.publish(signed, exchange=ORDERS)

    async def say(
        self,
        channel: Channel,
        field: str,
        pairs: Mapping[str, str],
        *,
        service: str,
        emit_rate: float = 0.0,
    ) -> None:
        """Publish an event of the planner; returns when the broker has confirmed.

        Args:
            channel: where.
            field: of what.
            pairs: its value; what was heard from elsewhere is made legal.
            service: in whose name.
            emit_rate: seconds until it is said again; 0: never.

        Raises:
            Unavailable: the broker is away or did not confirm; saying it again is safe.
        """
        event = self._sender.event(
            channel,
            field,
            now=self._clock(),
            id_=secrets.token_hex(16),
            service=service,
            pairs=pairs,
            emit_rate=emit_rate,
            **({"expiry": max(VALUE_EXPIRY_S, PATIENCE * emit_rate)} if emit_rate else ONCE),
        )
        await self._bus.publish(event)

    async def nodes_of(self, slice_: Slice, hosts: Collection[Host]) -> None:
        """Tell the nodes of a slice, if they are others than were told last.

        Raises:
            Unavailable: the broker is away and the outbox does not take it.
        """
        now = frozenset(hosts)
        if self._nodes.get(slice_) == now:
            return
        channel = component_channel(slice_, CONTAINER_MGR)
        await self.tell(slice_, channel, NODE_LIST, {"slice": slice_, **node_list_pairs(now)})
        self._nodes[slice_] = now

    async def tell(self, slice_: Slice, channel: Channel, field: str, pairs: dict[str, str]) -> None:
        """Publish an event about a slice.

        Raises:
            Unavailable: the broker is away and the outbox does not take it.
        """
        event = self._sender.event(
            channel,
            field,
            now=self._clock(),
            id_=secrets.token_hex(16),
            service=manager_of(slice_),
            pairs=pairs,
            **ONCE,
        )
        await self._bus.post(event)


def component_of(order: Order) -> str:
    """Who obeys an order: the agent, or the container manager."""
    of_node = order.verb in FOR_SLIVERS or order.slice == ALL_SLICES
    return CONTAINER_MGR if of_node else DEPLOYMENT_AGENT
