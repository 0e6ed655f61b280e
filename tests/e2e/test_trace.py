"""The trace of the architecture guide, event by event, on real parts."""

from __future__ import annotations

import pytest

from dsmt_core import names
from dsmt_core.events import DEPLOYMENT_STATUS, Event
from dsmt_core.rights import PLANNER
from tests.e2e.application import App
from tests.e2e.conftest import Stages

# What a monitor hears for one host of slice xyz1 with application XYZ: component, managed, status.
TRACE = [
    ("org.dsmt.component.sliver-mgr", "org.dsmt.component.container", "requested"),
    ("org.dsmt.component.sliver-mgr", "org.dsmt.component.container", "instantiated"),
    ("org.dsmt.component.sliver-mgr", "org.dsmt.component.container", "initialized"),
    ("org.dsmt.component.sliver-mgr", "org.dsmt.component.container", "running"),
    ("org.dsmt.component.sliver-bootstrap", "org.dsmt.component.deployment-agent", "requested"),
    ("org.dsmt.component.sliver-bootstrap", "org.dsmt.component.deployment-agent", "instantiated"),
    ("org.dsmt.component.sliver-bootstrap", "org.dsmt.component.deployment-agent", "initialized"),
    ("org.dsmt.component.sliver-bootstrap", "org.dsmt.component.deployment-agent", "installed"),
    ("org.dsmt.component.sliver-bootstrap", "org.dsmt.component.deployment-agent", "running"),
    ("org.dsmt.component.deployment-agent", "XYZ", "requested"),
    ("org.dsmt.component.deployment-agent", "XYZ", "instantiated"),
    ("org.dsmt.component.deployment-agent", "XYZ", "initialized"),
    ("org.dsmt.component.deployment-agent", "XYZ", "running"),
]
AGENT_RUNS, APPLICATION_REQUESTED = 9, 10
COMMANDS = f"/org/dsmt/ns/deployment/xyz1/{names.DEPLOYMENT_AGENT}/command/"


def status(event: Event) -> tuple[str, str, str]:
    return event.pairs["component"], event.pairs["managed"], event.pairs["status"]


@pytest.mark.parametrize("kind", ["rabbitmq", "embedded"])
async def test_a_monitor_hears_exactly_the_guides_trace(stages: Stages, kind: str) -> None:
    async with stages(kind) as stage:
        await stage.deploy("xyz1", App("XYZ"))
        await stage.states("XYZ", "running", count=2)
        for host in stage.hosts:
            heard = [item.event for item in stage.monitor.heard if item.event.pairs.get("hostname") == host]
            states = [event for event in heard if event.field == DEPLOYMENT_STATUS]
            assert [status(event) for event in states] == TRACE
            assert {event.service for event in states} == {"xyz1_mgr"}
            assert {event.pairs["slice"] for event in states} == {"xyz1"}
            assert {event.channel for event in states} == {
                f"/org/dsmt/ns/deployment/xyz1/{component}/status/{host}/" for component, _, _ in TRACE
            }
            commands = [event for event in heard if event.channel == f"{COMMANDS}{host}/"]
            first = commands[0]
            assert first.value == f"APPCONFIG,{host},XYZ,dsmtw_XYZ"
            assert (first.field, first.service) == ("status", "xyz1_mgr")
            assert first.instance.startswith(PLANNER)
            assert int(first.pairs["generation"]) >= 1
            order = [event.id for event in heard]
            ran, requested = states[AGENT_RUNS - 1], states[APPLICATION_REQUESTED - 1]
            assert order.index(ran.id) < order.index(first.id) < order.index(requested.id)
