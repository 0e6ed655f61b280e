"""How much a slice may keep in the depot."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.planner_act.conftest import Api, FakeDepot, LogIn

FIRST = b"rpm pinger 1.0-1 " + b"x" * 83
SECOND = b"rpm pinger 2.0-1 " + b"x" * 83
PATH = "/slices/s1/depot"


@pytest.fixture
async def bound(api: Api) -> Api:
    """A slice that may keep 150 bytes and has 100."""
    await api("POST", "/slices", {"slice": "s1"})
    await api("PUT", PATH, {"bytes": 150})
    await api.put("s1", "first.rpm", FIRST)
    return api


async def test_what_is_used_and_allowed_is_told(bound: Api) -> None:
    assert await bound("GET", PATH) == {"slice": "s1", "used": 100, "allowed": 150, "is_default": False}
    told = await bound("PUT", PATH, {"bytes": None})
    assert (told["allowed"], told["is_default"]) == (0, True)


async def test_beyond_it_a_package_is_refused_with_what_to_do(bound: Api, depot: FakeDepot) -> None:
    said = await bound.put("s1", "second.rpm", SECOND)
    assert (said["code"], "has 100 of 150 bytes" in said["message"]) == ("full", True)
    assert "dsmtc depot prune" in said["hint"]
    assert len(depot.blobs) == 1


async def test_it_is_also_refused_when_its_size_was_not_announced(bound: Api, depot: FakeDepot) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield SECOND[:50]
        yield SECOND[50:]

    answer = await bound.client.put("/v1/slices/s1/packages/second.rpm", content=pieces())
    assert (answer.status_code, answer.json()["code"]) == (507, "full")
    assert len(depot.blobs) == 1


async def test_what_replaces_or_repeats_takes_nothing_more(bound: Api) -> None:
    assert (await bound.put("s1", "first.rpm", SECOND))["version"] == "2.0-1"
    assert (await bound.put("s1", "first.rpm", SECOND))["version"] == "2.0-1"
    answer = await bound.client.put(
        "/v1/slices/s1/packages/again.rpm",
        content=SECOND,
        headers={"X-Content-SHA256": (await bound("GET", "/slices/s1/packages"))[0]["digest"]},
    )
    assert answer.status_code == 200
    assert (await bound("GET", PATH))["used"] == 100


async def test_a_smaller_bound_removes_nothing(bound: Api) -> None:
    await bound("PUT", PATH, {"bytes": 10})
    assert len(await bound("GET", "/slices/s1/packages")) == 1
    assert (await bound.put("s1", "second.rpm", SECOND))["code"] == "full"
    await bound("PUT", PATH, {"bytes": 0})
    assert (await bound.put("s1", "second.rpm", SECOND))["version"] == "2.0-1"


async def test_only_an_administrator_gives_room(bound: Api, log_in: LogIn) -> None:
    pi = await log_in(role="pi")
    assert (await pi.refused("PUT", PATH, {"bytes": 0}))[0] == 403
    assert (await pi("GET", PATH))["allowed"] == 150
    for body in ({"bytes": -1}, {"bytes": 1 << 61}, {"bytes": "x"}, {}):
        assert (await bound.refused("PUT", PATH, body))[0] == 422


async def test_of_the_bounds_of_site_and_slice_the_smaller_counts(bound: Api) -> None:
    told = await bound("PUT", "/sites/home/quota", {"depot_bytes": 120})
    assert told["depot_bytes"] == 120
    assert (await bound("GET", PATH))["allowed"] == 120
    await bound("PUT", PATH, {"bytes": 0})
    assert (await bound("GET", PATH))["allowed"] == 120
    await bound("PUT", "/sites/home/quota", {"depot_bytes": 0})
    assert (await bound("GET", PATH))["allowed"] == 0
    assert (await bound.refused("PUT", "/sites/home/quota", {"depot_bytes": -1}))[0] == 422
