"""The words of the contract's tests: who speaks where, and how long anything may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from broker.bus import Delivery
from dsmt_core.channels import Channel, command_channel, status_channel
from dsmt_core.events import Event
from dsmt_core.names import DEPLOYMENT_AGENT, Host, Slice

SLICE = Slice("s1")
HOST = Host("h1.example.org")
STATUS = status_channel(SLICE, DEPLOYMENT_AGENT, HOST)
COMMAND = command_channel(SLICE, DEPLOYMENT_AGENT, HOST)
PINGER = Channel("/com/example/pinger/")
SOON_S = 60.0

Make = Callable[..., Event]


async def heard(deliveries: AsyncIterator[Delivery]) -> Delivery:
    """The next delivery; it must not take for ever."""
    async with asyncio.timeout(SOON_S):
        return await anext(deliveries)


async def until(true: Callable[[], bool]) -> None:
    """Wait for a condition, with a deadline."""
    async with asyncio.timeout(SOON_S):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)
