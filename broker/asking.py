"""Asking the planner for the values that hold on a channel already; see `dsmt_core.snapshots`."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Final

from broker.bus import Bus
from dsmt_core.channels import Channel
from dsmt_core.errors import Unavailable
from dsmt_core.events import Event
from dsmt_core.rights import ASKED, SNAPSHOTS
from dsmt_core.snapshots import Aged, Asked, answers_to, question, read_part

# How long an answer may take as a whole.
ANSWER_S: Final = 30.0

# Makes the event that asks: for a channel, with pairs.
Say = Callable[[Channel, Mapping[str, str]], Event]


async def snapshot(bus: Bus, about: Channel, say: Say) -> AsyncGenerator[list[Aged], None]:
    """The values that hold at or below ``about``, in portions; nothing more comes after the last.

    Args:
        bus: in the name of one who may hear ``about``.
        about: a channel.
        say: makes the question, as an event of whoever asks.

    Raises:
        DeadlinePassed, TimeoutError: nobody answers.
        Unavailable: the broker is away, or the answer did not come whole.
        Denied, NotFound: the broker, or the planner, is older than this question.
        Invalid: the answer cannot be read.
    """
    asked = Asked(about, answers_to(bus.user, secrets.token_hex(16)))
    async with (
        asyncio.timeout(ANSWER_S),
        bus.lease(asked.answer, exchanges=(SNAPSHOTS,), duration_s=ANSWER_S) as answer,
    ):
        await bus.publish(say(ASKED, question(asked)))
        async for delivery in answer:
            if delivery.lost:
                raise Unavailable("a part of the snapshot was lost on the way")
            values, last = read_part(delivery.event)
            yield values
            if last:
                return
