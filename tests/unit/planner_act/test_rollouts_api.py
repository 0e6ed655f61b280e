"""Roll-outs over the API and in the database: started, held, ended, kept, and said."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from dsmt_core.names import Account, Application, Host, Slice
from dsmt_core.packages import PackageRef
from planner.release import ReleaseName
from planner.rollout import Phase, Release, Rollout, policy
from planner.steps import SliceChange
from planner.store import Database, slices
from planner.store.database import sqlite_url
from planner.store.rollouts import KEPT, history, read, store_rollouts, written
from planner.store.slices import NewSlice
from planner.store.wanted import commit, load_slice
from tests.unit.planner_act.conftest import Api

S1, PINGER = Slice("s1"), Application("pinger")
ROLLS = "/slices/s1/rollouts/pinger"
WAVES = {"waves": ["1", "50%"], "min_healthy_s": 5}


@pytest.fixture
async def two(api: Api) -> Api:
    """A slice whose depot has two versions of the pinger, and that has no hosts."""
    await api("POST", "/slices", {"slice": "s1"})
    for version in ("1.8-1", "1.9-1"):
        await api.put("s1", f"dsmtw_pinger-{version}.noarch.rpm", f"rpm dsmtw_pinger {version}".encode())
    return api


async def phase(api: Api, wanted: str) -> Any:
    async with asyncio.timeout(10):
        while True:
            found = await api("GET", ROLLS)
            if found["phase"] == wanted:
                return found
            await asyncio.sleep(0.02)


async def test_over_no_hosts_it_is_done_at_once_and_the_version_is_the_slices(two: Api) -> None:
    started = await two("POST", ROLLS, WAVES)
    assert (started["number"], started["version"], started["by"]) == (1, "1.9-1", "me@example.com")
    done = await phase(two, "done")
    assert done["waves"] == ["1", "50%", "100%"]
    assert (await two("GET", "/slices/s1"))["applications"][0]["version"] == "1.9-1"
    assert [one["number"] for one in await two("GET", f"{ROLLS}/history")] == [1]
    assert [one["application"] for one in await two("GET", "/slices/s1/rollouts")] == ["pinger"]


async def test_each_step_is_said_on_the_planners_channel(two: Api) -> None:
    await two("POST", ROLLS, WAVES)
    await phase(two, "done")
    async with asyncio.timeout(10):
        while True:
            answer = await two.client.get("/v1/events", params={"field": "rollout"})
            said = [line for line in answer.text.splitlines() if '"done"' in line]
            if said:
                break
            await asyncio.sleep(0.05)
    assert "org.dsmt.component.planner/status/" in said[0]


async def test_a_dry_run_changes_nothing(two: Api) -> None:
    thought = await two("POST", ROLLS, {**WAVES, "dry_run": True})
    assert (thought["from_version"], thought["version"]) == ("1.8-1", "1.9-1")
    assert [wave["upto"] for wave in thought["waves"]] == [0, 0, 0]
    assert await two("GET", "/slices/s1/rollouts") == []


async def test_while_one_is_on_another_and_an_update_are_refused_and_its_package_stays(
    two: Api,
) -> None:
    await two("DELETE", "/slices/s1/manage")
    await two("POST", ROLLS, WAVES)
    status, message, hint = await two.refused("POST", ROLLS, WAVES)
    assert (status, "is running" in message, "abort" in hint) == (409, True, True)
    status, message, _ = await two.refused("POST", "/slices/s1/applications/pinger/update")
    assert (status, "is running" in message) == (409, True)
    for version in ("1.8-1", "1.9-1"):
        path = f"/slices/s1/packages/dsmtw_pinger-{version}.noarch.rpm"
        status, message, _ = await two.refused("DELETE", path)
        assert (status, "in use" in message) == (409, True)
    assert (await two("POST", f"{ROLLS}/pause"))["phase"] == "paused"
    assert (await two("POST", f"{ROLLS}/promote", {"all": True}))["wave"] == 3
    assert (await two("POST", f"{ROLLS}/abort"))["phase"] == "aborted"
    await two("DELETE", "/slices/s1/packages/dsmtw_pinger-1.9-1.noarch.rpm")


async def test_what_cannot_be_is_refused_with_what_to_do(two: Api) -> None:
    refused = [
        (404, "POST", f"{ROLLS}/pause", None),
        (404, "GET", ROLLS, None),
        (404, "POST", f"{ROLLS}/undo", None),
        (404, "POST", "/slices/s1/rollouts/other", {}),
        (404, "POST", ROLLS, {"version": "7.7-7"}),
        (409, "POST", ROLLS, {"version": "1.8-1"}),
        (422, "POST", ROLLS, {"waves": ["50%", "10%"]}),
        (422, "POST", ROLLS, {"waves": ["1"] * 200}),
        (422, "POST", ROLLS, {"deadline_s": 1, "min_healthy_s": 5}),
        (422, "POST", ROLLS, {"errors": "many"}),
        (422, "POST", ROLLS, {"budget": 3}),
    ]
    for expected, method, path, body in refused:
        status, message, _ = await two.refused(method, path, body)
        assert status == expected, (path, body, message)


ROLLOUT = Rollout(
    number=3,
    before=ReleaseName("1.8-1"),
    after=Release("1.9-1", (PackageRef("b" * 64, 10, "dsmtw_pinger-1.9-1.noarch.rpm"),)),
    policy=policy(["1", "12.5%"], errors="2", need="80%"),
    others=(Release("1.7-1"),),
    phase=Phase.PAUSED,
    wave=1,
    told={Host("h1"): 12.5},
    well=2,
    ill=1,
    failed={Host("h2"): "it failed"},
    reason="because",
    by="ann",
    began_at=1.5,
    moved_at=2.5,
)


def test_what_is_written_is_read_back() -> None:
    assert read(written(ROLLOUT)) == ROLLOUT


@pytest.fixture
def database(tmp_path: Path) -> Database:
    opened = Database(sqlite_url(tmp_path))
    opened.write_now(slices.make, NewSlice(slice=S1, owner=Account("me")))
    return opened


def test_a_rounds_step_is_committed_with_the_placements(database: Database) -> None:
    change = SliceChange(
        slice=S1, generation=4, hosts={}, retired={}, placements=(), rollouts={PINGER: ROLLOUT}
    )
    assert database.write_now(commit, [change])[0].rollouts == {PINGER: ROLLOUT}
    again = replace(change, rollouts={PINGER: replace(ROLLOUT, wave=2)})
    assert database.write_now(commit, [again])[0].rollouts[PINGER].wave == 2
    database.close_now()


def test_of_the_history_the_last_are_kept_and_the_latest_is_wanted(database: Database) -> None:
    def many(connection: Connection) -> None:
        for number in range(1, KEPT + 6):
            store_rollouts(connection, S1, {PINGER: replace(ROLLOUT, number=number)})

    database.write_now(many)
    kept = database.write_now(history, S1, PINGER)
    assert [one.number for one in kept] == list(range(KEPT + 5, 5, -1))
    wanted = database.write_now(load_slice, S1)
    assert wanted is not None
    assert wanted.rollouts[PINGER].number == KEPT + 5
    database.close_now()
