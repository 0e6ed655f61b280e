"""What does a fleet cost? ``python -m benchmarks.fleet --nodes N --json``; the nodes are `lab.swarm`'s.

Against a RabbitMQ of its own, one run: connect, deploy on eight of ten nodes, rest, kill some (their
connections end) and silence some (they stay), then the same after the planner, and after the broker, was
killed and started again. ``deploy_ratio`` is the time of bare pika (`benchmarks.raw_fleet`) over ours.

Times are of the wall, with the load of the machine beside them: what else it does counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.raw_fleet import RawFleet
from dsmt_core.names import Host, Slice
from lab.swarm.lines import KINDS, REAL, check_descriptors
from lab.swarm.tally import Place
from lab.swarm.trial import Size, Trial
from planner.failed_nodes.patience import Patience

NODES = 100
LOST = 4
WITHIN_S = 600.0
_LOOK_S = 0.1
_STEADY_S = 20.0
_RAW = Slice("raw")
_BAD = frozenset({"suspect", "failed"})
# How nodes are lost, by what is seen of it.
_WAYS = ("killed", "silent")


class Losses:
    """Nodes are lost, and what follows is timed."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._lost: set[Host] = set()

    async def lose(self, way: str, count: int) -> dict[str, dict[str, float]]:
        """Lose so many nodes, one after the other; the median and the longest of each time, in seconds."""
        trial, swarm = self._trial, self._trial.swarm
        suspected, failed, replaced = [], [], []
        for _ in range(count):
            host = next(host for host, _, _ in trial.running if host not in self._lost)
            self._lost.add(host)
            known, began = set(trial.running), time.monotonic()
            if way == "killed":
                await swarm.kill(host)
            else:
                swarm.silence(host)
            suspected.append(await self._judged(host, _BAD, began))
            failed.append(await self._judged(host, {"failed"}, began))
            is_replaced = partial(self._is_more_than, known)
            await trial.until(is_replaced, "it is replaced", WITHIN_S)
            new = min(at for place, at in trial.running.items() if place not in known)
            replaced.append(new - began)
        named = {"suspect_s": suspected, "detect_s": failed, "replace_s": replaced}
        return {
            name: {"p50": round(statistics.median(times), 2), "p99": round(max(times), 2)}
            for name, times in named.items()
        }

    async def false(self) -> dict[str, int]:
        """Verdicts about nodes that were well, and restarts of applications that were."""
        well = [host for host in {host for host, _, _ in self._trial.running} if host not in self._lost]
        states = await self._trial.states(well)
        started = self._trial.swarm.tally.started
        return {
            "false_failures": sum(state == "failed" for state in states.values()),
            "spurious_restarts": sum(number - 1 for number in started.values()),
        }

    def _is_more_than(self, known: set[Place]) -> bool:
        return bool(self._trial.running.keys() - known)

    async def _judged(self, host: Host, states: AbstractSet[str], began: float) -> float:
        while (await self._trial.states([host]))[host] not in states:
            await asyncio.sleep(_LOOK_S)
            if time.monotonic() - began > WITHIN_S:
                raise SystemExit(f"{host} was not judged within {WITHIN_S:g} s")
        return time.monotonic() - began


async def measure(home: Path, size: Size, lost: int) -> dict[str, Any]:
    """All figures of one run."""
    trial = Trial(home, size)
    figures: dict[str, Any] = {"nodes": size.nodes, "instances": size.instances}
    try:
        await trial.start()
        figures["connect_s"] = round(await trial.connect(), 2)
        figures |= await _deployed(trial)
        figures |= await _steady(trial)
        losses = Losses(trial)
        by_way = {way: await losses.lose(way, lost) for way in _WAYS}
        figures |= {name: {way: by_way[way][name] for way in _WAYS} for name in by_way[_WAYS[0]]}
        figures |= await losses.false()
        for name, restart in (("planner", trial.restart_planner), ("broker", trial.restart_broker)):
            figures[f"after_{name}"] = await _restarted(trial, losses, restart)
        figures |= await _raw(trial)
    except BaseException:
        # What was measured until then took minutes.
        print(json.dumps(figures), file=sys.stderr)
        raise
    finally:
        await trial.stop()
    figures["deploy_ratio"] = round(figures["raw_deploy_s"] / figures["deploy_s"], 2)
    return figures


