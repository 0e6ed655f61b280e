"""How long a plan of five levels takes over a great fleet: ``python -m benchmarks.plans --json``.

where (keeps 30 %) → near (10 % of these) → minus (some failed) → site (two each) → limit, evaluated from
its text, against the same operations written by hand in the same run, by turns.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import time
from collections.abc import Callable

import numpy as np
import polars as pl

from dsmt_core.names import Host, PlanName, Slice
from planner.plans import Ground, World, evaluate
from planner.plans.lots import lots
from planner.plans.world import FAILED
from planner.wanted import Plan

NODES = 1_000_000
TURNS = 15
SITES = 5_000
LIMIT = 500
KM = 4_110.0
PLACE = (48.0, 11.0)
_EARTH_KM = 6371.0088


def world(nodes: int) -> World:
    """A fleet with facts, of which a fiftieth failed and a part of the limit is in the slice."""
    luck = random.Random(1)  # noqa: S311 - a fleet, no secret
    names = sorted(f"n{number:07}.site{number % SITES}.example" for number in range(nodes))
    degrees = [(math.degrees(math.asin(luck.uniform(-1, 1))), luck.uniform(-180, 180)) for _ in names]
    facts = {
        "lat": [f"{lat:.4f}" for lat, _ in degrees],
        "lon": [f"{lon:.4f}" for _, lon in degrees],
        "load1": [f"{luck.uniform(0, 4):.2f}" for _ in names],
        "disk_free_gb": [str(luck.randrange(100)) for _ in names],
        "country": [luck.choice(("CN", "JP", "DE", "FR", "BR")) for _ in names],
    }
    share = np.array([luck.random() for _ in names])
    return World(
        slice=Slice("bench"),
        ground=Ground([Host(name) for name in names], facts, facts.__getitem__),
        trust=(2 * (share < 0.02) + (share > 0.99)).astype(np.int8),
        members=(share > 0.5) & (share < 0.5001),
    )


def plans() -> dict[PlanName, Plan]:
    """The five levels."""
    condition = "country in ('CN','JP','DE') and load1 < 2.2 and disk_free_gb > 8"
    texts = {
        "fit": ("where", {"expr": condition}),
        "here": (
            "near",
            {"parent": "fit", "lat": str(PLACE[0]), "lon": str(PLACE[1]), "km": str(KM)},
        ),
        "good": ("minus", {"left": "here", "right": "failed"}),
        "wide": ("site", {"parent": "good", "max_per_site": "2"}),
        "some": ("limit", {"parent": "wide", "count": str(LIMIT)}),
    }
    return {PlanName(name): Plan(PlanName(name), base, more) for name, (base, more) in texts.items()}


def by_hand(over: World) -> set[str]:
    """The same selection, written for this one plan."""
    ground = over.ground
    load, disk = (pl.Series(ground.numbers(name)) for name in ("load1", "disk_free_gb"))
    lat, lon = map(math.radians, PLACE)
    x, y, z = ground.places
    fit = (ground.series("country").is_in(["CN", "JP", "DE"]) & (load < 2.2) & (disk > 8)).to_numpy()
    cosine = x * (math.cos(lat) * math.cos(lon)) + y * (math.cos(lat) * math.sin(lon)) + z * math.sin(lat)
    rows = np.flatnonzero(fit & (cosine >= math.cos(KM / _EARTH_KM)) & (over.trust != FAILED))
    frame = pl.DataFrame(
        {
            "row": rows,
            "site": ground.codes("site")[rows],
            "out": ~over.members[rows],
            "doubtful": over.trust[rows],
            "wide": lots(ground.bases[rows], f"{over.slice}\0wide"),
            "some": lots(ground.bases[rows], f"{over.slice}\0some"),
        }
    )
    two = frame.sort("out", "doubtful", "wide").filter(pl.int_range(pl.len()).over("site") < 2)
    level = pl.col("some").rank("ordinal").over("site", "out", "doubtful")
    order = two.with_columns(level=level).sort("out", "doubtful", "level", "some")
    return {ground.hosts[row] for row in order.head(LIMIT)["row"]}


def timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1_000


def measure(nodes: int, turns: int) -> dict[str, float | int]:
    """All figures, over so many nodes."""
    over, named = world(nodes), plans()
    selection = evaluate(PlanName("some"), {}, named, over)
    luck = random.Random(2)  # noqa: S311 - a sample, no secret
    out = luck.sample(over.ground.hosts, 100)
    if by_hand(over) != set(selection.hosts):
        raise SystemExit("the plan and the same by hand select other hosts")
    ours, theirs = [], []
    for _ in range(turns):
        ours.append(timed(lambda: evaluate(PlanName("some"), {}, named, over).hosts))
        theirs.append(timed(lambda: by_hand(over)))
    explain = timed(lambda: [selection.reason(host) for host in out]) / len(out)
    return {
        "nodes": nodes,
        "fit_percent": round(
            100 * int(evaluate(PlanName("fit"), {}, named, over).part.mask.sum()) / nodes, 1
        ),
        "near_percent": round(_share(named, over), 1),
        "eval_ms": round(statistics.median(ours), 1),
        "by_hand_ms": round(statistics.median(theirs), 1),
        "eval_ratio": round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 2),
        "explain_ms": round(explain, 3),
    }


def _share(named: dict[PlanName, Plan], over: World) -> float:
    fit, here = (evaluate(PlanName(name), {}, named, over).part.mask.sum() for name in ("fit", "here"))
    return 100.0 * int(here) / int(fit)


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="for other benchmarks' sake; it is always JSON")
    parser.add_argument("--nodes", type=int, default=NODES)
    parser.add_argument("--turns", type=int, default=TURNS)
    options = parser.parse_args()
    print(json.dumps(measure(options.nodes, options.turns)))


if __name__ == "__main__":
    main()
