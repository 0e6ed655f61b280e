"""Somebody who looks at the planner's page: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from playwright.async_api import Locator, Page, async_playwright, expect

from planner.viewer.assets import FETCHED

CHROMIUM: Final = shutil.which("chromium")
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PICTURES: Final = Path("build/viewer")
WITHIN_MS: Final = 60_000.0
# A page's default is for its acts only.
expect.set_options(timeout=WITHIN_MS)
# At home it is a reason to leave the page untried; where the project is checked nothing may be missing.
LACKING: Final = (
    ""
    if os.environ.get("CI") or (CHROMIUM and FETCHED.exists())
    else "the page's assets are not fetched"
    if CHROMIUM
    else "chromium is not installed"
)


class Reader:
    """One tab.

    Attributes:
        page: of Playwright.
        complaints: what the browser complained of: errors, and what the page's policy forbade.
        dialogs: what a script asked; on our pages none ever does.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.dialogs: list[str] = []
        self._url = url
        page.set_default_timeout(WITHIN_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._complains(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: self.dialogs.append(dialog.message))

    def _complains(self, text: str) -> None:
        # What the planner refuses, the browser tells, too.
        if not text.startswith("Failed to load resource"):
            self.complaints.append(text)

    async def log_in(self, account: str, password: str, role: str = "") -> None:
        """Through the form, as people do."""
        await self.page.goto(f"{self._url}/view/")
        await self.page.get_by_label("Account").fill(account)
        await self.page.get_by_label("Password").fill(password)
        if role:
            await self.page.get_by_label("Role").select_option(role)
        await self.page.get_by_role("button", name="Log in").click()
        await self.sees(self.page.get_by_role("status").get_by_text("live", exact=True))

    async def go(self, where: str) -> None:
        """To a page, by its address."""
        await self.page.goto(f"{self._url}/view/#{where}")

    async def sees(self, what: Locator | str, text: str = "") -> None:
        """Wait until something is there, with a text."""
        locator = self.page.locator(what) if isinstance(what, str) else what
        if text:
            await expect(locator).to_contain_text(text, timeout=WITHIN_MS)
        else:
            await expect(locator.first).to_be_visible(timeout=WITHIN_MS)

    async def counts(self, kind: str, number: int) -> None:
        """Wait until so many nodes are of a kind."""
        await self.sees(f"button.kind.{kind} b", f"{number:,}")

    async def picture(self, name: str) -> None:
        """Keep what is seen as build output."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=PICTURES / f"{name}.png")


@asynccontextmanager
async def reading(url: str, *, width: int = 1400, height: int = 860) -> AsyncIterator[Reader]:
    """A browser with one empty tab, until the block ends."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            page = await browser.new_page(viewport={"width": width, "height": height})
            yield Reader(page, url)
        finally:
            await browser.close()
