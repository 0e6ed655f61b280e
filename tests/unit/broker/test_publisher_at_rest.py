"""A bus that has nothing to say does not wake its process."""

from __future__ import annotations

import asyncio

import pytest

from broker import publisher
from broker.bus import Health, Limits
from broker.outgoing import Entry
from broker.publisher import Publisher
from dsmt_core.channels import Channel
from dsmt_core.events import Sender
from dsmt_core.rights import PSEPR


def looks(out: Publisher) -> bool:
    return out._sweep is not None


async def test_it_looks_for_what_waits_only_while_something_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "_SWEEP_S", 0.005)
    out = Publisher(Limits(), Health(), "planner")
    assert not looks(out)
    sent: list[Entry] = []
    out.connected()
    out.open(sent.append)
    event = Sender("s", "i", "b").event(Channel("/com/example/x/"), "f", now=0.0, id_="1", value="v")
    for number in (1, 2):
        saying = asyncio.create_task(out.publish(event, PSEPR))
        await asyncio.sleep(0)
        assert looks(out)
        out.confirm(number)
        await saying
        async with asyncio.timeout(10):
            while looks(out):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.005)
    assert len(sent) == 2
    out.end()
