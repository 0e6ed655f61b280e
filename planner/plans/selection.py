"""What an evaluation answers: the hosts in a stable order, and for each host why it is in or out.

Reasons are made only when somebody asks for them: a round needs the hosts, a person the reasons.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from dsmt_core.names import Host

Explain = Callable[[Host], str]


@dataclass(frozen=True, slots=True)
class Part:
    """What one function of a plan chose.

    Attributes:
        hosts: the chosen ones.
        explain: why a host is in, or out.
        missing: how many a limit asked for and did not find.
        bound: it can never choose more than this many; None when nothing bounds it.
    """

    hosts: frozenset[Host]
    explain: Explain
    missing: int = 0
    bound: int | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What a plan selects now.

    Attributes:
        hosts: sorted by name.
        missing: how many the limit asks for beyond these; 0 when there is no limit.
        bound: the greatest number of hosts that the plan can ever select; None when nothing bounds it.
        part: what decided, for the reasons.
        known: all hosts, in or out.
    """

    hosts: tuple[Host, ...]
    missing: int
    bound: int | None
    part: Part
    known: AbstractSet[Host]

    def reason(self, host: Host) -> str:
        """Why ``host`` is in or out, as a few plain words."""
        return self.part.explain(host)

    def chosen(self) -> list[tuple[Host, str]]:
        """The hosts with the reason why they are in."""
        return [(host, self.reason(host)) for host in self.hosts]

    def left_out(self) -> list[tuple[Host, str]]:
        """The other known hosts, sorted, with the reason why they are out."""
        outside = self.known - self.part.hosts
        return [(host, self.reason(host)) for host in sorted(outside)]
