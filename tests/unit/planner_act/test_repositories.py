"""The depot of a slice as dnf sees it, with a depot that describes nothing really."""

from __future__ import annotations

import asyncio
import base64
import json

import httpx
import pytest

from planner.service.planner import Planner
from tests.unit.planner_act.conftest import Api, FakeDepot

REPO = "/v1/slices/s1/repo"


class Describing:
    """The fake depot, which also describes; each description has a file of its own."""

    def __init__(self, depot: FakeDepot) -> None:
        self.depot = depot
        self.asked: list[list[str]] = []

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/v1/repodata":
            return await self.depot.answer(request)
        self.asked.append([one["filename"] for one in json.loads(request.content)["packages"]])
        await asyncio.sleep(0.01)
        number = len(self.asked)
        files = {"repomd.xml": f"<{number}/>", f"{number}-primary.xml.gz": "packed"}
        packed = {name: base64.b64encode(text.encode()).decode() for name, text in files.items()}
        return httpx.Response(200, json={"files": packed, "left_out": []})


@pytest.fixture
async def describing(api: Api, depot: FakeDepot, planner: Planner) -> Describing:
    made = Describing(depot)
    planner.depot.through(httpx.MockTransport(made.answer))
    await api("POST", "/slices", {"slice": "s1"})
    await api.put("s1", "a-1.rpm", b"rpm a 1.0-1")
    return made


async def test_it_is_made_when_packages_change_and_once_for_all_who_ask(
    api: Api, describing: Describing
) -> None:
    answers = await asyncio.gather(*(api.client.get(f"{REPO}/repodata/repomd.xml") for _ in range(5)))
    assert {one.text for one in answers} == {"<1/>"}
    await api.put("s1", "b-1.rpm", b"rpm b 1.0-1")
    assert (await api.client.get(f"{REPO}/repodata/repomd.xml")).text == "<2/>"
    assert describing.asked == [["a-1.rpm"], ["a-1.rpm", "b-1.rpm"]]


async def test_what_an_older_description_names_stays_a_while(api: Api, describing: Describing) -> None:
    for number in range(1, 6):
        await api.client.get(f"{REPO}/repodata/repomd.xml")
        await api.put("s1", f"more-{number}.rpm", f"rpm more {number}.0-1".encode())
    for number, status in ((5, 200), (4, 200), (3, 200), (2, 404), (9, 404)):
        found = await api.client.get(f"{REPO}/repodata/{number}-primary.xml.gz")
        assert found.status_code == status, number


async def test_a_token_is_the_password_of_basic_authentication(
    api: Api, anybody: Api, describing: Describing
) -> None:
    token = api.client.headers["authorization"].removeprefix("Bearer ")
    for path in ("repodata/repomd.xml", "packages/a-1.rpm"):
        url = f"{REPO}/{path}"
        assert (await anybody.client.get(url, auth=("dsmt", token))).status_code == 200
        assert (await anybody.client.get(url, auth=("dsmt", "wrong"))).status_code == 401
        assert (await anybody.client.get(url)).status_code == 401
        for odd in ("Basic !", "Basic", "Basic //8="):
            assert (await anybody.client.get(url, headers={"Authorization": odd})).status_code == 401
    # Nothing else of the API takes it.
    assert (await anybody.client.get("/v1/whoami", auth=("dsmt", token))).status_code == 401


async def test_what_is_not_there_is_not_found(api: Api, describing: Describing) -> None:
    for path in ("repodata/nothing.xml", "packages/none.rpm", "other"):
        assert (await api.client.get(f"{REPO}/{path}")).status_code == 404
    assert (await api.client.get(f"{REPO}/repodata/..%2f..%2fetc%2fpasswd")).status_code == 404
