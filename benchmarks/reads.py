"""What does a read cost a planner with ten thousand nodes? ``python -m benchmarks.reads --json``.

A planner that shows a crowd (`lab.crowd`) with a day of its past, and a client in another process that asks
one thing after the other. For each: ``ms`` until the answer is there (median), ``cpu_ms`` that the
planner's process took of a processor, ``mb`` over the wire, and ``piece_ms``: for how long the event loop
was busy in one piece at most, of a processor, which is how late a heartbeat or another person is heard.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import http.client
import json
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from dsmt_core.names import Account, Slice
from dsmtc.client import Client, Credentials
from lab.crowd import SLICE, Crowd, crowd
from planner import collector
from planner.past import Passage
from planner.store import past, slices
from planner.store.nodes import Joined
from planner.store.slices import NewSlice

ADMIN, PASSWORD = "pi@example.com", "of the bench alone"
NODES: Final = 10_000
CHANGES: Final = 80_000
TIMES: Final = 5
_DAY_S: Final = 86_400.0
_PARTS: Final = {
    "container": "running",
    "agent": "running",
    "application:pinger": "running",
    "version:pinger": "1.8-1",
    "wanted:pinger": "running",
}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reads", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--nodes", type=int, default=NODES)
    parser.add_argument("--gzip", action="store_true", help="ask for answers that are compressed")
    parser.add_argument("--only", default="", help="what has this in its name")
    options = parser.parse_args()
    collector.rest()
    figures = asyncio.run(measure(options.nodes, options.only, packed=options.gzip))
    print(json.dumps(figures, indent=None if options.json else 2))


async def measure(nodes: int, only: str = "", *, packed: bool = False) -> dict[str, Any]:
    """Each call's figures, by its name."""
    figures: dict[str, Any] = {"crowd": nodes, "load1": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as home, ProcessPoolExecutor(1, get_context("spawn")) as person:
        async with crowd(Path(home), nodes=nodes, admin=ADMIN, password=PASSWORD) as shown:
            await _fill(shown)
            collector.work()
            token = await asyncio.to_thread(_token, shown.url)
            for name, (method, path, body) in _calls(shown).items():
                if only in name:
                    asked = (shown.url, token, method, path, body, packed)
                    figures[name] = await _one(person, asked)
    return figures


def _calls(shown: Crowd) -> dict[str, tuple[str, str, str]]:
    now, host = time.time(), shown.hosts[0]
    since = f"since={now - _DAY_S}"
    chosen = json.dumps({"plan": "limit", "parameters": {"parent": "all_nodes", "count": "5000"}})
    return {
        "status": ("GET", f"/v1/slices/{SLICE}/status", ""),
        "slice": ("GET", f"/v1/slices/{SLICE}", ""),
        "slices": ("GET", "/v1/slices", ""),
        "nodes": ("GET", "/v1/nodes", ""),
        "nodes_where": ("GET", "/v1/nodes?where=cpus%3E3", ""),
        "node": ("GET", f"/v1/nodes/{host}", ""),
        "fleet": ("GET", "/v1/fleet", ""),
        "preview": ("POST", f"/v1/slices/{SLICE}/plan/preview", chosen),
        "evaluate": ("POST", f"/v1/slices/{SLICE}/plans/eval", chosen),
        "standings": ("GET", "/v1/standings", ""),
        "channels": ("GET", "/v1/channels", ""),
        "checkup": ("GET", "/v1/checkup", ""),
        "node_names": ("GET", "/v1/nodes?names=1", ""),
        "past_of_a_node": ("GET", f"/v1/past/changes?{since}&host={host}", ""),
        "past_fleet": ("GET", f"/v1/past/fleet?at={now - _DAY_S / 2}", ""),
        "past_changes": ("GET", f"/v1/past/changes?{since}", ""),
        "past_series": ("GET", f"/v1/past/series?{since}", ""),
        "past_availability": ("GET", f"/v1/past/availability?{since}", ""),
        "past_course": ("GET", f"/v1/past/course?{since}&slice={SLICE}&application=pinger", ""),
        "events": ("GET", "/v1/events?count=1000", ""),
        "health": ("GET", "/v1/health", ""),
    }


async def _fill(shown: Crowd) -> None:
    database = shown.planner.database
    for host in shown.hosts:
        shown.planner.nodes._joined[host] = Joined(host, "", "", time.time())  # noqa: SLF001 - as lab.crowd
    await database.write(slices.make, NewSlice(slice=SLICE, owner=Account(ADMIN)))
    await database.write(past.append, [*_passages(shown)], time.time())


def _passages(shown: Crowd) -> list[Passage]:
    begun = time.time() - 2 * _DAY_S
    found = []
    for host in shown.hosts:
        found.append(Passage(begun, host, Slice(""), "node", "alive"))
        for part, state in (
            ("container", "running"),
            ("agent", "running"),
            ("application:pinger", "running"),
        ):
            found.append(Passage(begun, host, SLICE, part, state))
        found.append(Passage(begun, host, SLICE, "version:pinger", "1.8-1"))
        found.append(Passage(begun, host, SLICE, "wanted:pinger", "running"))
    step = _DAY_S / CHANGES
    for number in range(CHANGES):
        host = shown.hosts[number * 7 % len(shown.hosts)]
        state = "failed" if number // len(shown.hosts) % 2 else "running"
        found.append(Passage(begun + _DAY_S + number * step, host, SLICE, "application:pinger", state))
    return found


async def _one(person: ProcessPoolExecutor, asked: tuple[str, str, str, str, str, bool]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(person, ask, asked)
    with _Watched() as watched:
        took = [await loop.run_in_executor(person, ask, asked) for _ in range(TIMES)]
    return {
        "ms": round(statistics.median(wall for wall, _, _ in took) * 1000, 1),
        "cpu_ms": round(watched.cpu_s / TIMES * 1000, 1),
        "mb": round(took[0][1] / 1e6, 3),
        "piece_ms": round(watched.piece_s * 1000, 1),
        "status": took[0][2],
    }


class _Watched:
    """What the process did, and the longest piece of its event loop, while the block lasts."""

    def __enter__(self) -> Self:
        self.piece_s, self._run = 0.0, asyncio.Handle._run  # noqa: SLF001 - there is no other hook
        watched, run = self, self._run

        def timed(handle: asyncio.Handle) -> None:
            began = time.thread_time()
            run(handle)
            watched.piece_s = max(watched.piece_s, time.thread_time() - began)

        asyncio.Handle._run = timed  # type: ignore[method-assign, assignment]  # noqa: SLF001
        self.cpu_s = -time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu_s += time.process_time()
        asyncio.Handle._run = self._run  # type: ignore[method-assign]  # noqa: SLF001


def ask(asked: tuple[str, str, str, str, str, bool]) -> tuple[float, int, int]:
    """One request, in a process of its own: seconds, bytes, status."""
    url, token, method, path, body, packed = asked
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    began = time.perf_counter()
    connection.request(
        method, path, body.encode() or None, headers | ({"Accept-Encoding": "gzip"} if packed else {})
    )
    answer = connection.getresponse()
    content = answer.read()
    took = time.perf_counter() - began
    if answer.headers.get("content-encoding") == "gzip":
        gzip.decompress(content)
    connection.close()
    return took, len(content), answer.status


def _token(url: str) -> str:
    with Client(url, Credentials(ADMIN, PASSWORD)) as client:
        return str(client.login()["token"])


if __name__ == "__main__":
    main()
