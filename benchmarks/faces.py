"""How long do people wait? ``python -m benchmarks.faces --json``: whole commands, to their end.

``help_ms``, ``status_ms`` (1,000 hosts, a token that is kept), ``ping_20_s`` and ``ping_100_s`` (until
every agent's answer is printed) are medians of processes. Pings go to a planner and a RabbitMQ of their own
with a swarm (`lab.swarm`: the real agents, in bodies that only pretend); ``api_status_per_s`` is asked of
the same planner over one kept connection, about 100 hosts. The status of 1,000 hosts is computed by the
planner's own code for each request, over a fleet that was never there (`faces_rig`); ``summary_ms`` is that
alone.

The figures of the page (``viewer_…``) are those of `benchmarks.viewer`; ``viewer_fps`` is the worse of map
and grid. ``--no-viewer`` leaves them out.

Times are of the wall, so what the machine does besides counts: ``load1`` tells. The ``_cpu_ms`` of a
command are those that it takes of a processor itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.faces_rig import Face
from dsmtc.client import Client
from lab.swarm.lines import SHARED, check_descriptors
from lab.swarm.trial import SLICE, Size, Trial

NODES: Final = 100
HOSTS: Final = 1_000
TIMES: Final = 7
WITHIN_S: Final = 900.0
ASKING_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Took:
    """One command: seconds of the wall, and of a processor."""

    wall_s: float
    cpu_s: float


class Person:
    """Somebody with a home of their own, who types commands.

    Args:
        home: where the login is kept.
        environment: of the commands.
    """

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith("DSMT_")}
        self._environment = {**own, "HOME": str(home), **environment}

    def typed(self, *words: str) -> Took:
        """One command.

        Raises:
            SystemExit: it failed.
        """
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "dsmtc.main", *words],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise SystemExit(f"dsmtc {' '.join(words)}: {done.stderr or done.stdout}")
        return Took(wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    async def median(self, *words: str) -> Took:
        """The medians of several; the first, whose files come from the disk, is not among them."""
        await asyncio.to_thread(self.typed, *words)
        took = [await asyncio.to_thread(self.typed, *words) for _ in range(TIMES)]
        return Took(
            statistics.median(one.wall_s for one in took), statistics.median(one.cpu_s for one in took)
        )


async def measure(home: Path, nodes: int, hosts: int) -> dict[str, Any]:
    """All figures of one run."""
    figures: dict[str, Any] = {"nodes": nodes, "hosts": hosts}
    figures |= await _shown(home, hosts)
    trial = Trial(home / "trial", Size(nodes=nodes, instances=nodes, connections=SHARED))
    (home / "trial").mkdir()
    try:
        await trial.start()
        await trial.connect()
        await trial.deploy(WITHIN_S)
        counts = [count for count in (20, 100) if count <= nodes]
        await asyncio.to_thread(_prepare, trial, counts)
        person = Person(home, {"DSMT_PLANNER": trial.scene.planner_url, "DSMT_SLICE": SLICE})
        who = trial.scene.scenery
        await asyncio.to_thread(person.typed, "login", "--user", who.admin, "--password", who.password)
        for count in counts:
            took = await person.median("ping", f"only{count}")
            figures[f"ping_{count}_s"] = round(took.wall_s, 3)
            figures[f"ping_{count}_cpu_ms"] = round(took.cpu_s * 1000)
        figures["api_status_per_s"] = round(await asyncio.to_thread(_asked, trial), 1)
        return figures
    finally:
        await trial.stop()


async def _shown(home: Path, hosts: int) -> dict[str, Any]:
    """Commands that need a planner's words and no agents."""
    face = Face(hosts)
    try:
        told = {"DSMT_PLANNER": face.url, "DSMT_TOKEN": "a token that is kept"}
        person = Person(home, {**told, "DSMT_SLICE": "bench"})
        figures = _in_ms("help", await person.median("--help"))
        figures |= _in_ms("status", await person.median("status"))
        return figures | {"summary_ms": round(statistics.median(face.timed() for _ in range(5)) * 1000)}
    finally:
        face.close()


def _prepare(trial: Trial, counts: Sequence[int]) -> None:
    with trial.scene.client() as client:
        for count in counts:
            client.define_plan(SLICE, f"only{count}", "limit", {"parent": "well", "count": str(count)})


def _in_ms(name: str, took: Took) -> dict[str, int]:
    return {f"{name}_ms": round(took.wall_s * 1000), f"{name}_cpu_ms": round(took.cpu_s * 1000)}


def _asked(trial: Trial) -> float:
    """How many statuses the planner tells in a second, one after the other."""
    with trial.scene.client() as client:
        client.status(SLICE)
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < ASKING_S:
            _told(client, SLICE)
            count += 1
        return count / (time.perf_counter() - began)


def _told(client: Client, slice_: str) -> None:
    # Whether the answer has its form is not looked at: that is the command's time, not the planner's.
    client.transport.request("GET", f"/v1/slices/{slice_}/status", token=client.token, shape=object)


def _viewed() -> dict[str, Any]:
    """The figures of the page."""
    from benchmarks import viewer  # noqa: PLC0415 - it needs Playwright, which the others do not

    measured = asyncio.run(viewer.measure())
    figures = {name: value for name, value in measured.items() if name not in {"nodes", "load1"}}
    return figures | {"viewer_fps": min(figures["viewer_fps_map"], figures["viewer_fps_grid"])}


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="for other benchmarks' sake; it is always JSON")
    parser.add_argument("--no-viewer", action="store_true", help="without the page, which needs Chromium")
    parser.add_argument("--nodes", type=int, default=NODES, help="of the swarm")
    parser.add_argument("--hosts", type=int, default=HOSTS, help="of the slice whose status is shown")
    options = parser.parse_args()
    check_descriptors(options.nodes, SHARED)
    with tempfile.TemporaryDirectory(prefix="dsmt-bench-") as home:
        figures = asyncio.run(measure(Path(home), options.nodes, options.hosts))
    if not options.no_viewer:
        figures |= _viewed()
    print(json.dumps({"load1": round(os.getloadavg()[0], 1), **figures}))


if __name__ == "__main__":
    main()
