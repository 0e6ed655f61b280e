"""Allotment: how much more of the nodes a slice may take, as the quotas of its site and its own say. Pure.

What runs counts and stays; only what would begin is held back. What is on its way out counts until it is
known to be gone, unless its node has failed. So a bound is never passed by what begins, whatever leaves at
the same time, and a lower bound ends nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from dsmt_core.names import Host, Site, Slice
from planner.quota import NO_SITE_QUOTA, SiteQuota, amount
from planner.wanted import Wanted, WantedSlice

NODES: Final = "nodes"
SLIVERS: Final = "slivers"
MEMORY: Final = "memory"
_PLACED: Final = (NODES, SLIVERS, MEMORY)


@dataclass(frozen=True, slots=True)
class Bound:
    """One bound that a slice has to keep.

    Attributes:
        what: nodes, slivers or memory.
        most: how much there may be.
        whose: for people: ``the slice web``.
        each: what one more sliver takes: 1, or its bytes of memory.
        others: what other slices use of it; of nodes none, those are ``nodes``.
        nodes: on which others are that it counts together with.
    """

    what: str
    most: int
    whose: str
    each: int = 1
    others: int = 0
    nodes: AbstractSet[Host] = frozenset()

    def used(self, hosts: AbstractSet[Host]) -> int:
        """How much there is with slivers on these hosts."""
        if self.what == NODES:
            return len(self.nodes | hosts)
        return self.others + len(hosts) * self.each

    def sentence(self, used: int) -> str:
        """Why nothing more may begin, for people."""
        if self.what != MEMORY:
            what = self.what if self.most > 1 else self.what.removesuffix("s")
            return f"{self.whose} may have {self.most:,} {what}, and has {used:,}"
        most = f"{self.whose} may have {amount(MEMORY, self.most)} of memory"
        if not self.each:
            return f"{most}, and its slivers have no limit of memory: dsmtc limits --memory SIZE"
        return f"{most}, and has {amount(MEMORY, used)}, and a sliver takes {amount(MEMORY, self.each)}"


class Allotment:
    """What one slice has to keep when something of it begins.

    Args:
        bounds: finds all of them; asked when something would begin, for most of the time nothing does.
    """

    def __init__(self, bounds: Callable[[], Iterable[Bound]] = tuple) -> None:
        self._find = bounds

    @cached_property
    def bounds(self) -> tuple[Bound, ...]:
        """All of them."""
        return tuple(self._find())

    def admit(self, occupied: AbstractSet[Host], coming: Collection[Host]) -> Admitted:
        """Who may begin.

        Args:
            occupied: where slivers of the slice are, or are on their way out.
            coming: where one would begin, who is to begin first first. What is on its way out there may
                stay, unless there is too much already.
        """
        if not (coming and self.bounds):
            return Admitted(frozenset(coming))
        used = [bound.used(occupied) for bound in self.bounds]
        allowed: set[Host] = set()
        tight: dict[str, None] = {}
        for host in coming:
            costs = [_cost(bound, host, is_there=host in occupied) for bound in self.bounds]
            after = list(map(sum, zip(used, costs, strict=True)))
            passed = next(
                (n for n, bound in enumerate(self.bounds) if _passes(bound, host, after[n])), None
            )
            if passed is None:
                used = after
                allowed.add(host)
            else:
                tight.setdefault(self.bounds[passed].sentence(used[passed]))
        return Admitted(frozenset(allowed), len(coming) - len(allowed), "; ".join(tight))


def _cost(bound: Bound, host: Host, *, is_there: bool) -> int:
    """How much a sliver on a host adds."""
    return 0 if is_there or (bound.what == NODES and host in bound.nodes) else bound.each


def _passes(bound: Bound, host: Host, after: int) -> bool:
    """Whether a sliver on a host would be beyond a bound."""
    if bound.what == NODES and host in bound.nodes:
        return False
    return after > bound.most or not bound.each


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who may begin, how many may not, and why."""

    hosts: frozenset[Host]
    held: int = 0
    why: str = ""


NO_ALLOTMENT: Final = Allotment()


