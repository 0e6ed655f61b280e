"""Sites, people, members and ends of slices, from the command line to a real planner."""

from __future__ import annotations

from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.test_real_planner import ADMIN, PASSWORD, Planner, me, planner

__all__ = ["me", "planner"]


def test_a_site_from_its_first_person_to_its_end(me: Dsmtc, planner: Planner) -> None:
    user = me("whoami", "--json").json["account"]

    def admin(line: str, **more: str) -> str:
        ended = me("--user", ADMIN, "--password", PASSWORD, "--role", "admin", *line.split(), **more)
        assert ended.code == 0, (line, ended)
        return ended.out

    assert "its slices begin with east_" in admin("plc addsite east --description East")
    admin("account add pi@east pi --site east", DSMT_NEW_PASSWORD="a long secret of east")
    assert "pi@east pi" in " ".join(admin("plc people east").split())
    pi = ("--user", "pi@east", "--password", "a long secret of east")
    made = me("plc", "create", "--slice", "east_web", "--expires", "90d", "--url", "https://e.com", *pi)
    assert (made.code, "not managed" in made.out) == (0, True), made
    refused = me("plc", "create", "--slice", "web", *pi)
    assert (refused.code, ADMIN in refused.err) == (4, True), refused
    assert me("plc", "adduser", user, "--slice", "east_web", *pi).code == 0
    # And now as that member.
    assert me("slice", "set", "--slice", "east_web", "--description", "a page").code == 0
    shown = me("slice", "show", "--slice", "east_web").out
    assert all(told in shown for told in ("east", "a page", "https://e.com", "in 89d")), shown
    assert "expires in" not in me("status", "--slice", "east_web").out
    renewed = me("renew", "--slice", "east_web", "--for", "2d", "--json")
    assert renewed.json["expires_at"] is not None
    assert "expires in 1d" in me("status", "--slice", "east_web").out
    assert me("renew", "--slice", "east_web", "--for", "ever").code == 4
    assert me("renew", "--slice", "east_web", "--for", "soon").code == 2
    assert me("slice", "members", "--slice", "east_web", "--add", "x@east").code == 4
    assert me("plc", "adsite", "x").err.count("did you mean addsite") == 1
    assert me("--user", ADMIN, "--password", PASSWORD, "plc", "delsite", "east").code == 6
    admin("delete --slice east_web --yes")
    admin("account roles pi@east none --site east")
    admin("plc delsite east")
    assert "pi@east is removed" in admin("account remove pi@east")
    assert "east" not in admin("plc sites")


def test_quotas_are_said_shown_and_previewed(me: Dsmtc, planner: Planner) -> None:
    def admin(line: str, code: int = 0) -> str:
        ended = me("--user", ADMIN, "--password", PASSWORD, "--role", "admin", *line.split())
        assert ended.code == code, (line, ended)
        return ended.out + ended.err

    admin("plc addsite west")
    admin("plc create --slice west_web")
    assert "nothing bounds what west_web uses" in admin("slice quota west_web")
    admin("plc quota west --nodes 50 --memory 64G")
    admin("plc quota west 20G")
    shown = " ".join(admin("plc quota west").split())
    assert "nodes 0 50 the site west" in shown
    assert "depot bytes 18.6 GiB each slice" in shown
    shown = admin("slice quota west_web --slivers 3 --memory 1.5G --depot-bytes 5G --events-per-second 100")
    assert all(told in shown for told in ("1.5G", "4.7 GiB", "100", "the slice west_web"))
    assert "slivers" in admin("slice show --slice west_web")
    assert "nothing would wait" in admin("slice quota west_web --nodes 1 --dry-run")
    assert "slivers" not in admin("slice quota west_web --clear slivers --clear memory --clear depot-bytes")
    for wrong, why in (
        ("--nodes 0", "--clear nodes"),
        ("--nodes=-1", "at least 1"),
        ("--nodes 1.5", "valid integer"),
        ("--memory much", "not a size"),
        ("--memory 0", "--clear memory"),
        ("--depot-bytes 0", "not a number of bytes"),
        ("--clear cpu", "one of nodes"),
        ("--nodes 3 --clear nodes", "either --nodes or"),
    ):
        assert why in admin(f"slice quota west_web {wrong}", 2), wrong
    assert "from 1 to" in admin(f"slice quota west_web --nodes {10**9}", 3)
    assert "no slice" in admin("slice quota nowhere --nodes 3", 3)
    assert "no site" in admin("plc quota nowhere --nodes 3", 3)
    admin("delete --slice west_web --yes")
    admin("plc delsite west")
