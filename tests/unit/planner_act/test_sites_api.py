"""Sites over the API: what a role at a site opens, and what it does not."""

from __future__ import annotations

import pytest

from tests.unit.planner_act.conftest import ADMIN, Api, LogIn, StartNode

SECRET = "another long secret"


@pytest.fixture
async def pi(api: Api, log_in: LogIn) -> Api:
    """A pi of the site north, and nothing elsewhere."""
    await api("POST", "/sites", {"site": "north", "description": "up there"})
    await api(
        "POST", "/accounts", {"account": "pi@north", "password": SECRET, "roles": ["pi"], "site": "north"}
    )
    return await log_in("pi@north", SECRET)


async def test_a_pi_of_a_site_makes_and_changes_its_slices_and_no_others(api: Api, pi: Api) -> None:
    await api("POST", "/slices", {"slice": "web"})
    made = await pi(
        "POST", "/slices", {"slice": "north_web", "user": "u@north", "url": "https://example.com"}
    )
    assert (made["site"], made["owner"], made["url"]) == ("north", "u@north", "https://example.com")
    assert (await api("GET", "/slices/web"))["site"] == "home"
    assert [one["slice"] for one in await pi("GET", "/slices")] == ["north_web"]
    await pi("PUT", "/slices/north_web/plan", {"plan": "all_nodes"})
    for method, path, body in (
        ("POST", "/slices", {"slice": "south_web"}),
        ("DELETE", "/slices/web", None),
        ("PUT", "/slices/web/plan", {"plan": "all_nodes"}),
        ("PUT", "/slices/web/members/pi@north", None),
        ("PUT", "/slices/north_web/depot", {"bytes": 1}),
        ("PUT", "/slices/north_web/agent", {"agent": "mine"}),
        ("POST", "/sites", {"site": "south"}),
    ):
        status, message, hint = await pi.refused(method, path, body)
        assert (status, message.startswith("pi@north [pi] may not ")) == (403, True), path
        assert ADMIN in hint, hint
    await pi("DELETE", "/slices/north_web")


async def test_a_refusal_names_who_has_the_right(api: Api, pi: Api, log_in: LogIn) -> None:
    await pi("POST", "/slices", {"slice": "north_web"})
    await api("POST", "/accounts", {"account": "u@x", "password": SECRET})
    status, message, hint = await (await log_in("u@x", SECRET)).refused("DELETE", "/slices/north_web")
    assert (status, message) == (403, "u@x [user] may not make or delete slices")
    assert hint.endswith("ask an admin (me@example.com, pi@north)")


async def test_members_come_and_go(api: Api, log_in: LogIn) -> None:
    await api("POST", "/slices", {"slice": "web", "managed": False})
    added = await api("PUT", "/slices/web/members/you@x")
    assert (added["members"], added["changed"], added["accounts_made"]) == (
        [ADMIN, "you@x"],
        True,
        ["you@x"],
    )
    assert not (await api("PUT", "/slices/web/members/you@x"))["changed"]
    await api("PUT", "/accounts/you@x/password", {"password": SECRET})
    you = await log_in("you@x", SECRET)
    await you("PATCH", "/slices/web", {"description": "a page"})
    assert (await you("GET", "/slices/web"))["description"] == "a page"
    assert (await you.refused("PATCH", "/slices/web", {"url": "javascript:1"}))[0] == 422
    assert (await you.refused("PUT", "/slices/web/members/friend@x"))[0] == 403
    await api("DELETE", "/slices/web/members/you@x")
    assert (await you.refused("GET", "/slices/web"))[0] == 403
    assert (await api.refused("DELETE", "/slices/web/members/you@x"))[0] == 404
    assert (await api.refused("DELETE", f"/slices/web/members/{ADMIN}"))[0] == 409


async def test_a_pi_looks_after_its_people_but_opens_no_other_door(api: Api, pi: Api) -> None:
    await pi("POST", "/accounts", {"account": "u@north", "site": "north", "roles": ["user"]})
    await pi("PUT", "/accounts/u@north/password", {"password": SECRET})
    assert {one["account"] for one in await pi("GET", "/accounts")} == {"pi@north", "u@north"}
    refused = [
        ("PUT", f"/accounts/{ADMIN}/password", {"password": SECRET}),
        ("POST", "/accounts", {"account": "x@north"}),
        ("POST", "/accounts", {"account": "x@north", "site": "north", "roles": ["pi"]}),
        ("PUT", "/sites/north/people/u@north", {"roles": ["admin"]}),
        ("PUT", "/accounts/u@north/roles", {"roles": ["admin"]}),
        ("DELETE", f"/accounts/{ADMIN}", None),
        ("GET", f"/accounts/{ADMIN}", None),
    ]
    for method, path, body in refused:
        assert (await pi.refused(method, path, body))[0] == 403, path
    await pi("PUT", "/sites/north/people/u@north", {"roles": ["tech"]})
    # Now a member of a slice of another site: its password would open that, too.
    await api("POST", "/slices", {"slice": "web", "members": ["u@north"]})
    for method, path in (("PUT", "/accounts/u@north/password"), ("DELETE", "/accounts/u@north")):
        body = {"password": SECRET} if method == "PUT" else None
        assert (await pi.refused(method, path, body))[0] == 403


