"""How nodes are judged, as the API shows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dsmt_core.names import Host
from planner.failed_nodes.misfit import misfit_value
from planner.failed_nodes.notes import note_value
from planner.fleet import NodeState
from planner.release import said
from planner.service.means import Watched


def judged(watched: Watched, host: Host, now: float) -> dict[str, Any]:
    """Since when a node is in its state, why, how often it failed, and when it is tried again."""
    judgement = watched.tracker.judgement(host)
    return {
        "since": judgement.since,
        "failures": judgement.failures,
        "out_until": judgement.out_until,
        "probed": judgement.probed,
        "misfits": [
            # For people: a release by its version, and the configuration that it had.
            {"slice": slice_, **misfit_value(one), "version": said(one.release)}
            for slice_, one in watched.misfits.of_host(host, now)
        ],
        "evidence": [note_value(note) for note in watched.tracker.evidence(host)],
    }


def untrusted(watched: Watched, hosts: Iterable[Host], now: float) -> list[Host]:
    """Those that are not alive, or that some slice leaves alone."""
    alone = watched.misfits.hosts(now)
    return [of for of in hosts if of in alone or watched.fleet.state(of) is not NodeState.ALIVE]
