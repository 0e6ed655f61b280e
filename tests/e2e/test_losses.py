"""Nodes are lost, plans change, slices end: what is wanted comes true again, nothing else is touched."""

from __future__ import annotations

import asyncio
from typing import Any

from dsmt_core.names import Host
from lab.sightings import eldest
from tests.e2e.application import App
from tests.e2e.conftest import Stages
from tests.e2e.stage import Stage
from tests.e2e.test_kill_matrix import all_run

GOOD = {"left": "all_nodes", "right": "failed"}


async def deploy(stage: Stage, count: int) -> list[Host]:
    """Three (or so) of the good nodes run XYZ; which."""
    await stage.deploy("xyz1", App("XYZ"), plan="slice_nodes")
    await stage.ask(lambda client: client.define_plan("xyz1", "good", "minus", GOOD))
    await resize(stage, count)
    status = await stage.until(all_run(count), "xyz1")
    return placed(status)


async def resize(stage: Stage, count: int) -> None:
    parameters = {"parent": "good", "count": str(count)}
    await stage.ask(lambda client: client.set_plan("xyz1", "limit", parameters))


def placed(status: Any) -> list[Host]:
    return [host["host"] for host in status["hosts"] if host["applications"]]


def running(stage: Stage, hosts: list[Host]) -> dict[Host, Any]:
    return {host: eldest(stage.scene.pids(host), "XYZ") for host in hosts}


async def test_two_nodes_lost_at_once_are_both_replaced(stages: Stages) -> None:
    async with stages(hosts=5) as stage:
        hosts = await deploy(stage, 3)
        before = running(stage, hosts)
        await asyncio.gather(*(stage.scene.power_off(host) for host in hosts[:2]))
        status = await stage.until(
            lambda status: all_run(3)(status) and not set(placed(status)) & set(hosts[:2]), "xyz1"
        )
        assert hosts[2] in placed(status)
        assert running(stage, hosts[2:]) == {hosts[2]: before[hosts[2]]}


async def test_when_most_nodes_are_lost_the_rest_carries_what_it_can_and_says_what_is_missing(
    stages: Stages,
) -> None:
    async with stages(hosts=5) as stage:
        hosts = await deploy(stage, 3)
        others = [host for host in stage.hosts if host not in hosts]
        await asyncio.gather(*(stage.scene.power_off(host) for host in hosts))
        status = await stage.until(
            lambda status: (
                status["running"] == 2
                and status["missing"] == 1
                and any("missing" in reason for reason in status["waiting_reasons"])
            ),
            "xyz1",
        )
        assert sorted(placed(status)) == sorted(others)
        await stage.scene.power_on(hosts[0])
        await stage.until(all_run(3), "xyz1")


async def test_a_node_lost_while_the_planner_was_away_is_replaced_after_its_return(stages: Stages) -> None:
    async with stages(hosts=4) as stage:
        hosts = await deploy(stage, 2)
        before = running(stage, hosts)
        await asyncio.to_thread(stage.scene.planner.kill)
        await stage.scene.power_off(hosts[0])
        await stage.scene.start_planner()
        await stage.until(lambda status: all_run(2)(status) and hosts[0] not in placed(status), "xyz1")
        assert running(stage, hosts[1:]) == {hosts[1]: before[hosts[1]]}


async def test_a_plan_that_shrinks_and_grows_moves_nothing_that_may_stay(stages: Stages) -> None:
    async with stages(hosts=4) as stage:
        hosts = await deploy(stage, 3)
        before = running(stage, hosts)
        await resize(stage, 1)
        status = await stage.until(
            lambda status: status["wanted"] == 1 and len(status["hosts"]) == 1, "xyz1"
        )
        (kept,) = placed(status)
        assert kept in hosts
        for host in set(hosts) - {kept}:
            assert eldest(stage.scene.pids(host), "XYZ") is None
        await resize(stage, 4)
        await stage.until(all_run(4), "xyz1")
        assert running(stage, [kept]) == {kept: before[kept]}


async def test_a_deleted_slice_leaves_nothing_and_an_unmanaged_one_is_left_alone(stages: Stages) -> None:
    async with stages(hosts=2) as stage:
        hosts = await deploy(stage, 2)
        before = running(stage, hosts)
        await stage.ask(lambda client: client.unmanage("xyz1"))
        await resize(stage, 1)
        await stage.scene.power_off(hosts[0])
        await stage.scene.power_on(hosts[0])
        await stage.eventually(lambda: eldest(stage.scene.pids(hosts[0]), "XYZ"))
        assert running(stage, hosts[1:]) == {hosts[1]: before[hosts[1]]}
        await stage.ask(lambda client: client.manage("xyz1"))
        await stage.ask(lambda client: client.delete("xyz1"))
        await stage.eventually(lambda: not any(running(stage, hosts).values()))
        slivers = stage.home / hosts[0] / "slivers"
        await stage.eventually(lambda: not list(slivers.glob("*")))
