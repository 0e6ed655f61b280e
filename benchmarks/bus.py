"""How much does the port cost? Publishing and reading, beside bare pika and kombu, in one run.

``python -m benchmarks.bus --json [--events 20000] [--pairs 7] [--total 1000000] [--leases 2000]``. Pairs
alternate, and ratios are medians of the ratios pair by pair, so that a machine whose speed drifts does not
decide. Figures:

* ``publish_per_s``, ``raw_publish_per_s``, ``publish_ratio``: confirmed events a second, many at a time;
* ``publish_await_ratio``: one awaited call for each event, 1,000 at a time;
* ``consume_ratio``: decoded, checked, acknowledged; raw neither decodes nor checks. Both read what the port
  published, since a message with a time-to-live costs the broker more to deliver than one without;
* ``kombu_publish_per_s``, ``kombu_consume_per_s``: the same by kombu;
* ``latency_p50_ms``, ``latency_p99_ms``: publish to delivery at 1,000 events a second;
* ``replay_per_s``: out of the history; ``leases``: subtree leases at once that each heard their event;
* ``publish_per_s_by_bindings``: beside 100, 1,000, 5,000 bindings on the same exchange;
* ``rss_mb``, ``rss_growth_mb``: of this process after ``rss_events`` events, and since the 100,000th.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import broker
from benchmarks import bus_growth
from benchmarks.bus_rig import Rig
from broker.server.private import PrivateBroker

_LATENCY_S = 5.0
# kombu awaits each confirm: what it does in a tenth of the events says as much.
_KOMBU_SHARE = 10


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory(prefix="dsmt-bench-") as folder:
        async with PrivateBroker(Path(folder)) as server, broker.connected(server.planner_url) as bus:
            rig = Rig(server.planner_url, bus, arguments.events)
            rounds = [await _pair(rig) for _ in range(arguments.pairs)]
            await rig.declare()
            latencies = sorted(await rig.latencies_ms(_LATENCY_S))
            figures = _figures(rounds, latencies)
            figures |= await bus_growth.memory(rig, arguments.total)
            figures |= await bus_growth.leases(rig, arguments.leases)
            # From here on the broker has more to do for each event.
            figures["publish_per_s_by_bindings"] = await bus_growth.publish_by_bindings(rig)
            figures["replay_per_s"] = round(await bus_growth.replay_per_s(rig))
    return figures


async def _pair(rig: Rig) -> dict[str, float]:
    """The port and the others in turn, each on a queue that begins empty."""
    speeds: dict[str, float] = {}
    await rig.declare()
    speeds["publish"] = await rig.publish()
    speeds["consume"] = await rig.consume()
    await rig.declare()
    speeds["raw_publish"] = await rig.raw_publish()
    await rig.declare()
    speeds["publish_await"] = await rig.publish_awaiting()
    speeds["raw_consume"] = await rig.raw_consume()
    await rig.declare()
    few = max(1, rig.count // _KOMBU_SHARE)
    speeds["kombu_publish"] = await rig.kombu_publish(few)
    speeds["kombu_consume"] = await rig.kombu_consume(few)
    return speeds


def _figures(rounds: Sequence[dict[str, float]], latencies: Sequence[float]) -> dict[str, Any]:
    def median(name: str, over: str = "") -> float:
        return statistics.median(each[name] / (each[over] if over else 1) for each in rounds)

    return {
        "publish_per_s": round(median("publish")),
        "raw_publish_per_s": round(median("raw_publish")),
        "kombu_publish_per_s": round(median("kombu_publish")),
        "publish_ratio": round(median("publish", "raw_publish"), 3),
        "publish_await_ratio": round(median("publish_await", "raw_publish"), 3),
        "consume_per_s": round(median("consume")),
        "raw_consume_per_s": round(median("raw_consume")),
        "kombu_consume_per_s": round(median("kombu_consume")),
        "consume_ratio": round(median("consume", "raw_consume"), 3),
        "latency_p50_ms": round(latencies[len(latencies) // 2], 2),
        "latency_p99_ms": round(latencies[len(latencies) * 99 // 100], 2),
        "pairs": len(rounds),
    }


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bus",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    parser.add_argument("--events", type=int, default=20_000, help="in each run")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--total", type=int, default=1_000_000, help="events before memory is looked at")
    parser.add_argument("--leases", type=int, default=2_000, help="at once; one connection has some 2,040")
    figures = asyncio.run(measure(arguments := parser.parse_args()))
    if arguments.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:26} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
