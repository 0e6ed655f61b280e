"""Slices that end: renewed by members, told of, deleted by the planner, with an entry in the audit log."""

from __future__ import annotations

from planner.service.planner import Planner
from planner.store import members
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


async def test_a_slice_whose_grace_ended_is_told_of_and_then_deleted(api: Api, planner: Planner) -> None:
    for name in ("ends", "stays"):
        await api("POST", "/slices", {"slice": name})
    now = planner.clock()
    await planner.ledger.change("ends", members.set_end, "ends", now - 8 * DAY_S)  # type: ignore[arg-type]
    await planner.expiry.look()
    assert len(await api("GET", "/slices")) == 2
    await planner.expiry.look()
    assert [one["slice"] for one in await api("GET", "/slices")] == ["stays"]
    entry = (await api("GET", "/audit?act=slice.expire"))[0]
    assert (entry["about"], entry["role"], entry["outcome"]) == ("slice/ends", "planner", "done")
