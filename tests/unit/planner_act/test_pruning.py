"""The depot of a slice over the API: what nobody needs goes, and what belongs to no slice."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import httpx
import pytest

from planner.config import PlannerConfig
from planner.retention import Retention
from planner.service.means import Means
from planner.service.planner import Planner
from planner.service.pruning import Pruning
from tests.unit.planner_act.conftest import Api, FakeDepot

PATH = "/slices/s1/packages/prune"


@pytest.fixture
async def many(api: Api) -> Api:
    """A slice with six versions of the pinger, of which the first is wanted."""
    await api("POST", "/slices", {"slice": "s1"})
    for minor in range(6):
        version = f"1.{minor}-1"
        await api.put("s1", f"dsmtw_pinger-{version}.rpm", f"rpm dsmtw_pinger {version}".encode())
    return api


async def versions(api: Api, slice_: str = "s1") -> list[str]:
    return [one["version"] for one in await api("GET", f"/slices/{slice_}/packages")]


async def test_what_nobody_needs_goes_and_its_bytes_with_it(many: Api, depot: FakeDepot) -> None:
    dry = await many("POST", PATH, {"keep": 2, "dry_run": True})
    assert (dry["dry_run"], len(dry["removed"]), len(depot.blobs)) == (True, 3, 6)
    done = await many("POST", PATH, {"keep": 2})
    assert done["removed"] == dry["removed"]
    assert done["bytes"] == sum(one["size"] for one in done["removed"])
    assert {"filename": "dsmtw_pinger-1.0-1.rpm", "reason": "in use by pinger"} in done["kept"]
    assert await versions(many) == ["1.0-1", "1.4-1", "1.5-1"]
    assert len(depot.blobs) == 3
    assert (await many("POST", PATH, {"keep": 2}))["removed"] == []


async def test_a_roll_out_and_the_version_to_go_back_to_stay(many: Api) -> None:
    await many("DELETE", "/slices/s1/manage")
    await many("POST", "/slices/s1/rollouts/pinger", {"version": "1.3-1"})
    await many("POST", PATH, {"keep": 1})
    assert await versions(many) == ["1.0-1", "1.3-1", "1.5-1"]


async def test_after_an_update_the_version_before_stays(many: Api) -> None:
    await many("POST", "/slices/s1/applications/pinger/update", {"version": "1.3-1"})
    await many("POST", PATH, {"keep": 1})
    assert await versions(many) == ["1.2-1", "1.3-1", "1.5-1"]


async def test_bytes_that_another_slice_has_stay(many: Api, depot: FakeDepot) -> None:
    await many("POST", "/slices", {"slice": "s2"})
    await many.put("s2", "other.rpm", b"rpm dsmtw_pinger 1.1-1")
    await many("POST", PATH, {"keep": 1})
    assert b"rpm dsmtw_pinger 1.1-1" in depot.blobs.values()


@pytest.mark.parametrize("body", [{"keep": 0}, {"keep": 10_000}, {"older_than_s": -1}, {"kep": 1}])
async def test_what_makes_no_sense_is_refused(many: Api, body: dict[str, float]) -> None:
    assert (await many.refused("POST", PATH, body))[0] == 422
    assert len(await versions(many)) == 6


async def test_the_planner_does_it_by_itself_when_told_so(
    many: Api, planner: Planner, config: PlannerConfig, depot: FakeDepot
) -> None:
    await planner.depots.pruning.look()
    assert len(await versions(many)) == 6
    told = replace(config, depot_keep=2, depot_older_than=0.0)
    await Pruning(_means(planner), planner.packages, told).look()
    assert await versions(many) == ["1.0-1", "1.4-1", "1.5-1"]


async def test_what_belongs_to_no_slice_goes_after_a_time(
    many: Api, planner: Planner, depot: FakeDepot
) -> None:
    depot.blobs["f" * 64] = b"orphan"
    depot.age = 10.0
    await planner.depots.pruning.look()
    assert len(depot.blobs) == 7
    depot.age = 1e6
    await planner.depots.pruning.look()
    assert "f" * 64 not in depot.blobs
    assert len(depot.blobs) == 6


async def test_a_depot_that_is_away_or_of_before_is_no_error(many: Api, planner: Planner) -> None:
    def away(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away")

    for answers in (away, lambda _request: httpx.Response(405, json={})):
        planner.depot.through(httpx.MockTransport(answers))
        await planner.depots.pruning.look()
    found = await planner.depots.pruning.prune(
        next(iter(planner.ledger.wanted.slices)), Retention(1), dry_run=False
    )
    assert len(found["removed"]) == 4


async def test_bytes_that_were_removed_meanwhile_are_not_referred_to(
    many: Api, depot: FakeDepot, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"rpm late 1.0-1"
    put = depot._put

    def put_and_lost(*args: str) -> httpx.Response:
        answer = put(*args)  # type: ignore[arg-type]
        depot.blobs.clear()
        return answer

    monkeypatch.setattr(depot, "_put", put_and_lost)
    answer = await many.client.put("/v1/slices/s1/packages/late.rpm", content=content)
    assert (answer.status_code, "meanwhile" in answer.json()["message"]) == (503, True)


def _means(planner: Planner) -> Means:
    return Means(planner.database, planner.ledger, planner.bus, planner.clock)


async def test_all_about_one_package(many: Api) -> None:
    await many("POST", "/slices", {"slice": "s2"})
    await many.put("s2", "other.rpm", b"rpm dsmtw_pinger 1.0-1")
    at = "/slices/s1/packages"
    used = await many("GET", f"{at}/dsmtw_pinger-1.0-1.rpm/about")
    assert used["put_by"]
    assert (used["uses"], used["slices"]) == (["wanted as pinger", "in use by pinger"], ["s2"])
    assert used["hosts"] == []
    free = await many("GET", f"{at}/dsmtw_pinger-1.5-1.rpm/about")
    assert (free["uses"], free["version"], free["slices"]) == ([], "1.5-1", [])
    assert (await many.refused("GET", f"{at}/nothing.rpm/about"))[0] == 404


async def test_what_another_slice_lets_go_while_it_comes_again_stays(
    many: Api, planner: Planner, depot: FakeDepot
) -> None:
    """Between its arrival in the depot and its record nothing refers to it."""
    content = b"rpm thing 1.1-1"
    await many("POST", "/slices", {"slice": "s2"})
    await many.put("s1", "thing.rpm", content)

    async def meanwhile(request: httpx.Request) -> httpx.Response:
        said = await depot.answer(request)
        if request.method == "PUT":
            await many("DELETE", "/slices/s1/packages/thing.rpm")
        return said

    planner.depot.through(httpx.MockTransport(meanwhile))
    headers = {"X-Content-SHA256": hashlib.sha256(content).hexdigest()}
    put = await many.client.put("/v1/slices/s2/packages/other.rpm", content=content, headers=headers)
    assert put.status_code == 200, put.text
    assert len(await versions(many)) == 6
    assert content in depot.blobs.values()
    # Once it has come it may go like any other.
    await many("DELETE", "/slices/s2/packages/other.rpm")
    assert content not in depot.blobs.values()
