"""What was, through the store and the API of a planner."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from dsmt_core.errors import Full
from dsmt_core.names import Host, Slice
from planner.fleet import Fleet, NodeState
from planner.past import HERE, NOWHERE, PLANNER, Passage
from planner.service import was
from planner.service.clock import SteadyClock
from planner.service.planner import Planner
from planner.service.was import Time, Was
from planner.store import Database, past, reasons
from planner.store.database import sqlite_url
from planner.store.past_table import REASONS
from tests.unit.planner_act.conftest import Api, LogIn

H1, WEB, OTHER = Host("h1"), Slice("web"), Slice("other")


@pytest.fixture
async def store(tmp_path: Path) -> Database:
    return await Database.open(sqlite_url(tmp_path))


def passage(at: float, state: str, *, slice_: Slice = WEB, part: str = "application:pinger") -> Passage:
    return Passage(at, H1, slice_, part, state)


async def test_the_last_of_each_part_and_what_came_after(store: Database) -> None:
    course = [
        Passage(1.0, *NOWHERE, PLANNER, HERE),
        passage(2.0, "requested"),
        passage(3.0, "running"),
        passage(3.5, "running", slice_=OTHER),
        passage(5.0, "failed"),
        passage(9.0, ""),
    ]
    await store.write(past.append, course, 9.5)
    assert await store.read(past.seen_at) == 9.5
    assert await store.read(past.at, 4.0) == [course[0], course[2], course[3]]
    assert await store.read(past.at, 4.0, [WEB]) == [course[0], course[2]]
    assert await store.read(past.at, 10.0, [WEB]) == [course[0]]
    assert await store.read(past.between, 3.0, 5.0) == [course[3], course[4]]
    assert await store.read(past.between, 0.0, 9.0, None, 2) == course[:2]
    await store.close()


async def test_of_what_is_old_the_last_state_stays(store: Database) -> None:
    course = [passage(1.0, "requested"), passage(2.0, "running"), passage(3.0, "running", slice_=OTHER)]
    await store.write(past.append, [*course, passage(4.0, "", slice_=OTHER), passage(8.0, "failed")], 8.0)
    assert await store.write(past.prune, 6.0) == 3
    assert await store.read(past.at, 7.0) == [course[1]]
    assert await store.read(past.at, 9.0) == [passage(8.0, "failed")]
    await store.close()


async def test_each_reason_is_kept_once_for_as_long_as_it_is_one(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(connection: Connection) -> int:
        return int(connection.execute(select(func.count()).select_from(REASONS)).scalar_one())

    course = [
        passage(at, str(at))._replace(reason=why)
        for at, why in ((1.0, "ended"), (2.0, ""), (3.0, "ended"), (4.0, "killed"), (5.0, "\u202e'; --"))
    ]
    await store.write(past.append, course[:2], 2.0)
    await store.write(past.append, course[2:], 5.0)
    assert await store.read(past.between, 0.0, 9.0) == course
    assert await store.read(count) == 3
    await store.write(past.prune, 3.5)
    # The last state of a part stays; why it was entered, so long ago, does not.
    assert await store.read(past.at, 3.6) == [course[2]._replace(reason="")]
    assert await store.read(past.at, 9.0) == [course[4]]
    assert await store.read(count) == 2
    monkeypatch.setattr(reasons, "MOST", 3)
    more = [passage(6.0, "a")._replace(reason="first"), passage(7.0, "b")._replace(reason="second")]
    await store.write(past.append, more, 7.0)
    assert await store.read(past.between, 5.0, 9.0) == [more[0], more[1]._replace(reason="")]
    await store.close()


async def test_too_much_is_refused_with_what_to_do(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "MOST", 3)
    await store.write(past.append, [passage(float(at), str(at)) for at in range(5)], 8.0)
    with pytest.raises(Full, match="things passed") as raised:
        await store.read(past.between, -1.0, 9.0)
    assert "shorter time" in raised.value.hint
    await store.close()


async def test_changes_are_told_in_parts_that_lose_nothing(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where more happened at one moment than a part holds."""
    monkeypatch.setattr(was, "CHANGES_MOST", 3)
    moments = [1.0, 2.0, 2.0, 2.0, 3.0, 4.0, 4.0, 4.0, 4.0, 4.0, 5.0]
    course = [passage(at, f"s{place}") for place, at in enumerate(moments)]
    await store.write(past.append, course, 9.0)
    told: list[str] = []
    asks, since, more = 0, 0.0, True
    teller = Was(store, Fleet(), SteadyClock())
    while more:
        said = await teller.changes(Time(since, 9.0), None)
        told += [one[4] for one in said["changes"]]
        asks, since, more = asks + 1, said["until"], said["more"]
    assert told == [one.state for one in course]
    assert asks > 2
    await store.close()


