"""From what people want to orders on the event service: the service around the deciding modules."""

from __future__ import annotations

import asyncio

from dsmt_core.channels import Channel
from dsmt_core.commands import Order, Verb
from dsmt_core.names import Host, Slice
from planner.config import PlannerConfig
from planner.service.planner import Planner
from tests.unit.planner_act.conftest import Api, Node, StartNode, until


async def ordered(node: Node, verb: Verb) -> Order:
    """The next order with this verb."""
    async with asyncio.timeout(10):
        while True:
            order = await node.orders.get()
            if order.verb is verb:
                return order


async def test_a_plan_in_force_makes_slivers_and_another_takes_them_away(
    api: Api, start_node: StartNode
) -> None:
    node = await start_node("n1.example.org")
    await api("POST", "/slices", {"slice": "s1"})
    await api("PUT", "/slices/s1/plan", {"plan": "all_nodes"})
    create = await ordered(node, Verb.CREATE)
    assert (create.slice, create.generation) == ("s1", 1)
    node.slivers = {Slice("s1"): create.generation}
    await node.hold()
    await api("PUT", "/slices/s1/plan", {"plan": "failed"})
    delete = await ordered(node, Verb.DELETE)
    assert delete.generation > create.generation


async def test_a_node_that_asks_is_told_again(api: Api, start_node: StartNode) -> None:
    node = await start_node("n1")
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    create = await ordered(node, Verb.CREATE)
    node.slivers = {Slice("s1"): create.generation}
    await node.hold(asks="yes")
    assert await ordered(node, Verb.CREATE) == create


async def test_an_unmanaged_slice_gets_no_orders(api: Api, start_node: StartNode) -> None:
    node = await start_node("n1")
    await api("POST", "/slices", {"slice": "s1"})
    assert (await api("DELETE", "/slices/s1/manage"))["changed"]
    await api("PUT", "/slices/s1/plan", {"plan": "all_nodes"})
    await api("POST", "/slices", {"slice": "s2", "plan": "all_nodes"})
    assert (await ordered(node, Verb.CREATE)).slice == "s2"
    await api("POST", "/slices/s1/manage")
    assert (await ordered(node, Verb.CREATE)).slice == "s1"


async def test_the_slivers_of_a_deleted_slice_are_deleted(api: Api, start_node: StartNode) -> None:
    node = await start_node("n1")
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    create = await ordered(node, Verb.CREATE)
    node.slivers = {Slice("s1"): create.generation}
    await node.hold()
    await api("DELETE", "/slices/s1")
    assert (await ordered(node, Verb.DELETE)).slice == "s1"


async def test_a_bad_event_ends_nothing(api: Api, start_node: StartNode) -> None:
    node = await start_node("n1")
    await node.say(Channel("/org/dsmt/ns/node/n1/facts/"), "holdings", **{"sliver.a b": "x"})
    await node.say(Channel("/org/dsmt/ns/node/n1/facts/"), "nonsense", a="b")
    await node.say(
        Channel("/org/dsmt/ns/deployment/no slice/x/status/n1/"), "deployment-status", status="?"
    )
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    await ordered(node, Verb.CREATE)


async def test_a_silent_node_is_called_failed_and_its_evidence_shown(
    api: Api, start_node: StartNode
) -> None:
    await start_node("n1")
    node = await start_node("n2")

    async def alive() -> bool:
        return bool((await api("GET", "/nodes/n2"))["state"] == "alive")

    await until(alive)
    node.die()

    async def failed() -> bool:
        return bool((await api("GET", "/nodes/n2"))["state"] == "failed")

    await until(failed)
    shown = await api("GET", "/nodes/n2")
    assert shown["evidence"]
    assert (await api("GET", "/nodes/n1"))["state"] == "alive"


async def test_what_was_wanted_and_who_joined_survive_a_restart(
    planner: Planner, api: Api, start_node: StartNode, config: PlannerConfig
) -> None:
    node = await start_node("n1")
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    create = await ordered(node, Verb.CREATE)
    node.slivers = {Slice("s1"): create.generation}
    await node.hold()
    before = await api("GET", "/slices/s1")
    id_ = planner.id
    await planner.close()
    again = await Planner.open(config)
    try:
        await again.start()
        assert again.id == id_
        assert (await again.slices.show(Slice("s1"))) == before
        assert [one["host"] for one in await again.nodes.shown()] == ["n1"]
        assert again.ledger.slice(Slice("s1")).hosts == {Host("n1"): create.generation}
    finally:
        await again.close()
