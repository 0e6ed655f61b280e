"""What a reader does on the planner's page: each act is foreseen, confirmed, and in the audit log."""

from __future__ import annotations

from typing import Final

from playwright.async_api import expect

from tests.e2e.application import App
from tests.e2e.reader import WITHIN_MS, Reader
from tests.e2e.stage import Stage

ACTS: Final = (
    *(
        "application.stop",
        "application.start",
        "application.restart",
        "plan.put",
        "plan.put",
        "plan.delete",
    ),
    *("slice.budget", "rollout.start", "rollout.pause", "rollout.promote", "rollout.abort"),
    *("node.cordon", "node.uncordon", "node.drain", "node.cancel-drain", "node.exclude", "node.include"),
)


async def act(
    reader: Reader, button: str, foreseen: str, *, confirm: str = "", said: str = "", **fields: str
) -> None:
    """Press a button, fill in fields, see what it would do, confirm it, and see what was done.

    Args:
        reader: on the page that has the button.
        button: its name.
        foreseen: what is told before.
        confirm: the button of the dialog; by default of the same name.
        said: what is told afterwards.
        fields: what is written into the fields, by their labels; an underscore is a space.
    """
    dialog = reader.page.get_by_role("dialog")
    await reader.page.get_by_role("button", name=button, exact=True).first.click()
    for label, text in fields.items():
        field = dialog.get_by_label(label.replace("_", " "), exact=True)
        if await field.evaluate("(one) => one.tagName") == "SELECT":
            await field.select_option(text)
        else:
            await field.fill(text)
    await reader.sees(dialog.locator(".foreseen"), foreseen)
    await dialog.get_by_role("button", name=confirm or button, exact=True).click()
    await expect(dialog).to_be_hidden(timeout=WITHIN_MS)
    await reader.sees(reader.page.locator(".notes p").last, said)


async def applications(stage: Stage, reader: Reader, slice_: str) -> None:
    """Stop, start, restart; on all nodes and with what it means."""
    await reader.go(f"/slices/{slice_}")
    await act(reader, "Stop", "3 running instances of XYZ end", said="ordered on 3 nodes")
    await reader.sees(".application .kind.out >> nth=0", "stopped")
    await stage.until(lambda status: status["running"] == 0, slice_)
    await act(reader, "Start", "3 instances to begin, 0 run already", said="ordered on 3 nodes")
    await stage.until(lambda status: status["running"] == 3, slice_)
    await reader.sees(".figures .running dd", "3")
    await act(reader, "Restart", "3 running instances of XYZ end and begin anew", said="ordered on 3 nodes")


async def roll_outs(stage: Stage, reader: Reader, slice_: str, app: App) -> None:
    """One that waits after its first host, is paused, promoted and at last taken back."""
    page = reader.page
    await stage.until(lambda status: status["running"] == 3, slice_)
    await stage.put(slice_, app)
    await reader.go(f"/slices/{slice_}")
    patience = {"Seconds_healthy_before_the_next": "200"}
    begin = {"confirm": "Start roll-out", "said": "has begun", "Waves": "1 100%", **patience}
    await act(reader, "Roll out …", "3 nodes get 1.9-1 instead of 1.8-1, in 2 waves", **begin)
    panel = page.get_by_role("region", name="Roll-out of XYZ")
    await reader.sees(panel, "1 of 3 nodes have it")
    await act(reader, "Pause", "No further node is told", said="paused")
    await act(reader, "Promote", "The next wave begins now", said="the roll-out of XYZ")
    await reader.sees(panel, "3 of 3 nodes have it, 3 run it")
    await act(reader, "Abort", "The nodes that have 1.9-1 get 1.8-1 again", said="the roll-out of XYZ")
    await reader.sees(panel, "aborted")
    await reader.sees(".application .quiet >> nth=0", "1.8-1")
    await stage.until(lambda status: status["running"] == 3, slice_)
    await page.get_by_role("link", name="host by host").click()
    await reader.sees(".waterfall", "3 got 1.9-1")
    await expect(page.locator(".scene [role=listitem]")).to_have_count(3)
    await reader.picture("rollout")


async def plans(reader: Reader, slice_: str) -> None:
    """One is defined, refused with the place of its mistake, changed and deleted; and the budget."""
    page = reader.page
    dialog = page.get_by_role("dialog")
    await reader.go(f"/slices/{slice_}")
    await page.get_by_role("button", name="New plan").click()
    await dialog.get_by_label("Name", exact=True).fill("near")
    await reader.sees(dialog.get_by_role("alert"), "a function has this name")
    await dialog.get_by_label("Made of", exact=True).select_option("where")
    await dialog.get_by_label("Name", exact=True).fill("asia")
    await dialog.get_by_label("expr", exact=True).fill("lat > > 3")
    await reader.sees(dialog.locator("pre.place"), "lat > > 3\n")
    await page.keyboard.press("Escape")
    made = {"Name": "asia", "Made_of": "where", "expr": "lon > 100"}
    await act(reader, "New plan", "Nothing moves", confirm="Define plan", said="is defined", **made)
    await act(reader, "Change", "Nothing moves", confirm="Change plan", said="is defined", expr="lon > 90")
    await reader.sees("li.plan", 'where expr="lon > 90"')
    await act(reader, "Delete", "Its definition goes", confirm="Delete plan", said="is deleted")
    await expect(page.locator("li.plan")).to_have_count(0)
    # Otherwise a host that has not proved well yet holds back the others.
    free = {"confirm": "Set budget", "said": "is max-unavailable 100%", "Budget": "max-unavailable 100%"}
    await act(reader, "Change budget", "at least 0", **free)


async def standings(reader: Reader, host: str) -> None:
    """A node out of service and back, in each way."""
    page = reader.page
    dialog = page.get_by_role("dialog")
    why = {"Why_(for_the_others)": "a disk <b>"}
    await reader.go(f"/nodes/{host}")
    await act(reader, "Cordon", "What runs there stays", said="cordoned", **why)
    await reader.sees(".head .kind", "Out of service")
    await act(reader, "End the cordon", "may place there again", said="in service")
    await act(reader, "Drain", "XYZ (my_slice)", said="drain", **why)
    await act(reader, "End the drain", "may place there again", said="in service")
    await page.get_by_role("button", name="Exclude", exact=True).click()
    await reader.sees(dialog.locator(".foreseen"), "First say why.")
    await expect(dialog.get_by_role("button", name="Exclude")).to_be_disabled()
    await page.keyboard.press("Escape")
    await act(reader, "Exclude", "It is in no plan", said="excluded", **why)
    await act(reader, "Include", "may place there again", said="in service")


async def noted(stage: Stage, since: int) -> int:
    """All of it, and nothing else, is in the audit log; how many entries that has.

    Args:
        stage: where the page is.
        since: how many it had before.
    """
    entries = await stage.ask(lambda client: client.audit({"limit": "1000"}))
    acts = [one["act"] for one in entries if one["outcome"] == "done"]
    told = tuple(one for one in acts[since:] if one not in {"login", "package.put"})
    assert not since or told == ACTS
    return len(acts)
