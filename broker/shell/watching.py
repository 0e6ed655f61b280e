"""`dsmt-event watch`: prints what is said on a channel, as it comes."""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

from broker import retry
from broker.application import Application, application
from broker.shell.lines import event_json, event_line
from dsmt_core.errors import DeadlinePassed, Invalid, Unavailable
from dsmt_core.events import Event
from dsmt_core.hearing import Wants


async def watch(arguments: argparse.Namespace) -> int:
    """Print until enough was heard, or the time is over; the exit code.

    Raises:
        DeadlinePassed: the time is over before so many came as were asked for.
        DsmtError: it cannot be heard.
    """
    if not arguments.channel:
        raise Invalid("there is no channel", hint="--channel, such as /com/example/pinger/")
    seen = 0
    async with application(arguments.credentials, wait_s=arguments.wait) as me:
        try:
            async with asyncio.timeout(None if arguments.timeout == math.inf else arguments.timeout):
                async with aclosing(_heard(me, arguments.channel, Wants(payload=arguments.type))) as events:
                    async for event in events:
                        if _wanted(event, arguments):
                            sys.stdout.write(_shown(event, arguments) + "\n")
                            sys.stdout.flush()
                            seen += 1
                            if seen == arguments.count:
                                break
        except TimeoutError:
            if seen < arguments.count:
                raise DeadlinePassed(
                    f"{seen} of {arguments.count} events came within {arguments.timeout:g} s"
                ) from None
    return 0


async def _heard(me: Application, where: str, wants: Wants) -> AsyncGenerator[Event, None]:
    """Every event, whatever becomes of the lease; what was missed is said."""
    policy = retry.consumer()
    while True:
        try:
            async with me.lease(where, wants=wants) as deliveries:
                async for delivery in deliveries:
                    policy.reset()
                    if delivery.lost:
                        sys.stderr.write(f"dsmt-event: {delivery.lost} events were missed\n")
                    yield delivery.event
        except (DeadlinePassed, Unavailable) as error:
            sys.stderr.write(f"dsmt-event: {error}; asking again\n")
        await asyncio.sleep(policy.next_s())


def _wanted(event: Event, arguments: argparse.Namespace) -> bool:
    return arguments.field in {"", event.field} and arguments.service in {"", event.service}


def _shown(event: Event, arguments: argparse.Namespace) -> str:
    if arguments.json:
        return event_json(event)
    return " ".join(event.text.split("\n")) if arguments.values else event_line(event)
