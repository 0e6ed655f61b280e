"""Limits of slivers over the API: who sets them, that they reach the nodes, and what nodes say of them."""

from __future__ import annotations

import hashlib

from dsmt_core.channels import facts_channel
from dsmt_core.commands import Verb
from dsmt_core.limits import NO_LIMITS, Limits
from dsmt_core.nodes import FACTS
from tests.unit.planner_act.conftest import Api, LogIn, StartNode
from tests.unit.planner_act.test_rounds import ordered

LIMITS = "/slices/s1/limits"
NONE = {
    "slice": "s1",
    "memory": 0,
    "cpu": 0.0,
    "processes": 0,
    "disk": 0,
    "files": 0,
    "network": "host",
    "root": "",
    "text": "none",
    "hosts": [],
}


async def test_limits_are_set_one_by_one_and_taken_away(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    assert await api("GET", LIMITS) == NONE
    told = await api("PUT", LIMITS, {"memory": "256M", "processes": "100"})
    assert (told["memory"], told["processes"], told["text"]) == (
        256 << 20,
        100,
        "memory 256M, processes 100",
    )
    told = await api("PUT", LIMITS, {"memory": "0", "cpu": "0.5", "network": "none"})
    assert told["text"] == "cpu 0.5, processes 100, network none"
    status, message, _ = await api.refused("PUT", LIMITS, {"cpu": "1", "disk": "much"})
    assert (status, message) == (422, "'much' is not a size")
    assert (await api("GET", LIMITS))["cpu"] == 0.5


async def test_a_member_sees_the_limits_and_does_not_set_them(api: Api, log_in: LogIn) -> None:
    await api("POST", "/accounts", {"account": "u@x", "password": "a long enough one", "role": "user"})
    await api("POST", "/slices", {"slice": "s1", "members": ["u@x"]})
    member = await log_in("u@x", "a long enough one")
    assert await member("GET", LIMITS) == NONE
    assert (await member.refused("PUT", LIMITS, {"memory": "0"}))[0] == 403


async def test_limits_are_ordered_where_the_slice_is_and_again_when_they_change(
    api: Api, start_node: StartNode
) -> None:
    node = await start_node("n1")
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    plain = await ordered(node, Verb.CREATE)
    assert plain.limits == NO_LIMITS
    await node.hold(**{"sliver.s1": str(plain.generation), "order.s1": plain.digest})
    await api("PUT", LIMITS, {"memory": "64M"})
    limited = await ordered(node, Verb.CREATE)
    assert limited.limits == Limits(memory=64 << 20)
    assert limited.generation > plain.generation
    assert limited.digest != plain.digest


async def test_a_root_file_system_of_the_depot_is_ordered_by_its_digest_and_kept(
    api: Api, start_node: StartNode
) -> None:
    node = await start_node("n1")
    facts = {"cpus": "2", "roots": "@depot bare", "networks": "host"}
    await node.say(facts_channel(node.host), FACTS, hostname=node.host, **facts)
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    assert (await ordered(node, Verb.CREATE)).limits == NO_LIMITS
    content = b"rootfs debian 13"
    put = await api.put("s1", "debian.tar", content)
    assert put["kind"] == "rootfs"
    told = await api("PUT", LIMITS, {"root": "debian.tar"})
    named = f"{hashlib.sha256(content).hexdigest()}/{len(content)}"
    assert (told["root"], told["text"]) == (named, f"root {named[:12]}")
    assert (await ordered(node, Verb.CREATE)).limits == Limits(root=named)
    assert (await api.refused("DELETE", "/slices/s1/packages/debian.tar"))[:2] == (
        409,
        "debian.tar is the root file system of s1",
    )
    await api("PUT", LIMITS, {"memory": "64M"})
    assert (await api("GET", LIMITS))["root"] == named
    assert (await api("PUT", LIMITS, {"root": "bare"}))["root"] == "bare"
    await api("DELETE", "/slices/s1/packages/debian.tar")
    for text in (named, "no/such", "Bad Name"):
        assert (await api.refused("PUT", LIMITS, {"root": text}))[0] == 422
    assert (await api("PUT", LIMITS, {"root": "node"}))["root"] == ""


async def test_a_package_of_another_kind_is_no_root_file_system(api: Api) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    await api.put("s1", "web.rpm", b"rpm web 1")
    status, message, _ = await api.refused("PUT", LIMITS, {"root": "web.rpm"})
    assert (status, message) == (422, "web.rpm is no root file system: it is of the kind rpm")
