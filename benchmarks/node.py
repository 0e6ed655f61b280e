"""What does a node cost, and how fast is it? ``python -m benchmarks.node --json [--slivers 100]``.

Real RabbitMQ, `dsmt-node`, bubblewrap, agents and rpm; a planner of a few lines gives the orders
(`benchmarks.node_rig`). Figures:

* ``container_manager_rss_mb``: connected, with ten slivers, after packages were fetched;
* ``agent_uss_mb``: memory of each agent's own, median, with ten slivers; ``agent_uss_most_mb``,
  ``init_uss_mb`` (of the sliver's first process) and ``sliver_uss_mb`` (all that a sliver costs);
  ``fork_server_rss_mb``: what their agents are forked from, once for all of them;
* ``sliver_start_ms``: from the order to the container's ``running`` as the planner hears it, one by one;
* ``install_ms``: from the order to ``initialized`` of a cached package and its wrapper; ``plain_ms``: a
  script's bubblewrap and `rpm -i` of the same; ``install_over_ms``: the difference of the medians;
* ``slivers_100_s``: ordered at once, until all their agents run; ``slivers_cpu_s``: what of the processor
  DSMT's processes that live by then have taken since they began, whatever else the machine had to do;
* ``idle_cpu_percent``: of one core, by all processes of DSMT, then; nothing happens but periodic words;
* ``idle_applications_cpu_percent``: with an application in each sliver, whose status script is called;
* ``adopt_ms``: the manager is killed; from its next start until it has said what it holds, all of it alive;
* memory of ``salt_minion``, ``mcollectived`` and ``serf``, None where they are not installed.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import statistics
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import psutil

from agents.forks.main import OWN_NAME
from agents.sliver_init.census import APPLICATION_MARK
from benchmarks import node_peers
from benchmarks.node_processes import below, in_pid_namespace_of, processor_s, rss_mb, uss_mb
from benchmarks.node_rig import Rig
from broker.server.private import PrivateBroker
from depot.rpmgen.making import Wish, make
from dsmt_core.commands import Verb
from dsmt_core.lifecycle import State
from dsmt_core.names import CONTAINER, DEPLOYMENT_AGENT, Application, Slice
from dsmt_core.packages import PackageRef

_PERIOD_S: Final = 60.0
_SETTLES_S: Final = 5.0
_APPLICATION: Final = Application("bench")
_SCRIPTS: Final = {
    "start": "sleep 100000 & echo $! > /app/pid",
    "stop": "kill $(cat /app/pid)",
    "status": "kill -0 $(cat /app/pid) 2>/dev/null && echo ok && exit 0; exit 3",
}


class Trial:
    """One run over one node."""

    def __init__(self, rig: Rig, packages: Sequence[PackageRef]) -> None:
        self._rig = rig
        self._packages = tuple(packages)

    async def few(self, count: int) -> dict[str, Any]:
        """Some slivers one by one, an application in each, and their memory."""
        rig, slices = self._rig, [Slice(f"few{number}") for number in range(count)]
        starts = [await self._start(slice_) for slice_ in slices]
        for slice_ in slices:
            await rig.state(slice_, DEPLOYMENT_AGENT, State.RUNNING)
        # The first package comes from the depot, the others out of the node's cache.
        installs = [await self._install(slice_) for slice_ in slices]
        contents = [(ref, rig.depot.packages[ref.digest]) for ref in self._packages]
        plain = [await asyncio.to_thread(node_peers.plain_ms, contents) for _ in slices]
        await asyncio.sleep(_SETTLES_S)
        assert rig.process is not None  # noqa: S101 - it runs
        install_ms, plain_ms = statistics.median(installs[1:]), statistics.median(plain)
        figures = {
            "container_manager_rss_mb": round(rss_mb(rig.process.pid), 1),
            **await asyncio.to_thread(_memory, rig),
            "sliver_start_ms": round(statistics.median(starts), 1),
            "install_ms": round(install_ms, 1),
            "plain_ms": round(plain_ms, 1),
            "install_over_ms": round(install_ms - plain_ms, 1),
        }
        for slice_ in slices:
            await rig.sliver(Verb.DELETE, slice_, 2)
        for slice_ in slices:
            await rig.state(slice_, CONTAINER, State.TERMINATED)
        return figures

    async def many(self, count: int, idle_s: float) -> dict[str, Any]:
        """So many slivers at once, at rest without and with applications, and after a crash."""
        rig, slices = self._rig, [Slice(f"many{number}") for number in range(count)]
        for slice_ in slices:
            await rig.declare(slice_)
        before = processor_s(await asyncio.to_thread(_everything, rig))
        began = time.perf_counter()
        for slice_ in slices:
            await rig.sliver(Verb.CREATE, slice_, 1)
        ends = [await rig.state(slice_, DEPLOYMENT_AGENT, State.RUNNING) for slice_ in slices]
        figures: dict[str, Any] = {"slivers": count, "slivers_100_s": round(max(ends) - began, 2)}
        figures["slivers_cpu_s"] = round(processor_s(await asyncio.to_thread(_everything, rig)) - before, 1)
        figures["idle_cpu_percent"] = await self._idle(idle_s)
        for slice_ in slices:
            await self._install(slice_)
        for slice_ in slices:
            await rig.state(slice_, _APPLICATION, State.RUNNING)
        figures["idle_applications_cpu_percent"] = await self._idle(idle_s)
        figures["adopt_ms"] = round(await self._adopt(slices), 1)
        return figures

    async def _start(self, slice_: Slice) -> float:
        await self._rig.declare(slice_)
        began = await self._rig.sliver(Verb.CREATE, slice_, 1)
        return (await self._rig.state(slice_, CONTAINER, State.RUNNING) - began) * 1e3

    async def _install(self, slice_: Slice) -> float:
        began = await self._rig.application(slice_, _APPLICATION, self._packages)
        done = await self._rig.state(slice_, _APPLICATION, State.INITIALIZED)
        await self._rig.state(slice_, _APPLICATION, State.RUNNING)
        return (done - began) * 1e3

    async def _idle(self, idle_s: float) -> float:
        await asyncio.sleep(_SETTLES_S)
        pids = await asyncio.to_thread(_everything, self._rig)
        before, began = processor_s(pids), time.monotonic()
        await asyncio.sleep(idle_s)
        return round(100 * (processor_s(pids) - before) / (time.monotonic() - began), 2)

    async def _adopt(self, slices: Sequence[Slice]) -> float:
        rig, before = self._rig, self._rig.inits()
        await asyncio.to_thread(rig.kill_node)
        known, began = len(rig.holdings), time.perf_counter()
        rig.start_node()
        names = {f"sliver.{slice_}" for slice_ in slices}
        await rig.until(
            lambda: any(names <= event.pairs.keys() for _, event in rig.holdings[known:]),
            "the next manager says what it holds",
        )
        if rig.inits() != before:
            sys.exit("node: slivers were not adopted")
        return (next(at for at, event in rig.holdings[known:] if names <= event.pairs.keys()) - began) * 1e3


def _memory(rig: Rig) -> dict[str, Any]:
    agents, inits, slivers = [], [], []
    for init in rig.inits().values():
        ours = [pid for pid in in_pid_namespace_of(init) if not _is_application(pid)]
        agents.append(sum(map(uss_mb, ours)))
        inits.append(uss_mb(init))
        outside = psutil.Process(init).ppid()
        slivers.append(agents[-1] + inits[-1] + (uss_mb(outside) if outside > 1 else 0.0))
    assert rig.process is not None  # noqa: S101 - it runs
    servers = [pid for pid in below(rig.process.pid) if psutil.Process(pid).name() == OWN_NAME]
    return {
        "fork_server_rss_mb": round(sum(map(rss_mb, servers)), 1),
        "agent_uss_mb": round(statistics.median(agents), 2),
        "agent_uss_most_mb": round(max(agents), 2),
        "init_uss_mb": round(statistics.median(inits), 2),
        "sliver_uss_mb": round(statistics.median(slivers), 2),
    }


def _everything(rig: Rig) -> list[int]:
    """All processes of DSMT on the node; of applications only their status scripts count."""
    assert rig.process is not None  # noqa: S101 - it runs
    found = set(below(rig.process.pid))
    for init in rig.inits().values():
        found |= {init, psutil.Process(init).ppid(), *in_pid_namespace_of(init)}
    return [pid for pid in found if pid > 1 and not _is_application(pid)]


def _is_application(pid: int) -> bool:
    try:
        return f"{APPLICATION_MARK}=".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return True


def _packages(folder: Path) -> list[Path]:
    """An application of some bytes and its wrapper, by rpmgen."""
    path = folder / "bench-1.0.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in _SCRIPTS.items():
            content = f"#!/bin/sh\n{text}\n".encode()
            info = tarfile.TarInfo(f"bench-1.0/{name}.sh")
            info.size, info.mode = len(content), 0o755
            archive.addfile(info, io.BytesIO(content))
    scripts = {name: f"/usr/local/bench/{name}.sh" for name in _SCRIPTS}
    made = make(Wish(file=path, output=folder / "rpms", installdir="/usr/local", scripts=scripts))
    return [each.path for each in made]


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    figures: dict[str, Any] = {"cores": len(os.sched_getaffinity(0)), "load_before": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory(prefix="dsmt-bench-") as name:
        folder = Path(name)
        os.chmod(name, 0o755)  # noqa: PTH101, S103 - slivers have users of their own
        async with PrivateBroker(folder / "broker") as server:
            rig = Rig(server, folder, period_s=_PERIOD_S)
            try:
                await rig.start()
                trial = Trial(rig, [rig.depot.put(path) for path in _packages(folder)])
                figures |= await trial.few(arguments.few)
                if arguments.slivers:
                    figures |= await trial.many(arguments.slivers, arguments.idle_s)
            finally:
                await rig.close()
    if not arguments.no_peers:
        figures |= await asyncio.to_thread(node_peers.memory)
    return figures | {"load_after": os.getloadavg()[0]}


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.node",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    parser.add_argument("--few", type=int, default=10, help="slivers one by one")
    parser.add_argument("--slivers", type=int, default=100, help="at once; 0: leave this out")
    parser.add_argument("--idle-s", type=float, default=60.0, help="how long to look at a node at rest")
    parser.add_argument("--no-peers", action="store_true")
    figures = asyncio.run(measure(arguments := parser.parse_args()))
    if arguments.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:30} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
