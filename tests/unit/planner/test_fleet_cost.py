"""What folding and heartbeats cost, in calls; apart, since mutants are switched by calls of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable

from dsmt_core.channels import status_channel
from dsmt_core.events import STATUS
from dsmt_core.names import DEPLOYMENT_AGENT
from tests.unit.planner.test_fleet import A, Sky
from tests.unit.planner.toy import APP, SLICE


def test_folding_and_heartbeats_are_cheap() -> None:
    sky = Sky()
    status = {"application": APP, "state": "running", "generation": "1", "version": "1"}
    channel = status_channel(SLICE, DEPLOYMENT_AGENT, A)
    events = [sky.event(channel, STATUS, **status, text=f"{number}") for number in range(500)]
    folds = calls(lambda: [sky.fleet.fold(event, now=1.0) for event in events])
    beats = calls(lambda: [sky.fleet.heard(A, "d", now=1.0) for _ in events])
    # As many as one event needs, however much there is: counted, so that a busy machine changes nothing.
    assert folds < 150 * len(events)
    assert beats < 20 * len(events)


def calls(work: Callable[[], object]) -> int:
    """How many functions are called meanwhile, Python's own included."""
    counted = [0]

    def count(_frame: object, what: str, _argument: object) -> None:
        counted[0] += what in {"call", "c_call"}

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted[0]
