"""Availability: of the time in which instances were wanted, the share in which they ran."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from planner.past.instances import Condition, Instance, Span


class Group(StrEnum):
    """What is told of together."""

    APPLICATION = "application"
    NODE = "node"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Stood:
    """How instances stood over a time.

    Attributes:
        name: of what is told of together; of an application with its slice before it.
        wanted_s: seconds in which they were wanted, of all instances together, but for those in which
            nobody looked.
        running_s: of these, those in which they ran.
        unknown_s: those in which nobody looked.
        outages: how often one that ran ran no longer, though it was wanted.
        longest_s: the longest time in which one did not run, until it ran or until the end; also before it
            ran at all, which is no outage.
    """

    name: str
    wanted_s: float = 0.0
    running_s: float = 0.0
    unknown_s: float = 0.0
    outages: int = 0
    longest_s: float = 0.0

    @property
    def share(self) -> float | None:
        """From 0 to 1; None where nothing is known."""
        return min(self.running_s / self.wanted_s, 1.0) if self.wanted_s > 0 else None


def availability(found: Iterable[Instance], name_of: Callable[[Instance], str]) -> list[Stood]:
    """How they stood, by name; the worst first.

    Args:
        found: the instances.
        name_of: under which name each is told of.
    """
    groups: dict[str, Stood] = {}
    for one in found:
        name = name_of(one)
        groups[name] = _with(groups.get(name, Stood(name)), one.spans)
    return sorted(groups.values(), key=lambda one: (2.0 if one.share is None else one.share, one.name))


def _with(stood: Stood, spans: Sequence[Span]) -> Stood:
    wanted = running = unknown = 0.0
    outages, longest, down, ran = 0, stood.longest_s, 0.0, False
    for span in spans:
        length = span.end - span.begin
        if span.condition is Condition.UNKNOWN:
            # Neither up nor down: an outage goes on behind it.
            unknown += length
            continue
        wanted += length
        if span.condition is Condition.RUNNING:
            running += length
            ran, down = True, 0.0
        else:
            outages += ran and down == 0.0
            down += length
            longest = max(longest, down)
    return replace(
        stood,
        wanted_s=stood.wanted_s + wanted,
        running_s=stood.running_s + running,
        unknown_s=stood.unknown_s + unknown,
        outages=stood.outages + outages,
        longest_s=longest,
    )
