"""The configuration of a container manager: one frozen object, every field a sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agents.container_manager.images.having import OFF
from agents.container_manager.probing import NAME as PROBE_NAME
from agents.container_manager.slivers.choosing import AUTO
from agents.container_manager.slivers.place import Place
from dsmt_core.limits import Limits
from dsmt_core.names import Host, Slice

CACHE_BYTES: Final = 10 << 30

# Runs the agent of one sliver until it is cancelled; for a world whose agents are tasks of one process.
EmbeddedAgent = Callable[[Place], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """How one node is run.

    Attributes:
        planner: URL of the planner's API.
        token: the one-time token of ``dsmtc nodes invite``; not needed by a node that has joined before.
        host: the node's name.
        data: its directory; everything that it keeps lies there.
        authority: whom it trusts for an ``https`` planner and depot: a file of certificates, or a
            fingerprint; empty: the one of the invitation, else what the machine trusts.
        sliver_driver: ``bubblewrap``, ``process``, or ``auto`` for the best that works.
        status_period: seconds between calls of the status scripts, when the node sets its own.
        cache_bytes: bound of the package cache.
        depot_mirror: URL of a mirror of the depot nearby, asked first; empty: the one that the planner
            names, if it names one.
        podman: for slivers out of images: ``auto``, the path of its socket, or ``off``.
        roots: what slivers can be made over besides the node's own system: name → a directory, or a tar.
        end_slivers: end the slivers at the end of the manager; by default they live on.
        facts_s: how often the facts are looked at; they are sent when they changed.
        fact_programs: a directory of programs that tell further facts; None for ``facts.d`` in ``data``.
        capacity: what it has for slivers; None for most of the machine's memory and disk.
        embedded_agent: runs agents as tasks; None starts them as processes inside the slivers.
    """

    planner: str
    host: Host
    data: Path
    authority: str = ""
    token: str = ""
    sliver_driver: str = AUTO
    status_period: float | None = None
    cache_bytes: int = CACHE_BYTES
    depot_mirror: str = ""
    podman: str = OFF
    roots: Mapping[str, Path] = field(default_factory=dict)
    end_slivers: bool = False
    facts_s: float = 120.0
    fact_programs: Path | None = None
    capacity: Limits | None = None
    embedded_agent: EmbeddedAgent | None = None

    @property
    def slivers(self) -> Path:
        """The directory of all slivers."""
        return self.data / "slivers"

    @property
    def facts_d(self) -> Path:
        """The directory of programs that tell facts."""
        return self.fact_programs or self.data / "facts.d"

    @property
    def packages(self) -> Path:
        """The package cache."""
        return self.data / "packages"

    def place(self, slice_: Slice) -> Place:
        """Where a sliver is, or would be."""
        return Place(slice_, self.host, self.slivers / slice_)

    @property
    def probe(self) -> Place:
        """Where slivers are made for a test."""
        return self.place(PROBE_NAME)
