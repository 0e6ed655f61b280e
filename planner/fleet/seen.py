"""What is seen of one node, one sliver, one application. Mutable: changed in place by the fleet's owner.

Times are seconds of the clock that the caller passes, the epoch's as a rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from dsmt_core.lifecycle import State
from dsmt_core.names import Application, Slice
from dsmt_core.nodes import digest
from planner.release import ReleaseName, release_name

_LEFT: Final = 16


class NodeState(StrEnum):
    """How the failed-node tracker judges a node.

    Attributes:
        UNKNOWN: joined once, and not heard since the planner began to listen.
        ALIVE: its heartbeats come.
        SUSPECT: one is missing; nothing is decided.
        FAILED: the verdict.
        PROBATION: it is back, and has to prove itself.
    """

    UNKNOWN = "unknown"
    ALIVE = "alive"
    SUSPECT = "suspect"
    FAILED = "failed"
    PROBATION = "probation"


@dataclass(slots=True)
class LayerSeen:
    """One layer of the life cycle: its state, since when, and why if it failed."""

    state: State = State.UNDEFINED
    since: float = 0.0
    reason: str = ""

    def become(self, state: State, now: float, reason: str = "") -> bool:
        """Take over what was heard; False when it is no news."""
        if (state, reason) == (self.state, self.reason):
            return False
        if state is not self.state:
            self.since = now
        self.state, self.reason = state, reason
        return True


@dataclass(slots=True)
class ApplicationSeen:
    """One application in one sliver.

    Attributes:
        layer: its state.
        version: installed; empty when nothing is.
        generation: of the order that the agent follows; -1 when it has not said.
        restarts: of that order.
        digest: of that order, as the agent says it; empty when it does not.
        configuration: the digest of that with which it was started; empty for none, or an older agent.
        text, exit_code: of the status script, as last heard.
        note: what the agent adds: a check that does not count yet, packages that cannot be had.
        held: the agent has named it in its holdings.
        gave_up: the release that did not become healthy, and the reason, as `dsmt_core.nodes.Held` has it.
        gave_up_since: since when it says so; 0 when it does not.
    """

    layer: LayerSeen = field(default_factory=LayerSeen)
    version: str = ""
    generation: int = -1
    restarts: int = 0
    digest: str = ""
    configuration: str = ""
    text: str = ""
    exit_code: str = ""
    held: bool = False
    gave_up: str = ""
    gave_up_since: float = 0.0
    note: str = ""

    def gives_up(self, text: str, now: float) -> bool:
        """Take over what was given up, or that nothing is; False when it is no news."""
        if text == self.gave_up:
            return False
        self.gave_up, self.gave_up_since = text, now if text else 0.0
        return True

    def given_up(self, release: ReleaseName) -> str:
        """Why ``release`` was given up there; empty when it was not."""
        # Of nearly every instance nothing was, and a status asks for thousands.
        if not self.gave_up:
            return ""
        name, _, reason = self.gave_up.partition(" ")
        return (reason or "it did not become healthy") if name and name == release else ""

    @property
    def state(self) -> State:
        """Its state of the life cycle."""
        return self.layer.state

    @property
    def release(self) -> ReleaseName:
        """What runs, or is there to run."""
        return release_name(self.version, self.configuration)


@dataclass(slots=True)
class SliverSeen:
    """One slice on one host.

    Attributes:
        container, agent: the layers.
        agent_ready: the agent listens: it has said ``running`` or what it holds, in this life of the
            sliver.
        fresh: the agent was heard since the planner began to listen; False for what was loaded.
        applications: as the agent tells.
        left: when what the agent told of once was told of no more: it may have been reinstalled, or have
            lost its record, and what follows the application elsewhere is not to flap with that.
        container_says: what its node tells of its container: use and limits, by field.
    """

    container: LayerSeen = field(default_factory=LayerSeen)
    agent: LayerSeen = field(default_factory=LayerSeen)
    agent_ready: bool = False
    fresh: bool = False
    applications: dict[Application, ApplicationSeen] = field(default_factory=dict)
    left: dict[Application, float] = field(default_factory=dict)
    container_says: dict[str, str] = field(default_factory=dict)

    def application(self, name: Application) -> ApplicationSeen:
        """What is seen of an application; new when nothing was."""
        self.left.pop(name, None)
        return self.applications.setdefault(name, ApplicationSeen())

    def leave(self, names: Iterable[Application], now: float) -> None:
        """These are told of no more; the last few are remembered."""
        for name in list(names):
            del self.applications[name]
            self.left[name] = now
        while len(self.left) > _LEFT:
            del self.left[next(iter(self.left))]


@dataclass(slots=True)
class NodeSeen:
    """What changes seldom about a node; what its heartbeats change stands in the fleet's columns.

    Attributes:
        slivers: what its container manager holds, with generations; None until it has said.
        orders: the digests of the orders that its slivers follow, where it says them.
        gone: slivers that it says it has deleted, with the generation of the order.
        said: counts what it has said about its holdings, so that an answer can be told from old news.
        fresh: it was heard since the planner began to listen.
        held_digest: the digest of ``slivers``, to compare with that of a heartbeat.
        differs_since: since when its heartbeats tell another digest; None when they agree.
        facts: as text, told by the node.
        labels: the same, given by people; they come before facts of the same name.
    """

    slivers: dict[Slice, int] | None = None
    orders: dict[Slice, str] = field(default_factory=dict)
    gone: dict[Slice, int] = field(default_factory=dict)
    said: int = 0
    fresh: bool = False
    held_digest: str = ""
    differs_since: float | None = None
    facts: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def hold(self, slivers: dict[Slice, int], gone: dict[Slice, int], orders: dict[Slice, str]) -> bool:
        """Take over what the node says it holds; False when it is no news."""
        news = (slivers, gone, orders, True) != (self.slivers, self.gone, self.orders, self.fresh)
        self.slivers, self.gone, self.orders, self.fresh = slivers, gone, orders, True
        self.held_digest = digest(slivers)
        self.said += 1
        return news
