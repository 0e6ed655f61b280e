"""What an evaluation answers: the hosts in a stable order, and for each host why it is in or out.

Reasons are made only when somebody asks for them: a round needs the hosts, a person the reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from dsmt_core.names import Host
from planner.plans.ground import Ground, Mask, Numbers


class Loss(NamedTuple):
    """How many hosts a function of a plan left out of what is below it."""

    plan: str
    function: str
    number: int

    def __str__(self) -> str:
        return f"{self.plan} left out {self.number}"


class Reason(NamedTuple):
    """Why a host is in or out.

    Attributes:
        text: in a few plain words.
        plan: the plan that decided.
        function: its function.
    """

    text: str
    plan: str
    function: str


Explain = Callable[[int], Reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """In which order a limit above takes hosts.

    Attributes:
        order: the least first, unknown last; None for no order.
        spread: the fact over whose values it spreads; empty for the site.
    """

    order: Numbers | None = None
    spread: str = ""


NO_PREFERENCE = Preference()


@dataclass(frozen=True, slots=True)
class Part:
    """What one function of a plan chose.

    Attributes:
        mask: true for the chosen hosts.
        explain: why the host in a row is in, or out.
        missing: how many a limit asked for and did not find.
        bound: it cannot choose more than this many of these hosts; None when nothing bounds it.
        preference: how a limit above chooses among them.
        losses: what the functions up to here left out, in the order in which they did.
        lacks: why something is missing, where more can be said than how much was left out.
        notes: what else people should know of the choice, such as how good it is.
    """

    mask: Mask
    explain: Explain
    missing: int = 0
    bound: int | None = None
    preference: Preference = NO_PREFERENCE
    losses: tuple[Loss, ...] = ()
    lacks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def after(self, parent: Part, plan: str, function: str) -> Part:
        """The same, with what a function left out of ``parent`` among its losses."""
        number = int(np.count_nonzero(parent.mask)) - int(np.count_nonzero(self.mask))
        lost = (Loss(plan, function, number),) if number > 0 else ()
        losses = parent.losses + lost
        return self if losses == self.losses else replace(self, losses=losses)


@dataclass(frozen=True)
class Selection:
    """What a plan selects now.

    Attributes:
        part: what was chosen, and what decided.
        ground: all hosts, in or out.
    """

    part: Part
    ground: Ground

    @cached_property
    def hosts(self) -> tuple[Host, ...]:
        """Those that are in, sorted by name."""
        return tuple(self.ground.those(self.part.mask))

    @property
    def missing(self) -> int:
        """How many the limit asks for beyond these; 0 when there is no limit."""
        return self.part.missing

    @property
    def bound(self) -> int | None:
        """The greatest number of these hosts that the plan can select; None when nothing bounds it."""
        return self.part.bound

    @property
    def losses(self) -> tuple[Loss, ...]:
        """How many hosts each function on the way left out."""
        return self.part.losses

    @property
    def why_missing(self) -> str:
        """What left out the nodes that are missing, in a few words; empty when nothing is known of it."""
        if not len(self.ground):
            return "no node is known yet"
        return "; ".join(self.part.lacks or map(str, self.losses))

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know of the choice."""
        return self.part.lacks + self.part.notes

    def has(self, host: Host) -> bool:
        """Whether ``host`` is in."""
        return bool(self.part.mask[self.ground.rows[host]])

    def reason(self, host: Host) -> Reason:
        """Why ``host`` is in or out.

        Raises:
            KeyError: it is not known.
        """
        return self.part.explain(self.ground.rows[host])

    def chosen(self) -> list[tuple[Host, Reason]]:
        """The hosts with the reason why they are in."""
        return list(self._explained(self.part.mask))

    def left_out(self) -> list[tuple[Host, Reason]]:
        """The other known hosts, sorted, with the reason why they are out."""
        return list(self._explained(~self.part.mask))

    def _explained(self, mask: Mask) -> Iterator[tuple[Host, Reason]]:
        for row in np.flatnonzero(mask).tolist():
            yield self.ground.hosts[row], self.part.explain(row)
