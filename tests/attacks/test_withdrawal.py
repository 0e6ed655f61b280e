"""The broker's users are as they are wanted: withdrawn at once, back with other passwords, repaired."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

import broker
from broker.access import Permission
from broker.address import as_user, password_in
from broker.application import Application
from broker.parties import Kind, rights_of
from dsmt_core.errors import DsmtError, NotFound
from dsmt_core.rights import NODE_USER
from dsmtc.client import Client
from tests.attacks.intruder import intruding, let_in
from tests.attacks.town import ALPHA, BETA, HERE, THERE, Town

# What the planner promises; tests on a busy machine wait longer for it.
LOOK_S = 20.0
SOON_S = 30.0
_RATE = 50


def until(holds: Callable[[], Any], within_s: float = SOON_S) -> Any:
    deadline = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def users(town: Town) -> set[str]:
    return {one["name"] for one in town.scene.server.management.request("GET", "/users")}


def runs_on(town: Town, host: str) -> bool:
    with town.scene.client() as client:
        found = [one for one in client.status(ALPHA)["hosts"] if one["host"] == host]
    return bool(found) and [one["state"] for one in found[0]["applications"]] == ["running"]


def slivers_on(town: Town, host: str) -> list[str]:
    folder = town.scene.scenery.home / host / "slivers"
    return sorted(one.name for one in folder.iterdir() if (one / "init.json").exists())


async def test_an_excluded_node_is_out_at_once_and_comes_back_with_another_password(town: Town) -> None:
    town.vitals()
    node, agent = town.loot(Kind.NODE, host=THERE), town.loot(Kind.AGENT, host=THERE)
    with town.scene.client() as client:
        client.stand("exclude", [THERE], said={"reason": "stolen", "at_once": True})
    until(lambda: not {node.user, agent.user} & users(town))
    assert not await let_in(node.url)
    assert not await let_in(agent.url)
    # Nothing that it is told by the broker would arrive: it asks the planner, and ends what runs there.
    until(lambda: not slivers_on(town, THERE), 90.0)
    assert slivers_on(town, HERE) == [ALPHA, BETA]
    with town.scene.client() as client:
        client.stand("include", [THERE])
    until(lambda: password_in(town.loot(Kind.NODE, host=THERE).url) != password_in(node.url), 60.0)
    until(lambda: slivers_on(town, THERE) == [ALPHA, BETA] and runs_on(town, THERE), 120.0)
    assert not await let_in(node.url)


async def test_a_slice_that_is_made_again_is_another_one(town: Town) -> None:
    with town.scene.client() as client:
        client.create("gamma")
        client.set_plan("gamma", "all_nodes", {})
        before = client.broker("gamma")
        assert await let_in(before)
        with intruding(before) as held:
            client.delete("gamma")
            until(lambda: "slice.gamma" not in users(town))
            until(lambda: not held.alive())
        client.create("gamma")
        until(lambda: "slice.gamma" in users(town))
        assert not await let_in(before)
        assert await let_in(client.broker("gamma"))
        client.delete("gamma")


async def test_a_member_that_left_is_out_with_what_it_was_given(town: Town) -> None:
    with town.scene.client() as client:
        client.create("delta", members=["leaving@example.com"])
        until(lambda: "slice.delta" in users(town))
        before = client.broker("delta")
        with intruding(before) as held:
            client.remove_member("delta", "leaving@example.com")
            until(lambda: not held.alive())
        assert not await let_in(before)
        until(lambda: "slice.delta" in users(town))
        assert await let_in(client.broker("delta"))
        client.delete("delta")


async def test_what_was_altered_by_hand_is_mended(town: Town) -> None:
    management = town.scene.server.management
    agent, sliver, node = (town.loot(kind) for kind in (Kind.AGENT, Kind.SLIVER, Kind.NODE))
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    management.request("PUT", f"/permissions/dsmt/{sliver.user}", everything)
    management.request("DELETE", f"/topic-permissions/dsmt/{sliver.user}")
    management.request("PUT", f"/users/{agent.user}", {"password": "known", "tags": "administrator"})
    management.request("DELETE", f"/users/{node.user}")
    management.request("PUT", "/users/node.forged", {"password": "known", "tags": ""})
    until(lambda: {node.user} <= users(town) and "node.forged" not in users(town), LOOK_S + SOON_S)

    def mended() -> bool:
        seen = management.users("dsmt")
        wanted = rights_of(sliver.party)
        try:
            topics = seen.topics[sliver.user]
        except KeyError:
            return False
        return seen.permissions[sliver.user] == wanted.permission and topics == set(wanted.topics)

    until(mended, LOOK_S)
    assert not await let_in(as_user(agent.url, agent.user, "known"))
    assert await let_in(agent.url)
    assert await let_in(node.url)
    until(lambda: runs_on(town, HERE), 120.0)
    with town.scene.client() as client:
        (entry, *_) = [one for one in client.audit({}) if one["act"] == "broker.repair"]
    assert sliver.user in str(entry)


async def test_users_that_all_shared_are_retired(town: Town) -> None:
    until(lambda: not {NODE_USER, "application"} & users(town), LOOK_S + SOON_S)
    assert {"planner", "operator"} <= users(town)


def test_strangers_on_the_broker_are_left_alone(town: Town) -> None:
    management = town.scene.server.management
    stranger = Permission("backup.job", "^$", "^$", "^x$")
    management.request("PUT", f"/users/{stranger.user}", {"password": "x", "tags": "monitoring"})
    management.request("DELETE", f"/users/{town.loot(Kind.SLIVER).user}")
    until(lambda: town.loot(Kind.SLIVER).user in users(town), LOOK_S + SOON_S)
    assert stranger.user in users(town)


def test_no_password_is_in_a_log_or_in_the_data_that_others_read(town: Town) -> None:
    held = [password_in(town.loot(kind).url) for kind in Kind]
    logs = [path.read_text(errors="replace") for path in town.scene.scenery.home.glob("*.log")]
    assert logs
    assert not [one for one in held for log in logs if one in log]
    with town.scene.client() as client:
        said = json.dumps(list(client.events({"since": "1h"})))
    assert not [one for one in held if one in said]


def test_a_program_of_a_slice_is_of_its_members(town: Town) -> None:
    with town.scene.client() as client, pytest.raises(NotFound, match="nobodys"):
        client.broker("nobodys")


async def flood(url: str) -> None:
    """Say as much as the broker takes, and what it does not take again."""
    async with broker.connected(url) as bus:
        me = Application(bus, "flooder")
        while True:
            with contextlib.suppress(DsmtError):
                await asyncio.gather(*(me.post("/x/flood/", "noise", str(number)) for number in range(200)))
            await asyncio.sleep(0)


def entered(client: Client, act: str) -> list[dict[str, Any]]:
    return [dict(one) for one in client.audit({"act": act})]


async def test_a_flooding_sliver_is_told_of_cut_off_and_back_and_nobody_else_notices(town: Town) -> None:
    before = await asyncio.to_thread(town.vitals)
    flooder, quiet, other = (
        town.loot(Kind.SLIVER),
        town.loot(Kind.SLIVER, host=THERE),
        town.loot(Kind.SLIVER, BETA),
    )
    with town.scene.client() as client:
        client.set_quota(ALPHA, {"events_per_second": _RATE})
        flooding = asyncio.create_task(flood(flooder.url))
        try:
            await asyncio.to_thread(until, lambda: entered(client, "events.over"), 60.0)
            await asyncio.to_thread(until, lambda: flooder.user not in users(town), 60.0)
            assert f"{flooder.user} may not connect for" in str(client.status(ALPHA))
            assert "may not connect" not in str(client.status(BETA))
            assert not await let_in(flooder.url)
            assert await let_in(quiet.url)
            assert await let_in(other.url)
            assert {quiet.user, other.user, f"slice.{ALPHA}"} <= users(town)
            (entry, *_) = entered(client, "events.cut")
            assert entry["change"]["cut_off"] == [flooder.user]
            assert (entry["slice"], entry["change"]["quota"]) == (ALPHA, _RATE)
        finally:
            flooding.cancel()
            with contextlib.suppress(asyncio.CancelledError, DsmtError):
                await flooding
        # By itself, with the password that it had.
        await asyncio.to_thread(until, lambda: flooder.user in users(town), 90.0)
        assert await let_in(flooder.url)
        assert await asyncio.to_thread(town.vitals) == before
        client.set_quota(ALPHA, {"events_per_second": 0})
        assert client.quota(ALPHA)["bounds"] == []
