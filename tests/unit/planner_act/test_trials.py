"""A node that comes back is probed by an order; nodes are told their period; a goodbye is evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from dsmt_core.channels import facts_channel
from dsmt_core.commands import Order, Verb
from dsmt_core.nodes import GOODBYE, PROBE, ProbeResult, probe_pairs
from planner.service.planner import Planner
from tests.unit.planner_act.conftest import Api, Node, StartNode, until

WITHIN_S = 30.0


def is_judged(api: Api, host: str, state: str) -> Callable[[], Awaitable[bool]]:
    async def judged() -> bool:
        return bool((await api("GET", f"/nodes/{host}"))["state"] == state)

    return judged


async def ordered(node: Node, verb: Verb) -> Order:
    async with asyncio.timeout(WITHIN_S):
        while (order := await node.orders.get()).verb is not verb:
            pass
    return order


async def answer(node: Node, nonce: str, *, reason: str = "") -> None:
    pairs = probe_pairs(ProbeResult(nonce=nonce, reason=reason))
    await node.say(facts_channel(node.host), PROBE, **pairs)


async def come_back(planner: Planner, api: Api, node: Node) -> None:
    """It was away for so long that it failed, and beats again."""
    await until(is_judged(api, node.host, "alive"), WITHIN_S)
    node.die()
    await until(is_judged(api, node.host, "failed"), WITHIN_S)
    node.running = asyncio.create_task(node.run(planner.config.heartbeat / 2))
    await node.hold()


async def test_a_node_that_comes_back_is_alive_when_it_has_passed_the_probe(
    planner: Planner, api: Api, start_node: StartNode
) -> None:
    node = await start_node("n1")
    await come_back(planner, api, node)
    try:
        order = await ordered(node, Verb.PROBE)
        await answer(node, "guessed")
        again = await ordered(node, Verb.PROBE)
        assert again.nonce == order.nonce
        assert (await api("GET", "/nodes/n1"))["state"] == "probation"
        await answer(node, order.nonce)
        await until(is_judged(api, "n1", "alive"), WITHIN_S)
        shown = await api("GET", "/nodes/n1")
        assert {note["by"] for note in shown["evidence"]} >= {"tracker", "probe"}
        assert shown["failures"] == 1
    finally:
        node.die()


async def test_a_node_that_does_not_pass_is_failed_with_the_reason(
    planner: Planner, api: Api, start_node: StartNode
) -> None:
    node = await start_node("n1")
    await come_back(planner, api, node)
    try:

        async def known() -> bool:
            # A planner whose loop was late does not count what it heard meanwhile, and asks again.
            while not node.orders.empty():
                if (order := node.orders.get_nowait()).verb is Verb.PROBE:
                    await answer(node, order.nonce, reason="no space left on the device")
            shown: dict[str, Any] = await api("GET", "/nodes/n1")
            notes = [note["what"] for note in shown["evidence"]]
            out = shown["out_until"] > planner.clock() + 5 and shown["failures"] == 2
            return out and "failed: it did not pass the probe: no space left on the device" in notes

        await until(known, WITHIN_S)
    finally:
        node.die()


async def test_a_node_that_people_distrust_is_left_though_it_beats_until_they_trust_it_and_it_passes(
    planner: Planner, api: Api, start_node: StartNode
) -> None:
    node, other = await start_node("n1"), await start_node("n2")
    await until(is_judged(api, "n1", "alive"), WITHIN_S)
    await api("POST", "/slices", {"slice": "s1"})
    good = {"left": "all_nodes", "right": "failed"}
    await api("PUT", "/slices/s1/plan", {"plan": "minus", "parameters": good})
    create = await ordered(node, Verb.CREATE)
    node.slivers = {create.slice: create.generation}
    await node.hold()
    body = {"hosts": ["n1"], "reason": "it loses packets"}
    [told] = await api("POST", "/standings/distrust", body)
    assert told["standing"]["state"] == "distrusted"
    await until(is_judged(api, "n1", "probation"), WITHIN_S)
    assert (await ordered(node, Verb.DELETE)).slice == create.slice
    node.slivers = {}
    await node.hold()
    shown = await api("GET", "/nodes/n1")
    assert {note["by"] for note in shown["evidence"]} >= {"me@example.com"}
    assert (await api.refused("DELETE", "/nodes/n1"))[0] == 409, "it lives on"
    assert (await api("GET", "/nodes/n2"))["state"] == "alive"
    await api("POST", "/standings/trust", {"hosts": ["n1"], "reason": "new cable"})
    await answer(node, (await ordered(node, Verb.PROBE)).nonce)
    await until(is_judged(api, "n1", "alive"), WITHIN_S)
    assert (await api("GET", "/nodes/n1"))["failures"] == 0
    other.die()


async def test_a_node_that_says_goodbye_is_suspect_at_once(api: Api, start_node: StartNode) -> None:
    node = await start_node("n1")
    await until(is_judged(api, "n1", "alive"), WITHIN_S)
    node.die()
    await node.say(facts_channel(node.host), GOODBYE, slivers="live on")

    async def noted() -> bool:
        shown = await api("GET", "/nodes/n1")
        return ("dsmt-node ended in order; its slivers live on", "node") in {
            (note["what"], note["by"]) for note in shown["evidence"]
        }

    await until(noted, WITHIN_S)


async def test_a_node_that_beats_with_another_period_is_told_the_right_one(
    planner: Planner, api: Api, start_node: StartNode
) -> None:
    node = await start_node("n1")
    await until(is_judged(api, "n1", "alive"), WITHIN_S)
    assert planner.nodes.period == planner.config.heartbeat
    planner.tracking.trials._period = lambda: 1.5
    # As if there were thousands of nodes.
    assert (await ordered(node, Verb.PACE)).heartbeat_s == 1.5


async def test_what_is_known_of_nodes_outlives_the_planner(
    planner: Planner, api: Api, start_node: StartNode
) -> None:
    node = await start_node("n1")
    await until(is_judged(api, "n1", "alive"), WITHIN_S)
    node.die()
    await until(is_judged(api, "n1", "failed"), WITHIN_S)
    before = await api("GET", "/nodes/n1")
    await planner.close()
    after = await Planner.open(planner.config)
    try:
        await after.nodes.load()
        shown = after.nodes.one("n1")
        assert (shown["state"], shown["failures"]) == ("failed", 1)
        assert shown["evidence"] == before["evidence"]
    finally:
        await after.close()
