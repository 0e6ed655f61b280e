"""Slices that end: renewed by members, told of, deleted by the planner, with an entry in the audit log."""

from __future__ import annotations

import time

import pytest

from dsmt_core.names import Slice
from planner.expiry import Warned
from planner.service.planner import Planner
from planner.store import members, warnings
from tests.unit.planner_act.conftest import Api, LogIn

SECRET = "another long secret"
DAY_S = 86_400.0


async def test_a_member_renews_and_only_who_makes_slices_lets_it_stay(api: Api, log_in: LogIn) -> None:
    await api("POST", "/accounts", {"account": "you@x", "password": SECRET})
    await api("POST", "/slices", {"slice": "s1", "members": ["you@x"], "lasts_s": 3600})
    you = await log_in("you@x", SECRET)
    before = (await you("GET", "/slices/s1/status"))["expires_at"]
    after = (await you("POST", "/slices/s1/renewal", {"lasts_s": 90 * DAY_S}))["expires_at"]
    assert after - before > 89 * DAY_S
    assert (await you.refused("POST", "/slices/s1/renewal", {"lasts_s": None}))[0] == 403
    assert (await you.refused("POST", "/slices/s1/renewal", {"lasts_s": 1}))[0] == 422
    assert (await api("POST", "/slices/s1/renewal", {"lasts_s": None}))["expires_at"] is None


async def ends(planner: Planner, name: str, in_s: float) -> None:
    await planner.ledger.change(Slice(name), members.set_end, Slice(name), planner.clock() + in_s)


async def warned(planner: Planner) -> dict[Slice, Warned]:
    return await planner.database.read(warnings.load)


async def test_a_slice_whose_grace_ended_is_told_of_and_then_deleted(api: Api, planner: Planner) -> None:
    for name in ("ends", "stays"):
        await api("POST", "/slices", {"slice": name})
    await ends(planner, "ends", -8 * DAY_S)
    await planner.expiry.look()
    await planner.expiry.look()
    # Nobody was warned of it for a week, whatever the clock says.
    assert len(await api("GET", "/slices")) == 2
    assert 0 < (await warned(planner))[Slice("ends")].seconds < DAY_S
    planner.expiry.ran(7 * DAY_S)
    await planner.expiry.look()
    assert [one["slice"] for one in await api("GET", "/slices")] == ["stays"]
    entry = (await api("GET", "/audit?act=slice.expire"))[0]
    assert (entry["about"], entry["role"], entry["outcome"]) == ("slice/ends", "planner", "done")
    await planner.expiry.look()
    assert await warned(planner) == {}


async def test_a_clock_that_was_set_back_meanwhile_is_the_better_one(api: Api, planner: Planner) -> None:
    await api("POST", "/slices", {"slice": "ends"})
    await ends(planner, "ends", -8 * DAY_S)
    await planner.expiry.look()
    planner.expiry.ran(30 * DAY_S)
    planner.expiry.wall = lambda: planner.clock() - 20 * DAY_S
    await planner.expiry.look()
    assert len(await api("GET", "/slices")) == 1
    assert await warned(planner) == {}


async def test_a_planner_that_starts_weeks_ahead_warns_and_deletes_nothing(
    api: Api, planner: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api("POST", "/slices", {"slice": "s1", "lasts_s": 3 * DAY_S})
    await planner.close()
    right = time.time
    with monkeypatch.context() as clock:
        clock.setattr(time, "time", lambda: right() + 30 * DAY_S)
        ahead = await opened(planner)
        for _ in range(3):
            await ahead.expiry.look()
        assert (await warned(ahead))[Slice("s1")].seconds < DAY_S
        await ahead.close()
    again = await opened(planner)
    await again.expiry.look()
    assert Slice("s1") in again.ledger.wanted.slices
    assert await warned(again) == {}
    await again.close()


async def opened(like: Planner) -> Planner:
    made = await Planner.open(like.config)
    await made.ledger.load()
    await made.bus.start(wait_s=5)
    return made
