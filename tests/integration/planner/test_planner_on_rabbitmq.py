"""The planner on a real broker: nodes join, reports are folded, orders go out, requests become wanted."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import tarfile
import time

import broker
from broker.bus import Bus
from broker.server.private import PrivateBroker
from broker.topology import node_queue, planner_topology
from dsmt_core.channels import Channel, component_channel, status_channel
from dsmt_core.commands import Verb
from dsmt_core.events import DEPLOYMENT_STATUS, Sender
from dsmt_core.names import DEPLOYMENT_AGENT, SLIVER_MGR, Slice
from tests.integration.planner.conftest import HEARTBEAT_S, Api, Node, Site, joined

S1 = Slice("s1")
# Eight seconds of silence, five to delete the queue, and what a loaded machine takes.
MADE_ANEW_S = 120.0
# Fifteen until they are declared, five until they are read, and as long for a node's probation.
COME_BACK_S = 120.0


async def put_tar(api: Api, name: str, version: str, *, slice_: str = "s1") -> dict[str, object]:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for script in ("start.sh", "stop.sh", "status.sh"):
            content = b"#!/bin/sh\nexit 0\n"
            info = tarfile.TarInfo(f"{name}-{version}/{script}")
            info.size, info.mode = len(content), 0o755
            tar.addfile(info, io.BytesIO(content))
    body = packed.getvalue()
    headers = {"X-Content-SHA256": hashlib.sha256(body).hexdigest()}
    path = f"/v1/slices/{slice_}/packages/{name}-{version}.tgz"
    answer = await api.client.put(path, content=body, headers=headers)
    assert answer.is_success, answer.text
    read: dict[str, object] = answer.json()
    return read


async def _status(api: Api, node: Node, component: str, managed: str, status: str) -> None:
    pairs = {
        "hostname": node.host,
        "component": component,
        "managed": managed,
        "slice": S1,
        "status": status,
    }
    await node.say(status_channel(S1, component, node.host), DEPLOYMENT_STATUS, **pairs)


async def _until_host(api: Api, **wanted: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        hosts = (await api("GET", "/slices/s1/status"))["hosts"]
        if hosts and wanted.items() <= hosts[0].items():
            return
        assert time.monotonic() < deadline, hosts
        await asyncio.sleep(0.15)


async def test_a_node_joins_is_ordered_and_what_it_reports_is_shown(api: Api, node: Node) -> None:
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    create = await node.ordered(Verb.CREATE)
    node.slivers = {S1: create.generation}
    await node.hold()
    for state in ("requested", "instantiated", "initialized", "running"):
        await _status(api, node, SLIVER_MGR, "org.dsmt.component.container", state)
    await _until_host(api, container="running", node_state="alive")


async def test_a_broker_that_was_killed_and_came_back_loses_nothing(
    api: Api, node: Node, server: PrivateBroker
) -> None:
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    node.slivers = {S1: (await node.ordered(Verb.CREATE)).generation}
    await node.hold()
    await asyncio.to_thread(server.kill)
    await api("POST", "/slices", {"slice": "s2", "plan": "all_nodes"})
    deadline = time.monotonic() + 60
    while (await api("GET", "/health"))["broker"] == "connected":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.15)
    await asyncio.to_thread(server.start)
    create = await node.ordered(Verb.CREATE, "s2")
    node.slivers[Slice("s2")] = create.generation
    await node.hold()
    assert (await api("GET", "/nodes/n1.example.org"))["state"] != "failed"


async def test_reports_that_a_broker_killed_at_its_beginning_cannot_take_are_heard_after_seconds(
    site: Site, server: PrivateBroker
) -> None:
    bus = broker.connect(site.urls("planner"))
    await bus.start(wait_s=60)
    await bus.declare(*planner_topology(HEARTBEAT_S))
    await asyncio.to_thread(server.kill)
    await bus.close()
    await asyncio.to_thread(server.start)
    await asyncio.to_thread(site.start)
    began = time.monotonic()
    api = Api(site.url)
    await api.log_in()
    async with joined(api) as node:
        await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
        create = await node.ordered(Verb.CREATE)
        assert time.monotonic() - began < MADE_ANEW_S
        node.slivers = {S1: create.generation}
        await node.hold()
        await _status(api, node, SLIVER_MGR, "org.dsmt.component.container", "running")
        await _until_host(api, container="running", node_state="alive")
    await api.client.aclose()


async def test_queues_that_somebody_deleted_come_back_by_themselves(
    site: Site, api: Api, node: Node
) -> None:
    queues, _ = planner_topology(HEARTBEAT_S)
    bus = broker.connect(site.urls("planner"))
    await bus.start(wait_s=60)
    for name in [*(queue.name for queue in queues), node_queue(node.host)]:
        await bus.delete_queue(name)
    await bus.close()
    began = time.monotonic()
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    while True:
        # What was said into no queue is lost; a node says again what it holds.
        await node.hold()
        if (await api("GET", "/nodes/n1.example.org"))["state"] == "alive" and not node.orders.empty():
            break
        assert time.monotonic() - began < COME_BACK_S
        await asyncio.sleep(0.2)


async def test_a_planner_that_was_killed_goes_on_where_it_was(site: Site, api: Api, node: Node) -> None:
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    node.slivers = {S1: (await node.ordered(Verb.CREATE)).generation}
    await node.hold()
    site.processes[-1].kill()
    await asyncio.to_thread(site.processes[-1].wait)
    await asyncio.to_thread(site.start)
    await api("POST", "/slices", {"slice": "s2", "plan": "all_nodes"})
    await node.ordered(Verb.CREATE, "s2")
    assert (await api("GET", "/slices/s1"))["generation"] == node.slivers[S1]


async def test_a_package_goes_through_to_the_depot_and_is_used(api: Api, node: Node) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    put = await put_tar(api, "pinger", "1.8")
    assert (put["application_added"], put["used_now"], put["kind"]) == (True, True, "tar")
    shown = (await api("GET", "/slices/s1"))["applications"]
    assert [one["application"] for one in shown] == ["pinger"]
    got = await api.client.get("/v1/slices/s1/packages/pinger-1.8.tgz")
    assert hashlib.sha256(got.content).hexdigest() == put["digest"]
    torn = await api.client.put(
        "/v1/slices/s1/packages/x.tgz", content=got.content[:-20], headers={"X-Content-SHA256": "0" * 64}
    )
    assert (torn.status_code, torn.json()["code"]) == (422, "invalid")


async def test_a_request_of_an_operator_becomes_wanted(api: Api, node: Node, operator: Bus) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    await put_tar(api, "pinger", "1.8")
    sender = Sender("s1_mgr", "operator/test", "boot")
    channel = Channel(f"{component_channel(S1, DEPLOYMENT_AGENT)}command/")

    async def ask(text: str) -> None:
        event = sender.event(channel, "status", now=time.time(), id_=str(sender), value=text)
        await operator.publish(event)

    await ask("APPCONFIG,n1.example.org,pinger,pinger")
    create = await node.ordered(Verb.CREATE)
    node.slivers = {S1: create.generation}
    await node.hold()
    shown = await api("GET", "/slices/s1")
    assert (shown["plan"], shown["plan_parameters"]) == ("nodes", {"list": "n1.example.org"})
    async with operator.lease(component_channel(S1, "org.dsmt.component.planner")) as refusals:
        await ask("APPCONFIG,n1.example.org,nothing")
        async with asyncio.timeout(60):
            refusal = (await anext(refusals)).event
    assert refusal.field == "request-refused"
    assert "no application nothing" in refusal.pairs["reason"]
    await ask("STOP,n1.example.org,pinger")
    deadline = time.monotonic() + 60
    while (await api("GET", "/slices/s1/status"))["hosts"][0]["applications"][0]["wanted"] != "stopped":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.15)


async def test_events_are_followed_as_lines_of_json(api: Api, node: Node) -> None:
    lines: list[dict[str, object]] = []

    async def follow() -> None:
        path = "/v1/events?follow=1&count=1&channel=/org/dsmt/ns/deployment/s1/"
        async with api.client.stream("GET", path) as answer:
            following.set()
            lines.extend([json.loads(line) async for line in answer.aiter_lines()])

    following = asyncio.Event()
    task = asyncio.create_task(follow())
    await following.wait()
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    async with asyncio.timeout(60):
        await task
    assert lines[0]["value"] == "CREATE,n1.example.org,s1"
    assert lines[0]["service"] == "s1_mgr"
    assert lines[0]["instance"] == "planner"
