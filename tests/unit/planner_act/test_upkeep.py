"""The upkeep of queues: the exchanges at each look, everything when one was missing and once in a while."""

from __future__ import annotations

import pytest

from dsmt_core.errors import Unavailable
from planner.service.upkeep import Queues


class Broker:
    """Counts what is declared."""

    def __init__(self) -> None:
        self.missing = False
        self.away = False
        self.looks = 0
        self.declared = 0
        self.queues = 5

    async def exchanges(self) -> bool:
        if self.away:
            raise Unavailable("away")
        self.looks += 1
        return self.missing

    async def everything(self) -> int:
        self.declared += 1
        return self.queues


async def test_everything_is_declared_when_an_exchange_was_missing_and_at_every_second_look() -> None:
    broker = Broker()
    queues = Queues(broker.exchanges, broker.everything)
    for _ in range(4):
        await queues.look()
    assert (broker.looks, broker.declared) == (4, 2)
    broker.missing = True
    await queues.look()
    assert broker.declared == 3


async def test_many_queues_are_declared_more_seldom_but_at_once_when_an_exchange_was_missing() -> None:
    broker = Broker()
    broker.queues = 20_000
    queues = Queues(broker.exchanges, broker.everything)
    for _ in range(2 + 19):
        await queues.look()
    assert broker.declared == 1
    await queues.look()
    assert broker.declared == 2
    broker.missing = True
    await queues.look()
    assert broker.declared == 3


async def test_a_broker_that_is_away_is_told_by_each_look() -> None:
    broker = Broker()
    broker.away = True
    with pytest.raises(Unavailable):
        await Queues(broker.exchanges, broker.everything).look()
    assert broker.declared == 0