class Shares:
    """What the slices have of the nodes while a round decides about one after the other.

    Args:
        wanted: as committed.
        failed: nodes on which what is to end counts no more.
    """

    def __init__(self, wanted: Wanted, failed: AbstractSet[Host]) -> None:
        self._wanted = wanted
        self._failed = failed
        self._pools: dict[Site, _Pool] = {}

    def of(self, slice_: WantedSlice) -> Allotment:
        """What a slice has to keep."""
        site = self._wanted.sites.get(slice_.site, NO_SITE_QUOTA)
        if not (slice_.quota.places or site.each.places or site.together.places):
            return NO_ALLOTMENT
        return Allotment(lambda: self._bounds(slice_, site))

    def take(self, slice_: WantedSlice, hosts: AbstractSet[Host]) -> None:
        """A slice will be there; what it leaves counts until it is known to be gone."""
        known = self._wanted.sites.get(slice_.site, NO_SITE_QUOTA)
        if known.together.places:
            pool = self._pool(slice_.site)
            pool.put(slice_, hosts | pool.places.get(slice_.name, frozenset()))

    def _bounds(self, slice_: WantedSlice, site: SiteQuota) -> Iterator[Bound]:
        memory = slice_.limits.memory
        for quota, whose in (
            (slice_.quota, f"the slice {slice_.name}"),
            (site.each, f"each slice of the site {site.site}"),
        ):
            for what in _PLACED:
                if most := getattr(quota, what):
                    yield Bound(what, most, whose, memory if what == MEMORY else 1)
        if site.together.places:
            others = self._pool(slice_.site).without(slice_)
            whose = f"the site {site.site}"
            if most := site.together.nodes:
                yield Bound(NODES, most, whose, nodes=others.nodes.keys())
            if most := site.together.slivers:
                yield Bound(SLIVERS, most, whose, others=others.slivers)
            if most := site.together.memory:
                yield Bound(MEMORY, most, whose, memory, others=others.memory)

    def _pool(self, site: Site) -> _Pool:
        if site not in self._pools:
            pool = self._pools[site] = _Pool()
            for one in at_site(self._wanted, site):
                pool.put(one, occupied(one, self._failed))
        return self._pools[site]


@dataclass(slots=True)
class _Pool:
    """What the slices of one site have together."""

    slivers: int = 0
    memory: int = 0
    nodes: Counter[Host] = field(default_factory=Counter)
    places: dict[Slice, AbstractSet[Host]] = field(default_factory=dict)

    def put(self, slice_: WantedSlice, hosts: AbstractSet[Host]) -> None:
        """A slice is there, and was elsewhere before."""
        before = self.places.get(slice_.name, frozenset())
        self.places[slice_.name] = hosts
        self.slivers += len(hosts) - len(before)
        self.memory += (len(hosts) - len(before)) * slice_.limits.memory
        self.nodes.update(hosts - before)
        self.nodes.subtract(before - hosts)

    def without(self, slice_: WantedSlice) -> _Pool:
        """What all others have."""
        mine = self.places.get(slice_.name, frozenset())
        others = self.nodes - Counter(mine)
        return _Pool(self.slivers - len(mine), self.memory - len(mine) * slice_.limits.memory, others)


def occupied(slice_: WantedSlice, failed: AbstractSet[Host] = frozenset()) -> AbstractSet[Host]:
    """Where a slice counts: where it is placed, and where it is on its way out of a node that lives."""
    return slice_.hosts.keys() | (slice_.retired.keys() - failed)


def at_site(wanted: Wanted, site: Site) -> list[WantedSlice]:
    """The slices of a site, as its row names it."""
    return [one for one in wanted.slices.values() if one.site == site]


def siblings(wanted: Wanted, slices: Collection[Slice]) -> set[Slice]:
    """The slices that share a bound with one of these; of one that is gone nobody knows with whom."""
    bounded = {site for site, quota in wanted.sites.items() if quota.together.places}
    if not (bounded and slices):
        return set()
    known: Mapping[Slice, WantedSlice] = wanted.slices
    touched = bounded if slices - known.keys() else {known[name].site for name in slices} & bounded
    return {name for name, one in known.items() if one.site in touched}


def memory_passed(wanted: Wanted, before: WantedSlice, after: WantedSlice) -> str:
    """Why another limit of memory would take the slivers beyond a quota; empty if it does not.

    Less memory is always possible, also where a bound is passed already.
    """
    now, hosts = after.limits.memory, occupied(after)
    if not hosts or now == before.limits.memory or 0 < now < (before.limits.memory or now + 1):
        return ""
    for bound in (
        Shares(replace(wanted, slices={**wanted.slices, after.name: after}), frozenset()).of(after).bounds
    ):
        if bound.what == MEMORY and (not now or bound.used(hosts) > bound.most):
            return bound.sentence(bound.used(hosts))
    return ""
