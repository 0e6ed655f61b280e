"""How applications are watched, over the API: shown, kept, ordered, and refused with what to do."""

from __future__ import annotations

import pytest

from dsmt_core.commands import Verb
from dsmt_core.names import Application, Host, Slice
from dsmt_core.watch import Watch
from planner.reconcile.orders import placed
from planner.turns import watched
from tests.unit.planner.toy import APP, Toy
from tests.unit.planner_act.conftest import Api

PATH = "/slices/s1/applications/pinger/watch"
HTTP = "http://127.0.0.1:8080/health"


@pytest.fixture
async def one(api: Api) -> Api:
    await api("POST", "/slices", {"slice": "s1"})
    await api.put("s1", "dsmtw_pinger-1.8-1.noarch.rpm", b"rpm dsmtw_pinger 1.8-1")
    return api


async def test_a_watch_is_shown_and_changed(one: Api) -> None:
    usual = await one("GET", PATH)
    assert (usual["check"], usual["failures"], usual["restart"], usual["within_s"]) == (
        "",
        1,
        "always",
        600,
    )
    chosen = await one("PUT", PATH, {"check": HTTP, "every_s": 10, "failures": 3, "restart": "on-failure"})
    assert (chosen["changed"], chosen["check"], chosen["every_s"]) == (True, HTTP, 10)
    again = await one("PUT", PATH, {"check": HTTP, "every_s": 10, "failures": 3, "restart": "on-failure"})
    assert again["changed"] is False
    await one("POST", "/slices/s1/applications/pinger/stop")
    assert (await one("GET", PATH))["restart"] == "on-failure"
    assert (await one("PUT", PATH, {}))["check"] == ""


async def test_what_is_no_watch_is_refused(one: Api) -> None:
    for body, said in (
        ({"check": "http://example.org/"}, "does not go to the sliver itself"),
        ({"restart": "perhaps"}, "no restart policy"),
        ({"failures": 0}, "failures is 0"),
        ({"every_s": 0.1}, "every_s is 0.1"),
    ):
        status, message, hint = await one.refused("PUT", PATH, body)
        assert (status, said in message, bool(hint)) == (422, True, True), message
    status, _, _ = await one.refused("GET", "/slices/s1/applications/nothing/watch")
    assert status == 404
    status, _, _ = await one.refused("PUT", "/slices/s1/applications/nothing/watch", {})
    assert status == 404


def test_another_watch_is_ordered_anew_everywhere_and_restarts_nothing() -> None:
    toy = Toy(3)
    toy.run()
    before = toy.slice
    watch = Watch(check=HTTP, failures=3)
    after = watched(before, APP, watch)
    assert after.generation == before.generation + 1
    assert {one.generation for one in after.placements} == {after.generation}
    assert [one.restarts for one in after.placements] == [one.restarts for one in before.placements]
    toy.change(after)
    toy.run()
    held = [node.applications[Slice(after.name)][APP] for node in toy.nodes.values()]
    assert {one.generation for one in held} == {after.generation}
    order = placed(after, after.placements[0], Verb.APPCONFIG)
    usual = placed(before, before.placements[0], Verb.APPCONFIG)
    assert (order.watch, order.digest != usual.digest) == (watch, True)
    assert watched(after, APP, watch) is after
    assert placed(watched(after, APP, Watch()), after.placements[0], Verb.APPCONFIG).digest == usual.digest
    assert (order.host, order.application) == (Host(order.host), Application(APP))
