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
        self._news = asyncio.Event()

    async def heard_of_last(self, tag: int) -> None:
        while tag not in self.acknowledged:
            await self._news.wait()
            self._news.clear()

    def basic_ack(self, tag: int, *, multiple: bool = False) -> None:
        assert tag not in self.acknowledged, "the broker would close the channel"
        self.sent += 1
        self.acknowledged |= set(range(1, tag + 1)) if multiple else {tag}
        self._news.set()


def acks_for(recorder: Recorder, prefetch: int = 1) -> Acks:
    return Acks(cast("Channel", cast("Any", recorder)), prefetch)


async def test_those_in_a_row_go_out_as_one() -> None:
    recorder = Recorder()
    acks = acks_for(recorder)
    for tag in range(1, 101):
        acks.done(tag)
    await asyncio.sleep(0)
    assert recorder.acknowledged == set(range(1, 101))
    assert recorder.sent == 1


async def test_a_quarter_of_the_prefetch_goes_out_at_once_and_fewer_within_a_moment() -> None:
    recorder = Recorder()
    acks = acks_for(recorder, prefetch=40)
    for tag in range(1, 10):
        acks.done(tag)
    await asyncio.sleep(0)
    assert recorder.sent == 0
    acks.done(10)
    await asyncio.sleep(0)
    assert (recorder.sent, recorder.acknowledged) == (1, set(range(1, 11)))
    acks.done(11)
    async with asyncio.timeout(10):
        await recorder.heard_of_last(11)
    assert recorder.sent == 2


async def test_after_the_channels_end_nothing_is_sent() -> None:
    recorder = Recorder()
    acks = acks_for(recorder)
    recorder.is_open = False
    acks.done(1)
    await asyncio.sleep(0)
    assert recorder.sent == 0


@given(st.permutations(range(1, 13)), st.sets(st.integers(0, 11)), st.integers(0, 12), st.integers(1, 60))
def test_whatever_the_order_exactly_what_was_done_is_acknowledged(
    order: list[int], pauses: set[int], count: int, prefetch: int
) -> None:
    async def run() -> None:
        recorder = Recorder()
        acks = acks_for(recorder, prefetch)
        for position, tag in enumerate(order[:count]):
            acks.done(tag)
            acks.done(tag)
            if position in pauses:
                await asyncio.sleep(0)
            acks.done(order[0])
        acks.flush()
        assert recorder.acknowledged == set(order[:count])

    asyncio.run(run())
