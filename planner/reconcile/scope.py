"""The scope of a round: of each slice the hosts to look at, or the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from dsmt_core.names import Host, Slice
from planner.allotment import siblings
from planner.fleet import Dirty, Fleet
from planner.plans.sets import OF_SLICE
from planner.reconcile.sent import SentOrders
from planner.wanted import Wanted, WantedSlice

# These hosts of a slice, or (None) the whole.
Scope = Mapping[Slice, AbstractSet[Host] | None]


def everything(wanted: Wanted) -> Scope:
    """All slices whole."""
    return dict.fromkeys(wanted.slices)


def followed(slice_: WantedSlice) -> frozenset[Slice]:
    """The slices that the plans of a slice follow: what they do decides where it is placed."""
    given = (slice_.plan_parameters, *(plan.parameters for plan in slice_.plans.values()))
    return frozenset(Slice(some[OF_SLICE]) for some in given if OF_SLICE in some)


def scope_of(wanted: Wanted, seen: Fleet, sent: SentOrders, only: Dirty, now: float) -> Scope:
    """What is dirty, or due; also slices that are wanted no longer.

    Args:
        wanted: as committed.
        seen: as folded.
        sent: what is due is taken from it.
        only: what is dirty, which is not everything.
        now: seconds of the clock of ``seen``.
    """
    hosts: dict[Slice, set[Host]] = {name: set() for name in wanted.slices} if only.plans else {}
    for told in (only.hosts, sent.take_due(now)):
        for name, some in told.items():
            hosts.setdefault(name, set()).update(some)
    heard = only.hosts.keys() | only.slices
    for slice_ in wanted.slices.values() if heard or only.clear else ():
        follows = followed(slice_)
        if heard & follows or (only.clear and follows):
            hosts.setdefault(slice_.name, set())
    for slice_ in wanted.slices.values() if only.nodes else ():
        mine = slice_.hosts, slice_.retired, seen.holders(slice_.name)
        if some := {host for host in only.nodes if any(host in these for these in mine)}:
            hosts.setdefault(slice_.name, set()).update(some)
    whole = only.slices | sent.timed(now) | sent.changed
    sent.changed = set()
    for name in siblings(wanted, whole):
        # What one gave up another may have.
        hosts.setdefault(name, set())
    return {name: None if name in whole else hosts[name] for name in hosts.keys() | whole}
