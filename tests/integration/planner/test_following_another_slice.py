"""A slice is placed where the application of another one runs, on a real planner and RabbitMQ."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest

from dsmt_core.channels import status_channel
from dsmt_core.commands import Verb
from dsmt_core.lifecycle import State
from dsmt_core.names import DEPLOYMENT_AGENT, Application, Slice
from dsmt_core.nodes import HOLDINGS, Held, application_pairs
from tests.integration.planner.conftest import Api, Node, joined
from tests.integration.planner.test_planner_on_rabbitmq import put_tar

DB, WEB = Slice("db"), Slice("web")
PINGER = Application("pinger")
GRACE_S = 3.0
WITHIN_S = 60.0


async def says(node: Node, slice_: Slice, state: State | None = None, *, restarts: int = 0) -> None:
    """The agent of a slice on a node says what it holds: the application in a state, or none."""
    held = {} if state is None else {PINGER: Held(node.slivers[slice_], "1.8", state, restarts)}
    channel = status_channel(slice_, DEPLOYMENT_AGENT, node.host)
    await node.say(channel, HOLDINGS, **application_pairs(held))


async def begins(node: Node, slice_: Slice) -> None:
    """The sliver that is ordered is there, and says so."""
    order = await node.ordered(Verb.CREATE, slice_)
    node.slivers[slice_] = order.generation
    await node.hold()


async def plan(api: Api, slice_: str, name: str, base: str, **parameters: str) -> None:
    body = {"base": base, "parameters": parameters}
    await api("PUT", f"/slices/{slice_}/plans/{name}", body)


async def hosts(api: Api, slice_: Slice) -> dict[str, Any]:
    return {one["host"]: one for one in (await api("GET", f"/slices/{slice_}/status"))["hosts"]}


async def the_one(api: Api, slice_: Slice) -> str:
    """The node on which a slice of one instance is placed."""
    async with asyncio.timeout(WITHIN_S):
        while len(found := await hosts(api, slice_)) != 1:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.15)
    return next(iter(found))


async def made(api: Api) -> None:
    """A database on one living node, and a slice that follows it."""
    await api("POST", "/slices", {"slice": "db"})
    await put_tar(api, "pinger", "1.8", slice_="db")
    await plan(api, "db", "living", "minus", left="all_nodes", right="failed")
    await plan(api, "db", "one", "limit", parent="living", count="1")
    await api("PUT", "/slices/db/plan", {"plan": "one"})
    await api("POST", "/slices", {"slice": "web"})
    follows = {"is": "running", "app": "pinger", "slice": "db", "grace": str(GRACE_S)}
    await plan(api, "web", "with_db", "status", **follows)
    await api("PUT", "/slices/web/plan", {"plan": "with_db"})


async def where_it_runs(api: Api) -> list[str]:
    """The same asked within the slice of the application."""
    asked = {"plan": "status", "parameters": {"app": "pinger", "is": "running"}}
    return [one["host"] for one in (await api("POST", "/slices/db/plans/eval", asked))["hosts"]]


async def test_a_slice_goes_where_the_application_of_another_runs_and_along_when_that_dies(
    api: Api,
) -> None:
    async with AsyncExitStack() as ends:
        stacks = {name: await ends.enter_async_context(AsyncExitStack()) for name in ("n1", "n2")}
        nodes = [await stack.enter_async_context(joined(api, name)) for name, stack in stacks.items()]
        await made(api)
        placed = await the_one(api, DB)
        first, other = sorted(nodes, key=lambda node: node.host != placed)
        await begins(first, DB)
        assert (await where_it_runs(api), await hosts(api, WEB)) == ([], {})
        await says(first, DB, State.RUNNING)
        await begins(first, WEB)
        await says(first, WEB)
        assert await where_it_runs(api) == [first.host]

        # It is restarted: for the grace that is no move.
        began = time.monotonic()
        await says(first, DB, State.TERMINATED)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(began + GRACE_S - time.monotonic()):
                await first.ordered(Verb.DELETE, WEB)
        await says(first, DB, State.RUNNING, restarts=1)

        # It dies with its node; both are on the other one then.
        await stacks[first.host.partition(".")[0]].aclose()
        await begins(other, DB)
        await says(other, DB, State.RUNNING)
        await begins(other, WEB)
        assert await where_it_runs(api) == [other.host]
