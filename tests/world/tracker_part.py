"""The tracker in the simulated planner: probes are ordered and answered, and its past survives a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dsmt_core.commands import Order, Verb
from dsmt_core.events import Event
from dsmt_core.names import Host
from dsmt_core.nodes import PROBE, read_probe
from planner.failed_nodes import Chance, FailedNodes, Grace, Misfits, Past, Patience, Verdict
from planner.fleet import Fleet, NodeState
from planner.placement import unproven
from planner.reconcile.round import ALL_SLICES
from planner.standing import distrusted, maintained
from planner.wanted import Wanted
from tests.world.simulation import Simulation

# The faults last half a minute, and what they did has to be over after two and a half.
GRACE: Final = Grace(out_s=10.0, most_out_s=40.0)
PATIENCE: Final = Patience(out_s=5.0, most_out_s=20.0)


def made(simulation: Simulation, *, now: float) -> FailedNodes:
    """A tracker that begins to listen now."""
    luck = simulation.luck
    chance = Chance(draw=luck.random, nonce=lambda: f"{luck.random()}")
    return FailedNodes(PATIENCE, now=now, chance=chance)


def join(tracker: FailedNodes, fleet: Fleet, host: Host, *, now: float, past: Past | None) -> None:
    """Watch a node as it was judged when the planner last ran."""
    failed = fleet.state(host) is NodeState.FAILED
    tracker.join(host, now=now, period=fleet.period(host), failed=failed, past=past)


def judge(tracker: FailedNodes, fleet: Fleet, wanted: Wanted, *, now: float) -> list[Verdict]:
    """What the tracker makes of what was heard, and of what people say."""
    return tracker.tick(
        now,
        unproven=unproven(wanted, fleet),
        maintained=maintained(wanted.standings, now),
        distrusted=distrusted(wanted.standings),
    )


def fit(misfits: Misfits, fleet: Fleet, wanted: Wanted, *, now: float) -> None:
    """Judge who suits which slice."""
    fleet.fit(misfits.tick(wanted, fleet, now))


def answers(tracker: FailedNodes, event: Event, *, host: Host, now: float) -> bool:
    """Take in the answer to a probe; False when it is none."""
    if event.field != PROBE:
        return False
    result = read_probe(event.pairs)
    tracker.probed(host, result.nonce, passed=result.passed, reason=result.reason, now=now)
    return True


def order_probes(tracker: FailedNodes, send: Callable[[Order], None], *, now: float) -> None:
    """Order what the tracker wants."""
    for probe in tracker.probes(now):
        send(Order(verb=Verb.PROBE, host=probe.host, slice=ALL_SLICES, generation=0, nonce=probe.nonce))
