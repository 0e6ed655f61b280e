"""Acknowledgements go out in batches, and none is ever sent twice."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from broker.rabbit.acks import Acks
from broker.rabbit.channel import Channel


class Recorder:
    """Stands where pika's channel stands; keeps what the broker would know."""

    def __init__(self) -> None:
        self.is_open = True
        self.acknowledged: set[int] = set()
        self.sent = 0
        self.raw = self

    def basic_ack(self, tag: int, *, multiple: bool = False) -> None:
        assert tag not in self.acknowledged, "the broker would close the channel"
        self.sent += 1
        self.acknowledged |= set(range(1, tag + 1)) if multiple else {tag}


def acks_for(recorder: Recorder) -> Acks:
    return Acks(cast("Channel", cast("Any", recorder)))


async def test_those_in_a_row_go_out_as_one() -> None:
    recorder = Recorder()
    acks = acks_for(recorder)
    for tag in range(1, 101):
        acks.done(tag)
    await asyncio.sleep(0)
    assert recorder.acknowledged == set(range(1, 101))
    assert recorder.sent == 1


async def test_after_the_channels_end_nothing_is_sent() -> None:
    recorder = Recorder()
    acks = acks_for(recorder)
    recorder.is_open = False
    acks.done(1)
    await asyncio.sleep(0)
    assert recorder.sent == 0


@given(st.permutations(range(1, 13)), st.sets(st.integers(0, 11)), st.integers(0, 12))
def test_whatever_the_order_exactly_what_was_done_is_acknowledged(
    order: list[int], pauses: set[int], count: int
) -> None:
    async def run() -> None:
        recorder = Recorder()
        acks = acks_for(recorder)
        for position, tag in enumerate(order[:count]):
            acks.done(tag)
            acks.done(tag)
            if position in pauses:
                await asyncio.sleep(0)
            acks.done(order[0])
        await asyncio.sleep(0)
        assert recorder.acknowledged == set(order[:count])

    asyncio.run(run())
