"""PsEPR: the event service, and the only room that knows pika and kombu.

`bus` is the port with its promises, `rabbit` and `embedded` keep them, `topology` says which exchanges
and queues there are, `access` who may use them, `server` runs a private RabbitMQ.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broker.bus import Bus, Limits

WAIT_S = 10.0


def connect(url: str, *, limits: Limits | None = None, name: str = "dsmt") -> Bus:
    """A bus for the broker that ``url`` names; `Bus.start` begins to connect.

    To be called inside a running event loop, to which the bus belongs.

    Args:
        url: ``amqp[s]://USER:PASSWORD@HOST:PORT,HOST:PORT,…/VHOST``, whose hosts are tried in a random
            order, or ``memory://USER@WORLD`` for the broker inside this process that all who name the
            same world share. With ``?event_bytes=N`` it has `broker.bus.Limits.event_bytes` in it.
        limits: the bounds; `broker.bus.Limits` by default.
        name: shown in the broker's list of connections.

    Raises:
        Invalid: the URL is of neither kind, or not legal.
    """
    from broker.address import event_bytes  # noqa: PLC0415 - as below

    # Imported here: an agent needs one of the two, and its memory counts.
    from broker.bus import Limits as DefaultLimits  # noqa: PLC0415

    bounds = limits or DefaultLimits()
    url, most = event_bytes(url)
    if most is not None:
        bounds = replace(bounds, event_bytes=most)
    scheme = url.partition("://")[0]
    if scheme in {"amqp", "amqps"}:
        from broker.rabbit.bus import RabbitBus  # noqa: PLC0415

        return RabbitBus(url, bounds, name)
    if scheme == "memory":
        from broker.embedded.bus import EmbeddedBus  # noqa: PLC0415

        return EmbeddedBus(url, bounds, name)
    from dsmt_core.errors import Invalid  # noqa: PLC0415

    raise Invalid(
        f"{scheme!r} is not the scheme of a broker", hint="use amqp://…, amqps://… or memory://USER@WORLD"
    )


@asynccontextmanager
async def connected(
    url: str, *, wait_s: float = WAIT_S, limits: Limits | None = None, name: str = "application"
) -> AsyncIterator[Bus]:
    """A bus that is connected, for as long as the block lasts.

    Raises:
        Unavailable: not connected within ``wait_s`` seconds.
        Denied: the broker refused user or password.
        Invalid: the URL is of no known kind.
    """
    bus = connect(url, limits=limits, name=name)
    try:
        await bus.start(wait_s=wait_s)
        yield bus
    finally:
        await bus.close()
