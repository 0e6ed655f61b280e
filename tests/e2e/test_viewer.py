"""The planner's page in a real Chromium: seen live, acted on, refused by role, hostile texts, a crowd."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from dsmt_core.lifecycle import State
from lab.crowd import crowd
from planner.fleet import NodeState
from tests.e2e import acting
from tests.e2e.application import App
from tests.e2e.conftest import Stages
from tests.e2e.reader import LACKING, Reader, reading
from tests.e2e.stage import ADMIN, PASSWORD, Stage

pytestmark = pytest.mark.skipif(bool(LACKING), reason=LACKING)

NODES = 10_000
SLICE = "my_slice"
# What an application prints is anybody's: markup, an escape for terminals, a mark that turns the text.
HOSTILE = r"""#!/bin/sh
[ -f /var/pid ] || exit 3
printf '<img src=x onerror=alert(1)><script>alert(2)</script> \033[31m\342\200\256live\n'
"""
START = r"""#!/bin/sh
sleep 100000 >/dev/null 2>&1 </dev/null &
echo $! >/var/pid
printf '<b>bold</b> \033]0;title\007 \342\200\256turned\n'
"""
SCRIPTS = {"status": HOSTILE, "start": START}
# What was is written a little later than it is shown.
_UNTIL_WRITTEN = """async (victim) => {
    const headers = { authorization: `Bearer ${sessionStorage.getItem("dsmt.session")}` };
    const isFailed = ([, host, , part, state]) => host === victim && part === "node" && state === "failed";
    while (!(await (await fetch("/v1/past/fleet", { headers })).json()).parts.some(isFailed))
        await new Promise((done) => setTimeout(done, 200));
}"""
# Wherever the reader went before, a moment looks the same; what differs is told.
_GONE_THROUGH = """async () => {
    const { Bygone } = await import("/view/bygone.js");
    const kinds = [["", "node"], ["s", "container"], ["s", "application:a"], ["s", "wanted:a"]];
    const states = ["alive", "failed", "running", "", "requested"];
    const changes = [];
    for (let place = 0; place < 400; place += 1)
        changes.push([place / 4, `h${place * 7 % 5}`, ...kinds[place * 3 % 4], states[place * 11 % 5]]);
    for (const [at, state] of [[40, "away"], [47, "here"]])
        changes.push([at + 0.1, "", "", "planner", state]);
    changes.sort((a, b) => a[0] - b[0]);
    const told = { parts: [[-5, "h9", "", "node", "alive"]], changes, begin: 0, end: 100 };
    const at = (past, moment) => {
        past.go(moment);
        const shown = past.byName.map((node) => {
            const { host, state, since } = node;
            return [host, state, since, past.verdict(node).kind, [...past.slivers(host)]];
        });
        return JSON.stringify(shown);
    };
    const past = new Bygone(told, () => null);
    const moments = [99, 3, 50, 44, 40, 0, 100, 47.2, 12.5, 12.25];
    return moments.filter((one) => at(past, one) !== at(new Bygone(told, () => null), one));
}"""
# Who began first stands first, and where nothing changed last.
_FALLS = """async () => {
    const { courses, summary } = await import("/view/course.js");
    const own = "application:p";
    const hosts = {
        c: [[0, own, "running"]],
        a: [[0, own, "running"], [9, own, "failed"]],
        b: [[0, own, "running"], [3, own, "requested"], [8, own, "running"], [8, "version:p", "2"]],
    };
    const found = courses({ since: 0, until: 20, hosts }, "p");
    const { moved, got } = summary(found, "2");
    return [...found.map(({ host }) => host), moved, ...got];
}"""


async def test_a_deployment_is_watched_and_changed(stages: Stages) -> None:
    async with stages("embedded", hosts=3) as stage, reading(stage.scene.planner_url) as reader:
        await reader.log_in(ADMIN, PASSWORD)
        await reader.counts("idle", 3)
        await _goes_to_running(stage, reader)
        await _is_text(stage, reader)
        begun = await acting.noted(stage, 0)
        await acting.applications(stage, reader, SLICE)
        await acting.plans(reader, SLICE)
        await acting.roll_outs(stage, reader, SLICE, App(version="1.9", scripts=SCRIPTS))
        await acting.standings(reader, stage.hosts[0])
        await acting.noted(stage, begun)
        await _the_plan_is_changed(stage, reader)
        await _dies(stage, reader)
        await _is_refused(stage, reader)
        assert reader.dialogs == []
        assert reader.complaints == []


async def _goes_to_running(stage: Stage, reader: Reader) -> None:
    await stage.deploy(SLICE, App(scripts=SCRIPTS), plan="all_nodes")
    await reader.counts("fine", 3)
    for place, (lat, lon) in enumerate(((35.7, 139.7), (48.9, 2.4))):
        labels = {"lat": str(lat), "lon": str(lon), "site": "<i>s</i>"}
        host = stage.hosts[place]
        await stage.ask(lambda client, host=host, labels=labels: client.label(host, labels))  # type: ignore[misc]
    await reader.sees("details.lost summary", "1 node without coordinates")
    await reader.picture("fleet")


async def _is_text(stage: Stage, reader: Reader) -> None:
    """What others wrote is shown as what it is, and is nothing else."""
    await reader.go(f"/nodes/{stage.hosts[0]}")
    says = reader.page.locator(".says").first
    await reader.sees(says, "<img src=x onerror=alert(1)><script>alert(2)</script>")
    assert "\x1b" not in (await says.inner_text())
    assert "\u202e" not in (await says.inner_text())
    await reader.sees(".facts", "<i>s</i>")
    await reader.page.get_by_role("button", name="Log", exact=True).first.click()
    log = reader.page.locator("pre.log")
    await reader.sees(log, "<b>bold</b> \ufffd]0;title\ufffd [U+202E]turned")
    assert await reader.page.locator("main img, main script, pre.log b, .facts i").count() == 0
    await reader.picture("node")


async def _the_plan_is_changed(stage: Stage, reader: Reader) -> None:
    await reader.go(f"/slices/{SLICE}")
    await reader.page.get_by_role("button", name="Set plan").click()
    dialog = reader.page.get_by_role("dialog")
    await dialog.get_by_label("Plan", exact=True).select_option("limit")
    # What the planner cannot do is told before it is done.
    await reader.sees(dialog.get_by_role("alert"), "count is missing")
    await dialog.get_by_label("count", exact=True).fill("2")
    await reader.sees(dialog.locator(".foreseen"), "1 node stops; 2 nodes keep what they have")
    await reader.picture("set-plan")
    await _is_told_that_the_world_changed(reader)
    await dialog.get_by_role("button", name="Set plan").click()
    # It is withdrawn after some seconds.
    await reader.sees(".notes", f"{SLICE} follows the plan limit: 1 node stops")
    await stage.until(lambda status: status["plan"] == "limit" and status["wanted"] == 2, SLICE)
    await reader.sees(".figures .wanted dd", "2")
    entries = await stage.ask(lambda client: client.audit({}))
    assert any("plan" in one["act"] for one in entries)


async def _is_told_that_the_world_changed(reader: Reader) -> None:
    """What was seen is the past by now: refused, and told why above what would happen at present."""
    dialog = reader.page.get_by_role("dialog")

    async def late(route: Route) -> None:
        body = json.loads(route.request.post_data or "") | {"check_index": "0" * 16}
        await route.continue_(post_data=json.dumps(body))

    await reader.page.route("**/my_slice/plan", late, times=1)
    await dialog.get_by_role("button", name="Set plan").click()
    await reader.sees(dialog.get_by_role("alert"), "changed")
    await reader.sees(dialog.locator(".foreseen"), "1 node stops; 2 nodes keep what they have")


async def _dies(stage: Stage, reader: Reader) -> None:
    # Whoever has to leave the slice is not in it any more.
    status = await stage.until(lambda status: status["running"] == 2 == len(status["hosts"]), SLICE)
    victim = status["hosts"][0]["host"]
    await reader.go("/fleet")
    alive_at = time.time()
    await stage.scene.power_off(victim)
    await reader.sees(f".wrong .problem.failed a:text-is('{victim}')")
    await reader.sees(".wrong", "not heard for")
    await reader.picture("node-failed")
    await _is_replayed(reader, victim, alive_at)


async def _is_replayed(reader: Reader, victim: str, alive_at: float) -> None:
    """The slider goes back to where the node lived, and a key to where it failed."""
    await reader.page.evaluate(_UNTIL_WRITTEN, victim)
    await reader.go("/time?window=15min&view=list")
    await reader.sees(".past", "This is the past")
    row = reader.page.locator("table.nodes tr", has_text=victim)
    await reader.sees(row, "Failed")
    await reader.page.get_by_label("Moment").evaluate(
        """(slide, at) => {
            // A step of the slider is a part of a second.
            const ago = Date.now() / 1000 - at + 1;
            slide.value = Number(slide.max) - ago;
            slide.dispatchEvent(new Event("input"));
        }""",
        alive_at,
    )
    await reader.sees(row, "Fine")
    await reader.picture("time")
    await reader.page.get_by_label("At", exact=True).fill("a quarter past two")
    await reader.page.get_by_role("button", name="Go", exact=True).click()
    await reader.sees(".timeline [role=alert]", "That is no time")
    await _is_reported(reader, victim)


async def _is_reported(reader: Reader, victim: str) -> None:
    await reader.go("/availability?by=application&period=15min")
    await reader.sees("table.availability tbody th", SLICE)
    async with reader.page.expect_download() as saved:
        await reader.page.get_by_role("button", name="Save as CSV").click()
    text = (await (await saved.value).path()).read_text()
    assert text.startswith("name,share,")
    await reader.page.locator("select[name=by]").select_option("node")
    await reader.sees("table.availability", victim)
    await reader.picture("availability")
    await reader.go(f"/charts?slice={SLICE}&period=15min")
    await reader.sees(".key", "running")
    await reader.sees(".chart canvas >> nth=0")
    await reader.sees("table.ages tr:first-child", "1 s")
    await reader.picture("charts")


async def _is_refused(stage: Stage, reader: Reader) -> None:
    """Who may look and not change is offered nothing, and refused by the planner."""
    tech, password = "tech@example.com", "another-test-password"
    await stage.ask(lambda client: client.add_account(tech, password, "tech"))
    await reader.page.get_by_role("button", name="Log out").click()
    await reader.log_in(tech, password)
    await reader.go(f"/slices/{SLICE}")
    await reader.sees(".figures .wanted dd")
    assert await reader.page.get_by_role("button", name="Set plan").count() == 0
    status = await reader.page.evaluate(
        """async () => (await fetch("/v1/slices/my_slice/plan", {method: "PUT",
            headers: {authorization: `Bearer ${sessionStorage.getItem("dsmt.session")}`,
                      "content-type": "application/json"},
            body: JSON.stringify({plan: "all_nodes"})})).status"""
    )
    assert status == 403


async def test_a_crowd_stays_usable(tmp_path: Path) -> None:
    async with (
        crowd(tmp_path / "planner", nodes=NODES, admin=ADMIN, password=PASSWORD) as shown,
        reading(shown.url) as reader,
    ):
        await reader.log_in(ADMIN, PASSWORD)
        await reader.counts("fine", NODES)
        for host in shown.hosts[:7]:
            shown.judge(host, NodeState.FAILED)
        shown.say(shown.hosts[7], State.FAILED, reason="exit code 3")
        await reader.counts("failed", 8)
        await reader.sees(".wrong", "exit code 3")
        await reader.picture("crowd-map")
        for view in ("Grid", "List"):
            await reader.page.get_by_role("tab", name=view).click()
            await reader.picture(f"crowd-{view.lower()}")
        await _is_for_keyboards_and_screen_readers(reader)
        await reader.page.keyboard.press("/")
        await reader.page.keyboard.type("node7.")
        await reader.sees("table.nodes", shown.hosts[7])
        await reader.page.get_by_role("link", name=shown.hosts[7]).first.click()
        await reader.sees("h1", shown.hosts[7])
        # The link has gone with its page, and the keyboard goes on with the content.
        await expect(reader.page.locator("#main")).to_be_focused()
        await reader.sees(".problems", "exit code 3")
        # What the planner passes on and nobody can see, the page shows.
        hidden = {"\x1b[31m": "\u241b[31m", "a\u202eb": "a[U+202E]b", "\ufeff\u200b": "[U+FEFF][U+200B]"}
        said = await reader.page.evaluate(
            "async (texts) => texts.map((await import('/view/words.js')).plain)",
            list(hidden),
        )
        assert said == list(hidden.values())
        assert await reader.page.evaluate(_GONE_THROUGH) == []
        assert await reader.page.evaluate(_FALLS) == ["b", "a", "c", 2, 8]
        assert reader.complaints == []


async def _is_for_keyboards_and_screen_readers(reader: Reader) -> None:
    """Whatever can be used has a name, and the tabs obey arrows."""
    unnamed = await reader.page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, select, canvas")].filter((one) => {
            const label = one.labels?.length ? one.labels[0].textContent : "";
            return !(one.getAttribute("aria-label") || one.textContent || label || one.title).trim();
        }).map((one) => one.outerHTML)"""
    )
    assert unnamed == []
    await reader.page.get_by_role("tab", name="List").focus()
    await reader.page.keyboard.press("ArrowRight")
    await reader.sees(reader.page.get_by_role("tab", name="Map", selected=True))
    await reader.page.get_by_role("tab", name="Map").press("ArrowLeft")
    await reader.sees(reader.page.get_by_role("tab", name="List", selected=True))
    for keys, heading in (("gs", "Slices"), ("?", "Help"), ("gf", "Fleet")):
        await reader.page.keyboard.type(keys)
        await reader.sees(reader.page.get_by_role("heading", name=heading, exact=True, level=1))
    await reader.page.get_by_role("tab", name="List").click()
