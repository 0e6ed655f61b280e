"""A page that is left open: its planner goes and comes, its line dies, its login and its rights end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from dsmt_core.lifecycle import State
from dsmtc.client import Client, Credentials
from lab.crowd import SLICE, Crowd, crowd
from planner.fleet import NodeState
from planner.viewer import feeding
from planner.wanted import Wanted
from tests.e2e.line import Line, line
from tests.e2e.looks import EVIL, each_page
from tests.e2e.reader import LACKING, Reader, reading
from tests.e2e.stage import ADMIN, PASSWORD

pytestmark = pytest.mark.skipif(bool(LACKING), reason=LACKING)

NODES = 30
IDLE = 20
EIGHT_HOURS_MS = 8 * 3_600_000
MINE = "mine"
REAL, OTHER = "real.example", "other.example"
TECH = "tech@example.com"
LABEL = EVIL.replace("\x1b", "")[:200]
PI, THEIRS = "pi2@example.com", "another-test-password"
_LOGGED_OUT = """async () => (await fetch("/v1/logout", {method: "POST", headers: {
    authorization: `Bearer ${sessionStorage.getItem("dsmt.session")}`}})).status"""


async def test_a_page_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "RIGHTS_S", 0.2)
    async with (
        crowd(tmp_path / "planner", nodes=NODES, admin=ADMIN, password=PASSWORD) as shown,
        line(shown.url) as wire,
        reading(wire.url) as reader,
    ):
        # Timers and the clock of the page are Playwright's: they go on, and can be put forward.
        await reader.page.clock.install()
        await reader.log_in(ADMIN, PASSWORD)
        await reader.counts("fine", NODES)
        await _sleeps(shown, wire, reader)
        await _is_cut_off(shown, wire, reader)
        await _ask(shown, _joined)
        await _is_attacked(shown, reader)
        await _goes_on_after_a_login(reader)
        await _is_of_one_site(shown, reader)
        await _loses_its_rights(shown, reader)
        await _loses_its_slice(shown, reader)
        assert reader.complaints == []
        assert reader.dialogs == []


async def _sleeps(shown: Crowd, wire: Line, reader: Reader) -> None:
    """A machine that slept for a night: its timers stood still, and the line died without a word."""
    wire.die()
    shown.say(shown.hosts[0], State.FAILED, reason="exit code 3")
    await reader.page.clock.fast_forward(EIGHT_HOURS_MS)
    failed = reader.page.locator("button.kind.failed b")
    for _ in range(IDLE):
        if await failed.inner_text() == "1":
            break
        # Idle connections, which a browser takes again, are dead, too.
        await asyncio.sleep(0.3)
        await reader.page.clock.fast_forward(30_000)
    await reader.counts("failed", 1)
    # Ages are of the planner's clock, whatever this one says.
    await reader.sees(".problem.failed .quiet", " s ago")


async def _is_cut_off(shown: Crowd, wire: Line, reader: Reader) -> None:
    """Told meanwhile; afterwards what is there is there once, and what went has gone."""
    await reader.go("/fleet?view=list")
    rows = reader.page.locator("table.nodes tbody tr")
    await expect(rows).to_have_count(NODES)
    wire.cut()
    await reader.page.clock.fast_forward(5_000)
    await reader.sees(".trouble", "No connection to the planner since")
    await reader.sees(".live.off", "not live")
    await expect(rows).to_have_count(NODES)
    gone, *_, failed = shown.hosts
    shown.planner.fleet.forget(gone)
    shown.judge(failed, NodeState.FAILED)
    wire.mend()
    await reader.page.clock.fast_forward(30_000)
    await expect(reader.page.locator(".trouble")).to_have_count(0)
    await expect(rows).to_have_count(NODES - 1)
    await reader.counts("failed", 1)
    await reader.sees(rows.first, failed)


async def _is_attacked(shown: Crowd, reader: Reader) -> None:
    """Whatever nodes and applications say, on whichever page."""
    host = shown.hosts[2]
    shown.say(host, State.FAILED, reason=EVIL, text=EVIL)
    await _ask(shown, lambda client: client.label(REAL, {"site": LABEL, "b": LABEL}))
    await reader.go("/fleet")
    await reader.sees(".wrong", "<img src=x onerror=alert(1)>")
    pages = [
        ("/fleet", "canvas.map"),
        ("/fleet?view=grid", ".grid canvas"),
        ("/fleet?view=list", "table.nodes"),
        ("/slices", "table.slices"),
        (f"/slices/{SLICE}", "table.slivers"),
        (f"/nodes/{host}", ".why"),
        (f"/nodes/{REAL}", ".facts dd"),
        (f"/rollouts/{SLICE}/pinger", "h1"),
        ("/time", "canvas.map"),
        ("/charts", "h1"),
        ("/availability", "h1"),
        ("/help", "kbd"),
        ("/nodes/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "h1"),
        ("/slices/%E2%80%AEevil", "h1"),
        ("/%3Cimg%20src%3Dx%3E", "h1"),
        ("/nodes/%", "h1"),
    ]
    await each_page(reader, pages)


async def _goes_on_after_a_login(reader: Reader) -> None:
    """What was being asked is asked again, with what had been written."""
    dialog = reader.page.get_by_role("dialog")
    why = dialog.get_by_label("Why (for the others)", exact=True)
    await reader.go(f"/nodes/{REAL}")
    await reader.page.get_by_role("button", name="Cordon").click()
    await why.fill("its disk")
    assert await reader.page.evaluate(_LOGGED_OUT) == 200
    await reader.sees("form .said", "login")
    await expect(reader.page.get_by_label("Account")).to_have_value(ADMIN)
    await expect(reader.page.get_by_label("Password")).to_be_focused()
    await reader.page.keyboard.type(PASSWORD)
    await reader.page.keyboard.press("Enter")
    await reader.sees("h1", REAL)
    await expect(why).to_have_value("its disk")
    await reader.sees(dialog.locator(".foreseen"), "Nothing new is placed there")
    await reader.page.keyboard.press("Escape")


async def _is_of_one_site(shown: Crowd, reader: Reader) -> None:
    """A technician is offered what may be done with the nodes of the site, and nothing with others."""

    def prepare(client: Client) -> None:
        client.add_site("north")
        client.add_account(TECH, THEIRS, "tech", "north")
        client.move_node(REAL, "north")

    await _ask(shown, prepare)
    await reader.page.get_by_role("button", name="Log out").click()
    await reader.log_in(TECH, THEIRS)
    for host, number in ((REAL, 1), (OTHER, 0)):
        await reader.go(f"/nodes/{host}")
        await reader.sees(reader.page.get_by_text("in service"))
        await expect(reader.page.get_by_role("button", name="Cordon")).to_have_count(number)


async def _loses_its_rights(shown: Crowd, reader: Reader) -> None:
    """Of somebody who is an investigator no more nothing is offered that would be refused."""
    await _ask(shown, lambda client: client.add_account(PI, THEIRS, "pi"))
    await reader.page.get_by_role("button", name="Log out").click()
    await reader.log_in(PI, THEIRS)
    await reader.go(f"/slices/{SLICE}")
    await reader.sees(reader.page.get_by_role("button", name="Restart"))
    await _ask(shown, lambda client: client.create(MINE))
    await reader.go(f"/slices/{MINE}")
    await reader.sees(reader.page.get_by_role("button", name="New plan"))
    await _ask(shown, lambda client: client.set_roles(PI, ["user"]))
    await reader.sees("form .said", "login")
    await reader.page.get_by_label("Password").fill(THEIRS)
    await reader.page.get_by_role("button", name="Log in").click()
    await reader.sees("main", "There is no slice of this name that you may look into")


async def _loses_its_slice(shown: Crowd, reader: Reader) -> None:
    await reader.page.get_by_role("button", name="Log out").click()
    await reader.log_in(ADMIN, PASSWORD)
    await reader.go(f"/slices/{SLICE}")
    await reader.sees("table.slivers", shown.hosts[3])
    shown.planner.ledger._wanted = Wanted({})
    await reader.sees("main", "There is no slice of this name that you may look into")
    await reader.go(f"/fleet?slice={SLICE}&view=list")
    await reader.sees("select[name=slice]", f"{SLICE} (not there)")
    await reader.counts("fine", 0)


def _joined(client: Client) -> None:
    """The nodes of the crowd are in no database; these are."""
    token = client.invite()["token"]
    for host in (REAL, OTHER):
        join = {"host": host, "token": token, "boot_id": "b", "claim": "c" * 20}
        client.call("POST", "/v1/nodes/join", join, shape=dict[str, Any])


async def _ask(shown: Crowd, what: Callable[[Client], object]) -> None:
    def asked() -> None:
        with Client(shown.url, Credentials(ADMIN, PASSWORD)) as client:
            what(client)

    await asyncio.to_thread(asked)
