"""`dsmt-node` on a machine whose clock is hours wrong, and is set while it runs."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from agents import local_socket
from broker.topology import agent_topology
from dsmt_core.commands import Verb
from dsmt_core.names import Slice
from tests.clocks import HOUR_S, Clock
from tests.integration.node.test_dsmt_node import NodeProcess, ended, lives, node, restarts, speaking
from tests.integration.node.world import HOST, WALK, FakePlanner, Voice, until

__all__ = ["node", "speaking"]

OTHER = Slice("xyz2")


def _with(clock: Clock) -> list[str]:
    return ["env", *(f"{name}={value}" for name, value in clock.environment.items())]


async def _beats(speaking: Voice, off_s: int) -> None:
    """It says by its heartbeats that it is so late, and goes on with them."""

    def late() -> int:
        said = [event.sent_at - time.time() - off_s for event in speaking.events("heartbeat")]
        return sum(abs(each) < HOUR_S / 2 for each in said)

    before = late()
    await until(lambda: late() > before + 3, f"heartbeats by a clock that is wrong by {off_s} s")


@pytest.mark.parametrize("wrong_s", [-5 * HOUR_S, 24 * 365 * 3 * HOUR_S], ids=["behind", "ahead"])
async def test_whatever_the_clock_does_slivers_run_on_and_orders_are_obeyed(
    node: NodeProcess, planner: FakePlanner, speaking: Voice, tmp_path: Path, wrong_s: int
) -> None:
    clock = await asyncio.to_thread(lambda: Clock(tmp_path / "clock", off_s=wrong_s))
    first = node.start(before=_with(clock))
    await speaking.order(Verb.CREATE, 1)
    await until(lambda: speaking.states() == WALK and node.kept() == "running", "the walk to running")
    before = node.init()
    for off_s in (HOUR_S, -HOUR_S):
        clock.jump(wrong_s + off_s)
        await _beats(speaking, wrong_s + off_s)
        content = os.urandom(100_000)
        request = {"op": "fetch", "digest": planner.put(content), "size": len(content)}
        found = await asyncio.to_thread(local_socket.ask, node.place.node_socket, request, timeout_s=60)
        path = node.place.packages / Path(found["path"]).name
        assert await asyncio.to_thread(path.read_bytes) == content
    await speaking.bus.declare(*agent_topology(OTHER, HOST))
    await speaking.order(Verb.CREATE, 1, OTHER)
    await until(lambda: speaking.states(OTHER) == WALK, "a new sliver")
    await speaking.order(Verb.DELETE, 2, OTHER)
    await until(lambda: speaking.states(OTHER)[-1:] == ["terminated"], "it is gone")
    # The next manager believes another time than what is on disk was written by.
    first.kill()
    await ended(first)
    clock.jump(0)
    node.start(before=_with(clock))
    await until(lambda: lives(speaking) == 2, "the next one has begun")
    assert node.init() == before
    clock.jump(wrong_s)
    await _beats(speaking, wrong_s)
    assert node.init() == before
    assert restarts(speaking) == 1
    assert "Traceback" not in await asyncio.to_thread(node.log.read_text)
