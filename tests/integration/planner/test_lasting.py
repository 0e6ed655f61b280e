"""What is followed ends for whom it is no longer: a revoked token, a lost right. And names of planners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from planner.api.lasting import Lasting
from tests.integration.planner.alone import alone
from tests.integration.planner.conftest import ADMIN, PASSWORD

OTHER = "you@example.com"
NAMES = ("planner.example.org", "localhost")


@pytest.fixture
async def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A planner on a real socket that looks often at who follows."""
    monkeypatch.setattr(Lasting, "every_s", 0.1)
    async with alone(tmp_path, names=NAMES) as port:
        yield f"http://127.0.0.1:{port}/v1"


class Person:
    """Somebody with a token."""

    def __init__(self, url: str, token: str) -> None:
        self.client = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=20)
        self.url = url

    async def __call__(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.client.request(method, f"{self.url}{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    async def followed(self, path: str, meanwhile: Callable[[], Awaitable[Any]]) -> int:
        """How many lines came of what is followed, until it ended; ``meanwhile`` happens on the way."""
        async with asyncio.timeout(20), self.client.stream("GET", f"{self.url}{path}") as answer:
            assert answer.status_code == 200
            await asyncio.sleep(0.3)
            await meanwhile()
            return len([line async for line in answer.aiter_lines()])


LogIn = Callable[..., Awaitable[Person]]


@pytest.fixture
async def log_in(url: str) -> AsyncIterator[LogIn]:
    people: list[Person] = []

    async def entered(account: str = ADMIN) -> Person:
        async with httpx.AsyncClient(timeout=20) as client:
            answer = await client.post(f"{url}/login", json={"account": account, "password": PASSWORD})
        people.append(Person(url, answer.json()["token"]))
        return people[-1]

    yield entered
    for one in people:
        await one.client.aclose()


@pytest.fixture
async def admin(log_in: LogIn) -> Person:
    made = await log_in()
    await made("POST", "/slices", {"slice": "s1", "members": [OTHER]})
    await made("PUT", f"/accounts/{OTHER}/password", {"password": PASSWORD})
    return made


async def test_who_logs_out_or_gets_another_password_follows_no_longer(
    log_in: LogIn, admin: Person
) -> None:
    one, other = await log_in(), await log_in(OTHER)
    nobody = "/events?follow=1&channel=/com/example/nobody/"
    assert await one.followed(nobody, lambda: one("POST", "/logout")) == 0
    again = {"password": f"{PASSWORD}2"}
    await other.followed(
        "/events?follow=1&channel=/org/dsmt/ns/deployment/s1/",
        lambda: admin("PUT", f"/accounts/{OTHER}/password", again),
    )
    assert (await other.client.get(f"{other.url}/whoami")).status_code == 401


async def test_who_is_member_no_longer_follows_the_slice_no_longer(log_in: LogIn, admin: Person) -> None:
    member = await log_in(OTHER)
    leaves = f"/slices/s1/members/{OTHER}"
    await member.followed(
        "/events?follow=1&channel=/org/dsmt/ns/deployment/s1/", lambda: admin("DELETE", leaves)
    )
    assert (await member("GET", "/whoami"))["slices"] == []


async def test_who_may_hear_less_hears_less_and_goes_on(log_in: LogIn, admin: Person) -> None:
    member = await log_in(OTHER)

    async def told() -> None:
        said = {"channel": "/com/example/x/", "field": "x", "value": "1"}
        await admin("DELETE", f"/slices/s1/members/{OTHER}")
        await asyncio.sleep(0.5)
        await admin("POST", "/events", said)
        await admin("POST", "/events", said)

    assert await member.followed("/events?follow=1&count=2&field=x", told) == 2


async def test_whoami_tells_what_an_account_holds_at_sites(log_in: LogIn, admin: Person) -> None:
    await admin("POST", "/sites", {"site": "uni"})
    await admin("PUT", f"/sites/uni/people/{OTHER}", {"roles": ["tech", "pi"]})
    held = await (await log_in(OTHER))("GET", "/whoami")
    assert held["site_roles"] == {"uni": ["pi", "tech"]} or held["site_roles"] == {"uni": ["tech", "pi"]}
    assert held["everywhere"] is (held["role"] == "user")
    assert held["slices"] == ["s1"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("planner.example.org", 200),
        ("PLANNER.example.org.:7080", 200),
        ("localhost:1", 200),
        ("10.0.0.7:7080", 200),
        ("[::1]:7080", 200),
        ("evil.example.com", 421),
        ("evil.example.com:7080", 421),
        ("planner.example.org.evil.com", 421),
        ("127.0.0.1.evil.com", 421),
    ],
)
async def test_a_name_that_was_made_to_lead_here_is_refused(url: str, host: str, status: int) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/health", headers={"Host": host})
        assert answer.status_code == status
        if status == 421:
            assert "does not go by the name" in answer.json()["message"]
            assert "--name" in answer.json()["hint"]
            # Nodes show a token or a key; they may know the planner by any name.
            joined = await client.post(f"{url}/nodes/join", headers={"Host": host}, json={})
            assert joined.status_code == 422