async def slice_of_mine(me: Api) -> None:
    await me("POST", "/slices", {"slice": "web"})


async def test_the_planner_writes_what_passes_and_tells_it(planner: Planner, log_in: LogIn) -> None:
    me = await log_in()
    await slice_of_mine(me)
    begin = planner.clock()
    planner.fleet.join(H1, now=begin)
    planner.fleet.judge(H1, NodeState.ALIVE)

    async def now_of(part: str, host: str, state: str) -> None:
        # What passes is written once a second.
        async with asyncio.timeout(60):
            while True:
                told = (await me("GET", "/past/fleet"))["parts"]
                states = {(host, part): state for _, host, _, part, state, _ in told}
                if states.get((host, part)) == state:
                    return
                await asyncio.sleep(0.05)

    # Nothing of a node that never joined is written behind; what passed is.
    await now_of("node", "h1", "alive")
    await now_of("planner", "", "here")
    planner.watched.tracker.join(H1, now=begin, period=3600.0)
    planner.watched.tracker._note(H1, "failed: nothing was heard of it", begin, "tracker")
    planner.fleet.judge(H1, NodeState.FAILED)
    await now_of("node", "h1", "failed")
    changes = await me("GET", f"/past/changes?since={begin}")
    assert [one[3:] for one in changes["changes"] if one[1] == "h1"] == [
        ["node", "alive", ""],
        ["node", "failed", "nothing was heard of it"],
    ]
    assert (await me("GET", f"/past/changes?since={begin}&host=h2"))["changes"] == []
    assert len((await me("GET", f"/past/changes?since={begin}&host=h1"))["changes"]) == 2
    assert changes["more"] is False
    before = await me("GET", f"/past/fleet?at={begin - 1}")
    assert [one for one in before["parts"] if one[1]] == []


async def test_charts_and_reports_have_their_forms(planner: Planner, log_in: LogIn) -> None:
    me = await log_in()
    await slice_of_mine(me)
    now = planner.clock()
    course = [
        passage(now - 80, "running", part="wanted:pinger"),
        passage(now - 60, "running"),
        passage(now - 20, "failed")._replace(reason="it ended with 1"),
    ]
    await planner.database.write(past.append, course, now)
    since = f"since={now - 100}&slice=web"
    chart = await me("GET", f"/past/series?{since}&points=11")
    assert [one["running"] for one in chart["samples"]][3:8] == [0, 1, 1, 1, 1]
    report = await me("GET", f"/past/availability?{since}")
    assert [row["name"] for row in report["rows"]] == ["web pinger"]
    assert report["rows"][0]["share"] == pytest.approx(0.5, abs=0.02)
    by_site = await me("GET", f"/past/availability?{since}&by=site")
    assert len(by_site["rows"]) == 1
    answer = await me.client.get(f"/v1/past/availability.csv?{since}&by=node")
    assert answer.headers["content-type"].startswith("text/csv")
    head, row, *rest = answer.text.splitlines()
    assert head == "name,share,wanted_s,running_s,unknown_s,outages,longest_s"
    assert row.startswith("h1,0.")
    assert rest == []
    course_ = await me("GET", f"/past/course?{since}&application=pinger")
    assert [one[1:] for one in course_["hosts"]["h1"]] == [
        ["application:pinger", "running", ""],
        ["application:pinger", "failed", "it ended with 1"],
    ]


@pytest.mark.parametrize(
    "asked",
    [
        "series?points=1",
        "series?points=1001",
        "series?since=9&until=3",
        "changes?since=1&until=2000000000",
        "availability?by=nobody",
        "fleet?at=-1",
        "fleet?at=nan",
        "course?slice=web",
    ],
)
async def test_what_makes_no_sense_is_refused(log_in: LogIn, asked: str) -> None:
    me = await log_in()
    await slice_of_mine(me)
    status, message, _ = await me.refused("GET", f"/past/{asked}")
    assert status in {400, 422}
    assert message


async def test_of_the_slices_of_others_nothing_is_told(planner: Planner, log_in: LogIn) -> None:
    me = await log_in()
    await slice_of_mine(me)
    await me(
        "POST", "/accounts", {"account": "her@example.com", "password": "a long secret", "roles": ["user"]}
    )
    her = await log_in("her@example.com", "a long secret")
    now = planner.clock()
    await planner.database.write(past.append, [passage(now - 9, "running")], now)
    told = await her("GET", "/past/fleet")
    assert "web" not in {one[2] for one in told["parts"]}
    changes = (await her("GET", f"/past/changes?since={now - 99}"))["changes"]
    assert "web" not in {one[2] for one in changes}
    for asked in ("fleet?slice=web", "availability?slice=web", "course?slice=web&application=pinger"):
        status, message, _ = await her.refused("GET", f"/past/{asked}")
        assert status == 403
        assert "may not" in message
