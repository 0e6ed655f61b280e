"""Orders that somebody recorded, said again in the planner's name: later, to older disks, to wrong clocks.

Whoever has the broker hears all orders, and says them again at any time. What was ordered since wins.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from dsmt_core.channels import Channel, command_channel, routing_key
from dsmt_core.events import Event
from dsmt_core.names import CONTAINER_MGR, DEPLOYMENT_AGENT, Slice
from dsmt_core.rights import ORDERS, PLANNER
from dsmt_core.wire import MSGPACK, decode, encode
from lab.sightings import running_module
from tests.attacks.intruder import intruding
from tests.attacks.town import ALPHA, BETA, HERE, THERE, Town
from tests.clocks import HOUR_S, Clock

OUTDATED = "it is older than what is followed here"
AGENT = "agents.deployment_agent.main"
MANAGER = "agents.container_manager.main"
TO_AGENT = command_channel(ALPHA, DEPLOYMENT_AGENT, HERE)
TO_NODE = command_channel(ALPHA, CONTAINER_MGR, HERE)


class Recorder:
    """All orders that were said since it began."""

    def __init__(self, channel: BlockingChannel) -> None:
        self._channel = channel
        self._queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(self._queue, ORDERS, "#")
        self._orders: list[Event] = []

    def orders(self, channel: Channel) -> list[Event]:
        """Those for one receiver that tell it to do or have something, the oldest first."""
        while (got := self._channel.basic_get(self._queue, auto_ack=True))[0] is not None:
            self._orders.append(decode(got[2], got[1].content_type))
        return [one for one in self._orders if one.channel == channel and generation(one)]


def generation(order: Event) -> int:
    return int(order.pairs.get("generation", "0"))


@contextmanager
def recording(town: Town) -> Iterator[Recorder]:
    with intruding(town.scene.server.url("planner")) as broker, broker.channel() as channel:
        yield Recorder(channel)


def say_again(town: Town, *orders: Event) -> None:
    """Each as another event, as a receiver that drops doubles would look at it."""
    told = pika.BasicProperties(content_type=MSGPACK, user_id=PLANNER, delivery_mode=2)
    with intruding(town.scene.server.url("planner")) as broker, broker.channel() as channel:
        for number, order in enumerate(orders):
            other = f"again {time.time()} {number}"
            event = replace(order, id=other, boot_id=other, sent_at=time.time())
            with contextlib.suppress(pika.exceptions.UnroutableError):
                channel.basic_publish(
                    ORDERS, routing_key(event.channel), encode(event), told, mandatory=True
                )


def watched(town: Town, slice_: Slice = ALPHA, **watch: Any) -> None:
    """A change that makes a new generation, and restarts nothing."""
    with town.scene.client() as client:
        client.set_watch(slice_, town.app.name, watch)


def recorded(town: Town, recorder: Recorder, channel: Channel, above: int = 0) -> Event:
    """The newest order, once it is of a generation above another."""

    def found() -> Event | None:
        orders = recorder.orders(channel)
        return orders[-1] if orders and generation(orders[-1]) > above else None

    order: Event = town.until(found)
    return order


def settled(town: Town) -> Any:
    """Who runs what, once it has stayed so for two status periods and more."""
    before = town.vitals()
    time.sleep(3)
    assert town.vitals() == before
    return before


def test_an_order_of_an_older_generation(town: Town) -> None:
    town.vitals()
    with recording(town) as recorder:
        watched(town, every_s=31.0)
        older = recorded(town, recorder, TO_AGENT)
        watched(town, every_s=32.0)
        recorded(town, recorder, TO_AGENT, above=generation(older))
        before = settled(town)
        say_again(town, *[older] * 3)
        town.entered(HERE, OUTDATED, ALPHA)
        assert settled(town) == before


def test_the_order_that_made_a_deleted_sliver(town: Town) -> None:
    gone = Slice("gone")
    channel = command_channel(gone, CONTAINER_MGR, HERE)
    slivers = town.scene.scenery.home / HERE / "slivers" / gone
    with recording(town) as recorder, town.scene.client() as client:
        client.create(gone)
        client.set_plan(gone, "all_nodes", {})
        made = recorded(town, recorder, channel)
        town.until((slivers / "init.json").exists)
        client.delete(gone)
        town.until(lambda: not slivers.exists())
        before = town.vitals()
        # The queues of a slice that is gone are gone: said to the node itself.
        say_again(town, *[made] * 3)
        town.entered(HERE, OUTDATED)
        assert not slivers.exists()
    assert settled(town) == before


def test_orders_of_before_a_restart_of_the_planner(town: Town) -> None:
    town.vitals()
    with recording(town) as recorder:
        watched(town, every_s=41.0)
        older = recorded(town, recorder, TO_AGENT)
        watched(town, every_s=42.0)
        recorded(town, recorder, TO_AGENT, above=generation(older))
        before = settled(town)
        asyncio.run(again(town))
        said = recorder.orders(TO_AGENT) + recorder.orders(TO_NODE)
        say_again(town, *said, older)
        assert settled(town) == before


async def again(town: Town) -> None:
    await asyncio.to_thread(town.scene.planner.kill)
    await town.scene.start_planner()


def test_a_disk_that_was_brought_back_from_an_older_copy(town: Town, tmp_path: Path) -> None:
    town.vitals()
    with recording(town) as recorder:
        watched(town, every_s=51.0)
        older = recorded(town, recorder, TO_AGENT)
        before = settled(town)
        remembered = copied(town, tmp_path)
        watched(town, every_s=52.0)
        newer = recorded(town, recorder, TO_AGENT, above=generation(older))
        assert settled(town) == before
        for module, copies in remembered.items():
            brought_back(town, module, copies)
            # While the older state is taken up, what was ordered then is said again and again.
            for _ in range(20):
                say_again(town, older)
                time.sleep(0.1)
            town.vitals()
            town.until(lambda: kept_generation(town) >= generation(newer))
        assert settled(town) == before


def state_of(town: Town) -> Path:
    return town.scene.scenery.home / HERE / "slivers" / ALPHA


def kept_generation(town: Town) -> int:
    """The generation of the application that the agent here has on its disk."""
    (path,) = state_of(town).rglob("applications.json")
    return max(int(one) for one in re.findall(r'"generation": ?"?([0-9]+)', path.read_text()))


def copied(town: Town, target: Path) -> dict[str, dict[Path, Path]]:
    """What the agent of the slice and the node here remember: module → file → copy."""
    data = town.scene.scenery.home / HERE
    agent = [path for path in state_of(town).rglob("applications.json") if path.is_file()]
    node = [*data.glob("*.json"), data / "node.key", state_of(town) / "order.json"]
    assert agent
    assert all(path.exists() for path in node)
    copies: dict[str, dict[Path, Path]] = {}
    for module, paths in ((AGENT, agent), (MANAGER, node)):
        copies[module] = {path: target / f"{module} {number}" for number, path in enumerate(paths)}
        for path, copy in copies[module].items():
            shutil.copy2(path, copy)
    return copies


def brought_back(town: Town, module: str, copies: dict[Path, Path]) -> None:
    """A process is ended hard, and its successor finds the older files."""

    def pids() -> list[int]:
        return running_module(town.scene.pids(HERE), module)

    # Both slices have an agent here, and either of them may be ended.
    mine = town.until(pids)
    for pid in mine:
        os.kill(pid, signal.SIGSTOP)
    for path, copy in copies.items():
        shutil.copy2(copy, path)
    for pid in mine:
        os.kill(pid, signal.SIGKILL)
    town.until(lambda: len(pids()) and not set(mine) & set(pids()))


@pytest.mark.parametrize("off_s", [7 * HOUR_S, -7 * HOUR_S], ids=["ahead", "behind"])
def test_a_clock_that_is_hours_wrong_delays_and_does_not_wedge(
    town: Town, tmp_path: Path, off_s: int
) -> None:
    town.vitals()
    clock = Clock(tmp_path / "clock", off_s=off_s)
    machine = town.scene._machines[THERE]
    usual = machine._environment
    channel = command_channel(ALPHA, DEPLOYMENT_AGENT, THERE)
    with recording(town) as recorder:
        watched(town, every_s=61.0 + (off_s > 0))
        recorded(town, recorder, channel)
        starts = began(town)
        asyncio.run(town.scene.power_off(THERE))
        machine._environment = usual | clock.environment
        try:
            asyncio.run(town.scene.power_on(THERE))
            town.until(lambda: began(town) == [count + 1 for count in starts])
            before = settled(town)
            # Of a session that has ended, and by this clock of another day.
            say_again(town, *recorder.orders(channel))
            last = max(map(generation, recorder.orders(channel)))
            watched(town, every_s=71.0 + (off_s > 0))
            recorded(town, recorder, channel, above=last)
            assert settled(town) == before
        finally:
            asyncio.run(town.scene.power_off(THERE))
            machine._environment = usual
            asyncio.run(town.scene.power_on(THERE))
            town.until(lambda: began(town) == [count + 2 for count in starts])


def began(town: Town) -> list[int]:
    """How often the application was started in each sliver there."""
    slivers = town.scene.scenery.home / THERE / "slivers"
    return [(slivers / one / "root/var/starts").read_text().count("started") for one in (ALPHA, BETA)]
