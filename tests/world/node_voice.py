"""What a simulated machine says, and who hears it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from agents.container_manager.decide import Node, Publish
from dsmt_core.channels import Channel, facts_channel, status_channel
from dsmt_core.events import DEPLOYMENT_STATUS, Event, Sender
from dsmt_core.names import CONTAINER_MGR, SLIVER_MGR, Host
from dsmt_core.nodes import (
    FACTS,
    HOLDINGS,
    PROBE,
    ProbeResult,
    gone_pairs,
    order_pairs,
    probe_pairs,
    sliver_pairs,
)
from tests.world.agent_part import Listener
from tests.world.simulation import Kind, Simulation


class Planner(Listener, Protocol):
    """What a node says goes there."""

    def beat(self, host: Host, digest_: str) -> None:
        """A heartbeat."""
        ...

    def join(self, host: Host) -> bool:
        """A node asks to be let in; False when nobody answers."""
        ...


class Machine(Protocol):
    """Who speaks; ``wall_s``: how wrong its clock is, seconds."""

    host: Host
    wall_s: float


class NodeVoice:
    """The events of one life of a container manager."""

    def __init__(self, simulation: Simulation, planner: Planner, of: Machine) -> None:
        self._simulation = simulation
        self._planner = planner
        self._of = of
        boot = f"{simulation.luck.random()}"
        self._states = Sender("m", f"{of.host}/{SLIVER_MGR}", boot)
        self._sender = Sender("m", f"{of.host}/{CONTAINER_MGR}", boot)

    def holdings(self, node: Node, now: float) -> None:
        """What is held, and what is gone."""
        pairs = sliver_pairs(node.held()) | gone_pairs(node.gone(now))
        pairs |= order_pairs(node.orders())
        if node.asks:
            pairs["asks"] = "yes"
        self._tell(Kind.NODE_HOLDINGS, self._sender, facts_channel(self._of.host), HOLDINGS, pairs)

    def facts(self, facts: Mapping[str, str]) -> None:
        """What the machine is like."""
        self._tell(Kind.FACTS, self._sender, facts_channel(self._of.host), FACTS, facts)

    def probed(self, result: ProbeResult) -> None:
        """How a probe went."""
        channel = facts_channel(self._of.host)
        self._tell(Kind.PROBE, self._sender, channel, PROBE, probe_pairs(result))

    def state(self, step: Publish) -> None:
        """A change of state of a container."""
        pairs = {"status": str(step.state), "reason": step.reason}
        channel = status_channel(step.slice, SLIVER_MGR, self._of.host)
        self._tell(Kind.STATE, self._states, channel, DEPLOYMENT_STATUS, pairs)

    def _tell(
        self, kind: Kind, sender: Sender, channel: Channel, field_: str, pairs: Mapping[str, str]
    ) -> None:
        now = self._simulation.now + self._of.wall_s
        event: Event = sender.event(channel, field_, now=now, id_="", pairs=dict(pairs))
        self._planner.hear(self._of.host, kind, event)
