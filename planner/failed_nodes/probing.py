"""The probes under way: one a node, asked for again until it is answered, and given up in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dsmt_core.names import Host
from planner.failed_nodes.outcomes import Judged, Outcomes
from planner.failed_nodes.patience import Patience


@dataclass(frozen=True, slots=True)
class Probe:
    """An order to make and remove a sliver; whoever answers shows that it has read the nonce."""

    host: Host
    nonce: str


@dataclass(slots=True)
class _Open:
    nonce: str
    since: float
    due: float


class Probing:
    """Owned by the tracker.

    Args:
        patience: how long is waited.
        nonce: makes one that nobody can guess.
    """

    def __init__(self, patience: Patience, nonce: Callable[[], str]) -> None:
        self._patience = patience
        self._nonce = nonce
        self._open: dict[Host, _Open] = {}
        self._outcomes = Outcomes(moment=patience.together_s, window=patience.probe_s)

    def want(self, host: Host, now: float) -> None:
        """A node is to be probed, as soon as not too many others are."""
        if self.is_open(host):
            return
        if len(self._open) < self._patience.probes:
            self._open[host] = _Open(self._nonce(), now, now)

    def drop(self, host: Host) -> None:
        """It need not be probed any more, and how its last probe ended need not be judged."""
        self._open.pop(host, None)
        self._outcomes.withdraw(host)

    def forget(self, host: Host) -> None:
        """The node is no more."""
        self._open.pop(host, None)
        self._outcomes.drop(host)

    def is_open(self, host: Host) -> bool:
        """Whether it is being probed, or how its probe ended is to be judged."""
        return host in self._open or self._outcomes.is_unjudged(host)

    def answered(self, host: Host, nonce: str, reason: str, now: float) -> bool:
        """Whether this answers the probe that is under way; if so it is no longer.

        Args:
            host: who answers.
            nonce: what it has read.
            reason: why it did not pass; empty when it did.
            now: the time.
        """
        known = self._open.get(host)
        if known is None or not nonce or known.nonce != nonce:
            return False
        del self._open[host]
        self._outcomes.ended(host, reason, now)
        return True

    def judge(self, now: float) -> Judged:
        """Give up what was not answered in time; the failures that are believed now, and those doubted."""
        most = self._patience.probe_s
        for host in [host for host, one in self._open.items() if now - one.since > most]:
            del self._open[host]
            self._outcomes.ended(host, f"it did not answer the probe within {most:g} s", now)
        return self._outcomes.judge(now)

    def due(self, now: float) -> list[Probe]:
        """The orders to be given now."""
        found = []
        for host, one in self._open.items():
            if one.due <= now:
                one.due = now + self._patience.ask_again_s
                found.append(Probe(host, one.nonce))
        return found

    def deafened(self, now: float) -> None:
        """Answers could not be heard: time counts from now, and nothing is to be compared."""
        for one in self._open.values():
            one.since = now
        self._outcomes.clear()
