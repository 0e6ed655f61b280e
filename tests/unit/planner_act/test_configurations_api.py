"""Configurations over the API: rolled out, foreseen, kept, and refused with what to do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.planner_act.conftest import Api

PATH = "/slices/s1/applications/pinger/configuration"
UPDATE = "/slices/s1/applications/pinger/update"
HELLO = {"values": {"greeting": "hello"}}


@pytest.fixture
async def two(api: Api) -> Api:
    """A slice whose depot has two versions of the pinger, and that has no hosts."""
    await api("POST", "/slices", {"slice": "s1"})
    for version in ("1.8-1", "1.9-1"):
        await api.put("s1", f"dsmtw_pinger-{version}.noarch.rpm", f"rpm dsmtw_pinger {version}".encode())
    return api


async def settled(api: Api) -> Any:
    async with asyncio.timeout(10):
        while True:
            found = await api("GET", PATH)
            if found["rollout"] is None:
                return found
            await asyncio.sleep(0.02)


async def test_it_is_rolled_out_and_the_version_stays(two: Api) -> None:
    assert (await two("GET", PATH))["configuration"] == {}
    await two("POST", PATH, HELLO)
    found = await settled(two)
    assert (found["version"], found["configuration"], len(found["digest"])) == (
        "1.8-1",
        {"greeting": "hello"},
        16,
    )
    history = await two("GET", "/slices/s1/rollouts/pinger/history")
    assert history[0]["changes"] == ["greeting is hello"]
    await two("POST", PATH, {"values": {"level": "3"}, "unset": ["greeting"], "version": "1.9-1"})
    found = await settled(two)
    assert (found["version"], found["configuration"]) == ("1.9-1", {"level": "3"})
    await two("POST", PATH, {"whole": True})
    assert (await settled(two))["digest"] == ""


async def test_the_same_again_is_no_change_and_no_error(two: Api) -> None:
    await two("POST", PATH, HELLO)
    await settled(two)
    assert (await two("POST", PATH, HELLO))["rollout"] is None
    assert len(await two("GET", "/slices/s1/rollouts/pinger/history")) == 1
    nothing = await two("POST", PATH, {**HELLO, "dry_run": True})
    assert (nothing["changes"], [wave["hosts"] for wave in nothing["waves"]]) == ([], [[]])


async def test_while_it_is_on_both_are_shown_and_another_is_refused(two: Api) -> None:
    await two("DELETE", "/slices/s1/manage")
    begun = await two("POST", PATH, HELLO)
    assert (begun["configuration"], begun["coming"]) == ({}, {"greeting": "hello"})
    assert begun["rollout"]["changes"] == ["greeting is hello"]
    for path, body in ((PATH, {"values": {"a": "1"}}), (UPDATE, {"dry_run": True}), (UPDATE, None)):
        status, message, hint = await two.refused("POST", path, body)
        assert (status, "is running" in message, "abort" in hint) == (409, True, True)


async def test_a_change_with_an_index_is_made_only_if_all_is_as_it_was_seen(two: Api) -> None:
    for path, body in ((PATH, HELLO), (UPDATE, {"version": "1.9-1"})):
        index = (await two("POST", path, {**body, "dry_run": True}))["index"]
        status, message, _ = await two.refused("POST", path, {**body, "check_index": "old"})
        assert (status, "the world has changed" in message) == (409, True)
        await two("POST", path, {**body, "check_index": index})
        await settled(two)
        status, _, _ = await two.refused("POST", UPDATE, {"version": "1.8-1", "check_index": index})
        assert status == 409
    assert (await two("GET", PATH))["version"] == "1.9-1"


async def test_an_update_is_foreseen_and_keeps_the_configuration(two: Api) -> None:
    await two("POST", PATH, HELLO)
    await settled(two)
    thought = await two("POST", UPDATE, {"dry_run": True})
    assert (thought["version"], thought["changes"]) == ("1.9-1", ["version 1.8-1 becomes 1.9-1"])
    assert (await two("GET", PATH))["version"] == "1.8-1"
    await two("POST", UPDATE, {})
    found = await two("GET", PATH)
    assert (found["version"], found["configuration"]) == ("1.9-1", {"greeting": "hello"})
    again = await two("POST", UPDATE, {"dry_run": True})
    assert again["changes"] == []


async def test_what_cannot_be_is_refused_with_what_to_do(two: Api) -> None:
    await two.put("s1", "dsmtw_halo-1-1.noarch.rpm", b"rpm dsmtw_halo 1-1 lacking")
    halo = "/slices/s1/applications/halo"
    refused: list[tuple[int, str, str, dict[str, Any] | None]] = [
        (404, "GET", "/slices/s1/applications/other/configuration", None),
        (404, "POST", "/slices/s1/applications/other/configuration", HELLO),
        (409, "POST", f"{halo}/configuration", HELLO),
        (409, "POST", f"{halo}/update", {"dry_run": True}),
        (404, "POST", PATH, {"unset": ["level"]}),
        (404, "POST", PATH, {**HELLO, "version": "9-9"}),
        (422, "POST", PATH, {"values": {"Greeting": "hello"}}),
        (422, "POST", PATH, {"values": {"greeting": "\0"}}),
        (422, "POST", PATH, {"values": {"greeting": 3}}),
        (507, "POST", PATH, {"values": {"greeting": "x" * 9_000}}),
        (422, "POST", PATH, {**HELLO, "waves": ["2", "1"]}),
        (422, "POST", "/slices/s1/applications/pinger/stop", {"dry_run": True}),
        (422, "POST", "/slices/s1/applications/pinger/stop", {"check_index": "abc"}),
    ]
    for expected, method, path, body in refused:
        status, message, _ = await two.refused(method, path, body)
        assert status == expected, (path, body, message)


async def test_a_template_is_a_value_that_is_checked_before_anything_changes(two: Api) -> None:
    await two("POST", PATH, {"values": {"level": "3"}, "templates": {"conf": "level=$level ${host.cpus}"}})
    found = await settled(two)
    assert found["configuration"] == {"conf": "dsmt-template:level=$level ${host.cpus}", "level": "3"}
    for body, told in (
        ({"templates": {"conf": "$nothing"}}, "uses nothing, which is not set"),
        ({"unset": ["level"]}, "uses level, which is not set"),
        ({"values": {"level": "dsmt-template:x"}}, "may not begin with"),
        ({"values": {"conf": "x"}, "templates": {"conf": "y"}}, "at once"),
        ({"templates": {"conf": "$HOME"}}, "line 1"),
    ):
        status, message, _ = await two.refused("POST", PATH, body)
        assert (status, told in message) == (422, True), message
    assert (await two("GET", PATH))["rollout"] is None
    # Another text is another configuration.
    assert (await two("POST", PATH, {"templates": {"conf": "$level"}}))["rollout"] is not None
