"""The example of a SWORD query is one that is taken, and that a small world can satisfy."""

from __future__ import annotations

from pathlib import Path

from dsmt_core.names import Host, PlanName
from planner.plans import evaluate
from planner.plans.sword import read_query
from tests.unit.planner.worlds import world_of

FILE = Path(__file__).parents[3] / "examples" / "sword" / "two-continents.xml"
EUROPE = {"region": "europe", "load1": "0.5", "disk_free_gb": "30", "lat": "50", "lon": "8"}
ASIA = {"region": "asia", "disk_free_gb": "300", "lat": "35", "lon": "100"}


def test_the_example_is_satisfied_in_a_small_world() -> None:
    query = FILE.read_text(encoding="utf-8")
    assert read_query(query).count == 6
    facts = {Host(f"n.e{number}.org"): EUROPE for number in range(5)}
    facts |= {Host(f"n{number}.a.org"): ASIA for number in range(2)}
    selection = evaluate(PlanName("sword"), {"query": query}, {}, world_of(facts, facts=facts))
    assert (len(selection.hosts), selection.missing, selection.notes) == (6, 0, ())
