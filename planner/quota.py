"""Quotas: what a slice may use, inherited from its site; the smallest bound that is set counts. Pure.

A site has two: what *each* of its slices may use, and what all of them may use *together*. A slice may have
one of its own. 0, or nothing set, bounds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.limits import shown_size
from dsmt_core.names import Site

UNBOUNDED: Final = 0
_MOST: Final = {
    "nodes": 1_000_000,
    "slivers": 100_000_000,
    "memory": 1 << 60,
    "depot_bytes": 1 << 60,
    "events_per_second": 1_000_000,
}
_SIZES: Final = frozenset({"memory", "depot_bytes"})


@dataclass(frozen=True, slots=True)
class Quota:
    """Bounds; 0: none.

    Attributes:
        depot_bytes: what may be kept in the depot.
        nodes: on how many nodes slivers may be.
        slivers: how many slivers there may be.
        memory: bytes of the memory limits of all these slivers.
        events_per_second: how many events its programs may say, over ten seconds.

    Raises:
        Invalid: a number is negative, or too great for anything.
    """

    depot_bytes: int = UNBOUNDED
    nodes: int = UNBOUNDED
    slivers: int = UNBOUNDED
    memory: int = UNBOUNDED
    events_per_second: int = UNBOUNDED

    def __post_init__(self) -> None:
        for name, most in _MOST.items():
            value = getattr(self, name)
            if not 0 <= value <= most:
                what = "bytes" if name in _SIZES else name.replace("_", " ")
                raise Invalid(
                    f"{value} is not a number of {what} for a quota",
                    hint=f"from 1 to {most:,}, or 0 for no bound",
                )

    @property
    def places(self) -> bool:
        """Whether it bounds what is placed on nodes."""
        return bool(self.nodes or self.slivers or self.memory)

    @property
    def text(self) -> str:
        """As it is stored; empty for none."""
        said = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(said, separators=(",", ":")) if said else ""

    def changed(self, given: Mapping[str, int]) -> Quota:
        """The same with other bounds where they are given.

        Raises:
            Invalid: one of them is none.
        """
        return replace(self, **given)

    @property
    def words(self) -> str:
        """For people: ``nodes 5, memory 4G``."""
        said = [
            f"{name_of(what)} {amount(what, getattr(self, what))}" for what in NAMES if getattr(self, what)
        ]
        return ", ".join(said) or "none"


NAMES: Final = tuple(one.name for one in fields(Quota))
NO_QUOTA: Final = Quota()


@dataclass(frozen=True, slots=True)
class SiteQuota:
    """The bounds of a site.

    Attributes:
        site: its name.
        each: what each of its slices may use at most.
        together: what all of them may use together.
    """

    site: Site = Site("")  # noqa: RUF009 - a NewType is a plain str
    each: Quota = field(default=NO_QUOTA)
    together: Quota = field(default=NO_QUOTA)

    def of_slice(self, what: str) -> int:
        """What one slice may have at most of something; 0: no bound."""
        return smaller(getattr(self.each, what), getattr(self.together, what))


NO_SITE_QUOTA: Final = SiteQuota()


def quota_of(text: str) -> Quota:
    """The quota that was stored so; what a later DSMT added is left out."""
    said = json.loads(text) if text else {}
    return Quota(**{name: int(value) for name, value in said.items() if name in NAMES})


def smaller(one: int, other: int) -> int:
    """The bound that counts of two; 0 is none."""
    return min(filter(None, (one, other)), default=UNBOUNDED)


def looser(before: Quota, now: Quota, site: SiteQuota) -> tuple[str, ...]:
    """What a change gives a slice beyond what the site has to give: by the names of the bounds.

    Less is always within it; where the site has no bound, more is not the site's to give.
    """
    found = []
    for what in NAMES:
        old, new, most = getattr(before, what), getattr(now, what), site.of_slice(what)
        is_more = old != UNBOUNDED and (new == UNBOUNDED or new > old)
        within = most != UNBOUNDED and new <= most
        if new != old and ((is_more and not within) or (most and new > most)):
            found.append(what)
    return tuple(found)


def name_of(what: str) -> str:
    """A bound as people say it: ``depot bytes``."""
    return what.replace("_", " ")


def amount(what: str, value: int) -> str:
    """A number of it as people write it."""
    return shown_size(value) if what == "memory" else f"{value:,}"
