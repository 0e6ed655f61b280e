"""Each page, whatever it shows: text stays text, nothing is wider than a phone, all has a name."""

from __future__ import annotations

from typing import Any, Final

from tests.e2e.reader import Reader

EVIL: Final = "<img src=x onerror=alert(1)>\x1b[31m\u202eevil\u2066" + "y" * 2_000
# What is wrong with a page, as texts.
_FAULTS: Final = """() => {
    const faults = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) faults.push(`it is ${root.scrollWidth} pixels wide`);
    if (document.querySelector("[onerror], img[src=x], main script")) faults.push("a text became markup");
    if (/[\\u202e\\u2066\\u001b]/.test(root.textContent)) faults.push("a text commands");
    if (document.querySelectorAll("h1").length !== 1) faults.push("it has not one heading");
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    if (new Set(ids).size !== ids.length) faults.push("an id stands twice");
    for (const one of document.querySelectorAll("button, a, input, select, textarea, canvas, svg[role]")) {
        const label = one.labels?.length ? one.labels[0].textContent : "";
        const name = one.getAttribute("aria-label") || one.textContent || label || one.title;
        // A picture that has a name has no parts.
        if (name.trim() || one.closest("[role=img][aria-label]")) continue;
        faults.push(`no name: ${one.outerHTML}`);
    }
    return faults;
}"""
_DRAWN: Final = "() => document.querySelector('canvas.map').toDataURL()"


async def each_page(reader: Reader, pages: list[tuple[str, str]]) -> None:
    """Look at each page in the light on a desk, and in the dark on a phone.

    Args:
        reader: logged in.
        pages: addresses, each with what tells that it is there, as a selector.
    """
    wide = reader.page.viewport_size
    for size, scheme in ((wide, "light"), ({"width": 375, "height": 740}, "dark")):
        await reader.page.set_viewport_size(size)  # type: ignore[arg-type]
        await reader.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for where, there in pages:
            await reader.go(where)
            # What is seen is this page, and not the one before.
            await reader.page.reload()
            await reader.sees(there)
            faults = await reader.page.evaluate(_FAULTS)
            assert not faults, (where, size, faults)
    await reader.page.emulate_media(color_scheme="light")
    await reader.go("/fleet")
    await _is_pinched(reader)
    await reader.page.set_viewport_size(wide)  # type: ignore[arg-type]


async def _is_pinched(reader: Reader) -> None:
    """Two fingers zoom the map, and not the page."""
    await reader.sees("canvas.map")
    await reader.page.locator("canvas.map").scroll_into_view_if_needed()
    box: Any = await reader.page.locator("canvas.map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = await reader.page.evaluate(_DRAWN)
    browser = await reader.page.context.new_cdp_session(reader.page)
    for kind, apart in (("touchStart", 20), ("touchMove", 40), ("touchMove", 90)):
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        await browser.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    await browser.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await reader.page.wait_for_function(f"(before) => ({_DRAWN})() !== before", arg=before)
    assert await reader.page.evaluate("() => window.visualViewport.scale") == 1
    await browser.detach()
