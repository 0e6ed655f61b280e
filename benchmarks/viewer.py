"""Is the page fast with ten thousand nodes? ``python -m benchmarks.viewer --json``: in Debian's Chromium.

A planner that shows a crowd (`lab.crowd`), and one tab without a GPU on the same machine.
``viewer_10000_first_paint_s``: from loading the address, logged in, until every node is on the map.
``viewer_event_to_screen_ms``: from the event's arrival in the planner until the page shows it (changes are
gathered for 200 ms); median, and the worst. ``viewer_fps_map`` and ``_grid``: frames a second while 500
events/s arrive, with the longest frame. ``feed_snapshot_s`` and ``_mb``: everything, over HTTP alone;
``feed_wire_mb``: as it travels, compressed.
``planner_cpu_percent``: what the planner's process takes meanwhile, with its crowd.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx
from playwright.async_api import Page, expect

from dsmt_core.lifecycle import State
from lab.crowd import Crowd, crowd
from tests.e2e.reader import LACKING, Reader, reading

NODES: Final = 10_000
EVENTS: Final = 500.0
TIMES: Final = 15
ADMIN, PASSWORD = "pi@example.com", "of the bench alone"
_FRAMES: Final = """() => new Promise((done) => {
  let frames = 0, longest = 0, last = performance.now();
  const begun = last;
  requestAnimationFrame(function frame(now) {
    frames += 1;
    longest = Math.max(longest, now - last);
    last = now;
    if (now - begun > 5000) done([1000 * frames / (now - begun), longest]);
    else requestAnimationFrame(frame);
  });
})"""
# When the number of failed nodes on the screen changes next: milliseconds since the epoch.
_NEXT: Final = """() => { window.seen = new Promise((done) => {
  const watch = new MutationObserver(() => {
    watch.disconnect();
    requestAnimationFrame(() => done(Date.now()));
  });
  const failed = document.querySelector("button.kind.failed b");
  watch.observe(failed, { characterData: true, childList: true, subtree: true });
}); }"""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.viewer", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--nodes", type=int, default=NODES)
    arguments = parser.parse_args()
    if LACKING:
        raise SystemExit(LACKING)
    figures = asyncio.run(measure(arguments.nodes))
    print(json.dumps(figures, indent=None if arguments.json else 2))


async def measure(nodes: int = NODES) -> dict[str, Any]:
    """All figures of the page."""
    with tempfile.TemporaryDirectory() as home:
        async with (
            crowd(Path(home), nodes=nodes, admin=ADMIN, password=PASSWORD) as shown,
            reading(shown.url) as reader,
        ):
            figures: dict[str, Any] = {"nodes": nodes, "load1": os.getloadavg()[0]}
            figures |= await _snapshot(shown)
            await reader.log_in(ADMIN, PASSWORD)
            figures[f"viewer_{nodes}_first_paint_s"] = await _first_paint(reader, nodes)
            figures |= await _event_to_screen(reader.page, shown)
            return figures | await _frames(reader.page, shown)


async def _snapshot(shown: Crowd) -> dict[str, float]:
    async with httpx.AsyncClient(base_url=shown.url, trust_env=False, timeout=60) as client:
        told = await client.post("/v1/login", json={"account": ADMIN, "password": PASSWORD})
        headers = {"authorization": f"Bearer {told.json()['token']}"}
        begun = time.perf_counter()
        answer = await client.get("/v1/fleet", headers=headers)
        taken = time.perf_counter() - begun
    return {
        "feed_snapshot_s": round(taken, 3),
        "feed_snapshot_mb": round(len(answer.content) / 1e6, 2),
        "feed_wire_mb": round(answer.num_bytes_downloaded / 1e6, 2),
    }


async def _first_paint(reader: Reader, nodes: int) -> float:
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        await reader.page.reload()
        await expect(reader.page.locator(".tabs .quiet")).to_have_text(f"{nodes:,} nodes")
        taken.append(time.perf_counter() - begun)
    return round(statistics.median(taken), 2)


async def _event_to_screen(page: Page, shown: Crowd) -> dict[str, float]:
    taken = []
    for number in range(TIMES):
        await page.evaluate(_NEXT)
        # At any moment of the gathering.
        await asyncio.sleep(0.3 + 0.2 * number / TIMES)
        begun = time.time()
        shown.say(shown.hosts[number], State.FAILED, reason="it was asked to")
        taken.append(await page.evaluate("() => window.seen") - begun * 1000)
    return {
        "viewer_event_to_screen_ms": round(statistics.median(taken)),
        "viewer_event_to_screen_worst_ms": round(max(taken)),
    }


async def _frames(page: Page, shown: Crowd) -> dict[str, float]:
    changing = asyncio.create_task(shown.change(EVENTS))
    used, begun = time.process_time(), time.perf_counter()
    figures: dict[str, float] = {}
    for view in ("map", "grid"):
        await page.locator(f"#tab-{view}").click()
        fps, longest = await page.evaluate(_FRAMES)
        figures |= {f"viewer_fps_{view}": round(fps, 1), f"viewer_longest_frame_{view}_ms": round(longest)}
    cpu = (time.process_time() - used) / (time.perf_counter() - begun)
    changing.cancel()
    return figures | {"planner_cpu_percent": round(100 * cpu)}


if __name__ == "__main__":
    main()
