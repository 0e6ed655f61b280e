"""Outcomes of probes: a failure counts against its node, unless most others fail as well.

A probe goes through planner, broker, container manager and driver, and all nodes run the same of these.
When most probes fail together, the fault is likelier there than in each of the nodes. So a failure is
judged a moment later, with all others of late; where most failed, none is believed, and each is tried
again.

Other than silence, a probe may be doubted for as long as it takes: nothing runs on a node on probation, so
that nobody waits for the verdict; but failures that were counted would keep the nodes out long after the
fault was mended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dsmt_core.names import Host
from planner.failed_nodes.doubt import is_mass


@dataclass(frozen=True, slots=True)
class Judged:
    """Failures that were judged, each with its reason.

    Attributes:
        believed: they speak against their nodes.
        doubted: they failed with most others.
    """

    believed: Mapping[Host, str]
    doubted: Mapping[Host, str]


class Outcomes:
    """How the probes of late ended; one outcome a node, the last.

    Args:
        moment: a failure is judged so long after it came; seconds.
        window: outcomes are compared with those of so long; seconds.
    """

    def __init__(self, *, moment: float, window: float) -> None:
        self._moment = moment
        self._window = window
        self._ended: dict[Host, float] = {}
        self._failed: dict[Host, str] = {}
        self._unjudged: set[Host] = set()

    def ended(self, host: Host, reason: str, now: float) -> None:
        """A probe has ended; ``reason``: why it did not pass, empty when it did."""
        self.drop(host)
        self._ended[host] = now
        if reason:
            self._failed[host] = reason
            self._unjudged.add(host)

    def is_unjudged(self, host: Host) -> bool:
        """Whether a failure of this node waits to be judged."""
        return host in self._unjudged

    def withdraw(self, host: Host) -> None:
        """The failure of this node need not be judged any more; it happened all the same."""
        self._unjudged.discard(host)

    def drop(self, host: Host) -> None:
        """Forget how the probe of this node ended."""
        self._ended.pop(host, None)
        self._failed.pop(host, None)
        self._unjudged.discard(host)

    def clear(self) -> None:
        """Forget everything: what was heard may not be what was said."""
        self._ended.clear()
        self._failed.clear()
        self._unjudged.clear()

    def judge(self, now: float) -> Judged:
        """Judge the failures that are a moment old."""
        for host in [host for host, at in self._ended.items() if at < now - self._window]:
            self.drop(host)
        ripe = [host for host in self._unjudged if self._ended[host] <= now - self._moment]
        reasons = {host: self._failed[host] for host in sorted(ripe)}
        self._unjudged.difference_update(ripe)
        if is_mass(len(self._failed), of=len(self._ended)):
            return Judged(believed={}, doubted=reasons)
        return Judged(believed=reasons, doubted={})