async def _deployed(trial: Trial) -> dict[str, float]:
    """How long the deployment takes, and what it costs planner and broker with the heartbeats meanwhile."""
    planner, broker = trial.planner(), trial.broker()
    took = await trial.deploy(WITHIN_S)
    thousands = trial.size.instances / 1_000
    return {
        "deploy_s": round(took, 2),
        "planner_cpu_s_per_1000_nodes": round((trial.planner().cpu_s - planner.cpu_s) / thousands, 2),
        "broker_cpu_s_per_1000_nodes": round((trial.broker().cpu_s - broker.cpu_s) / thousands, 2),
        "planner_rss_mb": round(trial.planner().rss_mb, 1),
        "broker_rss_mb": round(trial.broker().rss_mb, 1),
    }


async def _steady(trial: Trial) -> dict[str, float]:
    """How many cores planner and broker need while nothing happens but heartbeats and status."""
    await asyncio.sleep(trial.size.heartbeat_s)
    before, began = (trial.planner(), trial.broker()), time.monotonic()
    await asyncio.sleep(max(_STEADY_S, 2 * trial.size.heartbeat_s))
    spent = time.monotonic() - began
    names = ("planner_cores", "broker_cores")
    after = (trial.planner(), trial.broker())
    return {
        name: round((now.cpu_s - then.cpu_s) / spent, 3)
        for name, then, now in zip(names, before, after, strict=True)
    }


async def _restarted(
    trial: Trial, losses: Losses, restart: Callable[[], Awaitable[None]]
) -> dict[str, float]:
    """After a restart: until all are connected again, and then what follows when one is lost; seconds."""
    await restart()
    began = time.monotonic()
    await trial.until(lambda: trial.swarm.whole, "all are connected again", WITHIN_S)
    back = {"connect_s": round(time.monotonic() - began, 2)}
    # So long after broker or planner were away nobody is judged.
    await asyncio.sleep(Patience().back_s + trial.size.heartbeat_s)
    times = await losses.lose("killed", 1)
    return back | {name: of["p50"] for name, of in times.items()} | await losses.false()


async def _raw(trial: Trial) -> dict[str, float]:
    """The same deployment by bare pika, in a slice of its own on the same broker."""
    hosts = [host for host, _, _ in trial.running]
    await trial.swarm.close()
    await asyncio.to_thread(trial.scene.planner.kill)
    server = trial.scene.server
    raw = RawFleet(server.planner_url, server.node_url, _RAW, hosts)
    try:
        await raw.open()
        return {"raw_deploy_s": round(await raw.deploy(), 2)}
    finally:
        raw.close()
        await asyncio.sleep(1.0)


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="for other benchmarks' sake; it is always JSON")
    parser.add_argument("--nodes", type=int, default=NODES)
    parser.add_argument("--heartbeat", type=float, default=5.0, help="seconds")
    parser.add_argument("--lost", type=int, default=LOST, help="nodes lost in each way")
    parser.add_argument("--connections", choices=KINDS, default=REAL)
    options = parser.parse_args()
    check_descriptors(options.nodes, options.connections)
    # Whoever is lost is replaced by one of the two in ten that have no instance.
    spare, needed = options.nodes - options.nodes * 8 // 10, len(_WAYS) * options.lost + 2
    if spare < needed:
        parser.error(f"{spare} nodes are spare, and {needed} will be lost: more --nodes, or fewer --lost")
    size = Size(
        nodes=options.nodes,
        instances=options.nodes * 8 // 10,
        heartbeat_s=options.heartbeat,
        connections=options.connections,
    )
    with tempfile.TemporaryDirectory(prefix="dsmt-bench-") as home:
        figures = asyncio.run(measure(Path(home), size, options.lost))
    print(json.dumps({"load1": round(os.getloadavg()[0], 1), **figures}))


if __name__ == "__main__":
    main()
