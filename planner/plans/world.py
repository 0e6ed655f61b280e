"""What a plan may look at: the hosts, which of them failed, who is in the slice, and where they stand.

Sets of hosts, not hosts one by one: a function decides about all hosts at once, so that a later world of
columns and masks can stand behind the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from dsmt_core.names import Host, Slice


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The hosts as one evaluation sees them.

    Attributes:
        slice: the slice that selects.
        hosts: every host that is known.
        failed: those with the verdict failed, and those that came back and are still on probation.
        doubtful: those of which nothing certain is known (suspect, or not heard yet); a plan chooses
            them after the living and before the failed.
        members: the hosts of the slice now; what still qualifies among them is kept.
        sites: the site of a host where a fact names it; else it is `site_of` the host.
    """

    slice: Slice
    hosts: AbstractSet[Host]
    failed: AbstractSet[Host] = frozenset()
    doubtful: AbstractSet[Host] = frozenset()
    members: AbstractSet[Host] = frozenset()
    sites: Mapping[Host, str] = field(default_factory=dict)

    def site(self, host: Host) -> str:
        """The site of a host."""
        return self.sites.get(host) or site_of(host)

    def trust(self, host: Host) -> int:
        """How much a host is to be avoided: 0 alive, 1 doubtful, 2 failed."""
        return 2 if host in self.failed else int(host in self.doubtful)

    def inverted(self) -> World:
        """The world for what is subtracted: there, staying means to stay outside of the slice."""
        return replace(self, members=self.hosts - self.members)

    def lot(self, plan: str, host: Host) -> bytes:
        """Where a host stands in the order of choice of a plan: a hash of our own, the same for ever."""
        text = f"{self.slice}\0{plan}\0{host}"
        return blake2b(text.encode(), digest_size=8, person=b"dsmt.plan").digest()


def site_of(host: Host) -> str:
    """The site that a host's name tells: its domain; a name without a domain tells none."""
    return host.partition(".")[2]
