"""The probes under way: one a node, asked for again until it is answered, and given up in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dsmt_core.names import Host
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

    def want(self, host: Host, now: float) -> None:
        """A node is to be probed, as soon as not too many others are."""
        if host not in self._open and len(self._open) < self._patience.probes:
            self._open[host] = _Open(self._nonce(), now, now)

    def drop(self, host: Host) -> None:
        """It need not be probed any more."""
        self._open.pop(host, None)

    def is_open(self, host: Host) -> bool:
        """Whether it is being probed."""
        return host in self._open

    def answered(self, host: Host, nonce: str) -> bool:
        """Whether this answers the probe that is under way; if so it is no longer."""
        known = self._open.get(host)
        if known is None or not nonce or known.nonce != nonce:
            return False
        del self._open[host]
        return True

    def unanswered(self, now: float) -> list[Host]:
        """The nodes that have not answered in time; they are not probed any more."""
        late = [host for host, one in self._open.items() if now - one.since > self._patience.probe_s]
        for host in late:
            del self._open[host]
        return late

    def due(self, now: float) -> list[Probe]:
        """The orders to be given now."""
        found = []
        for host, one in self._open.items():
            if one.due <= now:
                one.due = now + self._patience.ask_again_s
                found.append(Probe(host, one.nonce))
        return found

    def deafened(self, now: float) -> None:
        """Answers could not be heard: time counts from now."""
        for one in self._open.values():
            one.since = now

    def only(self, hosts: Iterable[Host]) -> None:
        """Nobody but these need be probed."""
        for host in self._open.keys() - set(hosts):
            del self._open[host]