async def test_a_tech_keeps_the_nodes_of_its_site(
    api: Api, pi: Api, log_in: LogIn, start_node: StartNode, anybody: Api
) -> None:
    await pi(
        "POST", "/accounts", {"account": "t@north", "password": SECRET, "roles": ["tech"], "site": "north"}
    )
    tech = await log_in("t@north", SECRET)
    token = (await tech("POST", "/nodes/invite", {"site": "north"}))["token"]
    join = {"host": "n1.north", "token": token, "boot_id": "b", "claim": "c" * 20}
    await anybody("POST", "/nodes/join", join)
    await start_node("n2.home")
    await tech("PATCH", "/nodes/n1.north/labels", {"labels": {"rack": "1"}})
    await tech("POST", "/standings/cordon", {"hosts": ["n1.north"], "reason": "disk"})
    assert (await tech("GET", "/nodes/n1.north"))["of_site"] == "north"
    assert (await tech("GET", "/nodes/n2.home"))["of_site"] == "home"
    for method, path, body in (
        ("PATCH", "/nodes/n2.home/labels", {"labels": {"rack": "1"}}),
        ("POST", "/standings/cordon", {"hosts": ["n1.north", "n2.home"]}),
        ("DELETE", "/nodes/n2.home", None),
        ("POST", "/nodes/invite", None),
    ):
        assert (await tech.refused(method, path, body))[0] == 403, path
    assert (await api.refused("DELETE", "/sites/north"))[1] == "to the site north belong the nodes n1.north"
    await api("PUT", "/sites/home/nodes/n1.north")
    assert (await tech.refused("PATCH", "/nodes/n1.north/labels", {"labels": {"rack": "2"}}))[0] == 403
    await api("DELETE", "/sites/north")
    assert (await pi.refused("GET", "/slices"))[0] == 401
    assert (await api("GET", "/accounts/t@north"))["site"] == "home"


async def test_sites_are_refused_where_they_would_be_unclear(api: Api) -> None:
    await api("POST", "/slices", {"slice": "south_web"})
    status, message, _ = await api.refused("POST", "/sites", {"site": "south"})
    assert (status, message) == (409, "slices of another site begin with south_: south_web")
    for name in ("", "a_b", "x" * 21, "süd", "a b", "../x", "a\n", "-x"):
        assert (await api.refused("POST", "/sites", {"site": name}))[0] == 422, name
    await api("POST", "/sites", {"site": "x" * 20})
    assert (await api.refused("POST", "/sites", {"site": "x" * 20}))[0] == 409
    assert (await api.refused("DELETE", "/sites/home"))[0] == 409
    assert (await api.refused("DELETE", "/sites/nowhere"))[0] == 404


async def test_roles_that_are_taken_end_logins_and_the_last_admin_stays(api: Api, log_in: LogIn) -> None:
    await api("POST", "/accounts", {"account": "two@x", "password": SECRET, "roles": ["admin"]})
    two = await log_in("two@x", SECRET)
    await two("PUT", f"/accounts/{ADMIN}/roles", {"roles": ["user"]})
    assert (await api.refused("GET", "/slices"))[0] == 401
    status, message, _ = await two.refused("PUT", "/accounts/two@x/roles", {"roles": []})
    assert (status, message) == (409, "two@x is the last admin who can log in")
    assert (await two.refused("DELETE", "/accounts/two@x"))[0] == 422
    me = await log_in(role="user")
    await two("POST", "/slices", {"slice": "web", "user": ADMIN})
    gone = await two("DELETE", f"/accounts/{ADMIN}")
    assert (gone["owned"], gone["member_of"]) == (["web"], ["web"])
    assert (await me.refused("GET", "/whoami"))[0] == 401
    shown = await two("GET", "/slices/web")
    assert (shown["owner"], shown["members"]) == ("two@x", ["two@x"])
