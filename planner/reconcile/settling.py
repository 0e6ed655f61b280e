"""Settling: what of a slice's wanted changes in this round, with the generation that it gets.

The generation is one counter for each slice. A round that changes hosts, placements or releases raises it
above everything that was ever heard of the slice: a planner whose database was restored from an older
copy continues above its own past, and what it then repeats is obeyed. A number that it gave away twice
shows by the digests of the orders (`planner.reconcile.orders`): what follows the other order is told anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from dsmt_core.names import Application, Host, Slice
from planner.fleet import ApplicationSeen, Fleet, NodeSeen
from planner.placement import is_gone
from planner.reconcile.orders import DELETION, REMOVAL, Digests, creation_digest
from planner.reconcile.sent import SentOrders
from planner.release import ReleaseName
from planner.rollout.round import Steps
from planner.steps import SliceChange
from planner.wanted import Placement, WantedApplication, WantedSlice

Targets = Mapping[Application, Mapping[Host, ReleaseName]]
NO_TARGETS: Final[Targets] = MappingProxyType({})
# Before every generation: where nothing was ordered, or heard.
_NO_ORDER: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Leavers:
    """What is known of a slice's slivers that end, or should.

    Attributes:
        gone: retired hosts that need not be waited for.
        stuck: retired hosts to be told anew.
        held: the hosts that say they hold a sliver, of those that are looked at.
    """

    gone: frozenset[Host] = frozenset()
    stuck: frozenset[Host] = frozenset()
    held: AbstractSet[Host] = frozenset()


def leavers(slice_: WantedSlice, seen: Fleet, sent: SentOrders) -> Leavers:
    """What is known of all of them."""
    return Leavers(
        gone=gone_hosts(slice_, seen, sent),
        stuck=stuck_hosts(slice_, seen, sent),
        held=seen.holders(slice_.name),
    )


def gone_hosts(slice_: WantedSlice, seen: Fleet, sent: SentOrders) -> frozenset[Host]:
    """The retired hosts that are known to have given up their sliver."""
    return frozenset(
        host
        for host in slice_.retired
        if is_gone(slice_, seen, host, heard_since=sent.heard_since(slice_.name, host, seen))
    )


def stuck_hosts(slice_: WantedSlice, seen: Fleet, sent: SentOrders) -> frozenset[Host]:
    """Hosts that hold on to a sliver at the very generation of the order to delete it.

    That number was given before, to another order, which a restored database has forgotten. Who says which
    order it follows is known at once (`settle`); this is for nodes that do not.
    """
    return frozenset(
        host
        for host, generation in slice_.retired.items()
        if seen.held(slice_.name, host) == generation and sent.is_stuck(slice_.name, host)
    )


def settle(
    slice_: WantedSlice,
    seen: Fleet,
    hosts: AbstractSet[Host],
    *,
    leaving: Leavers,
    targets: Targets = NO_TARGETS,
) -> WantedSlice:
    """The slice as it is to be committed; equal to ``slice_`` when nothing changes.

    Args:
        slice_: as committed.
        seen: as folded.
        hosts: where its slivers should be, as `planner.placement.place` decided.
        leaving: what is known of the slivers that end, or should.
        targets: which release hosts should have of an application that is being rolled out; all others
            have the slice's.
    """
    heard = max(_heard(slice_, seen, leaving.held), default=_NO_ORDER)
    generation = 1 + max(slice_.generation, heard)
    staying = hosts | leaving.gone | seen.forgotten
    ending = (slice_.retired.keys() | slice_.hosts.keys() | leaving.held) - staying
    retired = _retired(slice_, seen, ending, generation)
    retired |= dict.fromkeys(leaving.stuck & retired.keys(), generation)
    told = _hosts(slice_, seen, hosts, generation)
    placements = _placements(slice_, seen, hosts, targets, generation)
    if (told, retired) == (slice_.hosts, slice_.retired) and placements is slice_.placements:
        after = slice_
    else:
        after = replace(slice_, hosts=told, retired=retired, placements=placements)
    if heard > slice_.generation:
        # The database is older than what happened: of the orders in between nothing is known, and an equal
        # generation may mean another order. Everything is ordered anew; what is so already stays.
        return _anew(after, generation)
    if _uses(after, generation) or _strayed(slice_, seen, hosts):
        return replace(after, generation=generation)
    return after


def _anew(slice_: WantedSlice, generation: int) -> WantedSlice:
    return replace(
        slice_,
        generation=generation,
        hosts=dict.fromkeys(slice_.hosts, generation),
        retired=dict.fromkeys(slice_.retired, generation),
        placements=tuple(replace(placement, generation=generation) for placement in slice_.placements),
    )


def change_of(slice_: WantedSlice, steps: Steps) -> SliceChange:
    """What a settled slice, with the steps of its roll-outs, asks the store to commit."""
    return SliceChange(
        slice=slice_.name,
        generation=slice_.generation,
        hosts=slice_.hosts,
        retired=slice_.retired,
        placements=slice_.placements,
        rollouts=steps.rollouts,
        releases=steps.releases,
        restraint=slice_.restraint,
    )


def _heard(slice_: WantedSlice, seen: Fleet, held: AbstractSet[Host]) -> Iterator[int]:
    """Every generation of the slice that was heard."""
    for host in held | slice_.hosts.keys() | slice_.retired.keys():
        yield _heard_of_sliver(seen.node(host), slice_.name)
        sliver = seen.sliver(slice_.name, host)
        for application in sliver.applications.values() if sliver else ():
            yield application.generation


def _heard_of_sliver(node: NodeSeen | None, slice_: Slice) -> int:
    """The highest generation that a node follows or followed for a sliver; -1 when there is none."""
    follows = _followed(node, slice_)
    gone = _NO_ORDER if node is None else node.gone.get(slice_, _NO_ORDER)
    return max(follows, gone)


def _followed(node: NodeSeen | None, slice_: Slice) -> int:
    """The generation that a node follows for a sliver; -1 when there is none."""
    if node is None or node.slivers is None:
        return _NO_ORDER
    return node.slivers.get(slice_, _NO_ORDER)


def _hosts(slice_: WantedSlice, seen: Fleet, hosts: AbstractSet[Host], generation: int) -> dict[Host, int]:
    """The hosts with what their container managers are told; raised where one follows a higher order."""
    settled: dict[Host, int] = {}
    name, digest = slice_.name, creation_digest(slice_)
    for host in sorted(hosts):
        told = slice_.hosts.get(host, _NO_ORDER)
        node = seen.node(host)
        # What a node has deleted at this very generation it would refuse to make again.
        deleted = _NO_ORDER if node is None else node.gone.get(name, _NO_ORDER)
        obeyed = told >= _followed(node, name) and told > deleted
        other = _follows_other(node, name, told=told, digest=digest)
        settled[host] = told if obeyed and not other and host in slice_.hosts else generation
    return settled


def _follows_other(node: NodeSeen | None, slice_: Slice, *, told: int, digest: str) -> bool:
    """Whether a node follows, for the sliver, another order of the very generation that it was told."""
    if node is None or node.slivers is None or node.slivers.get(slice_) != told:
        return False
    return node.orders.get(slice_, digest) != digest


def _strayed(slice_: WantedSlice, seen: Fleet, hosts: AbstractSet[Host]) -> bool:
    """Whether what nobody wants follows, at the slice's own generation, another order than to go."""
    for host in hosts:
        sliver = seen.sliver(slice_.name, host)
        strays = sliver.applications.keys() - slice_.applications.keys() if sliver else ()
        for name in strays:
            heard = sliver.applications[name] if sliver else ApplicationSeen()
            if heard.generation == slice_.generation and heard.digest not in {"", REMOVAL}:
                return True
    return False


def _retired(
    slice_: WantedSlice, seen: Fleet, leaving: AbstractSet[Host], generation: int
) -> dict[Host, int]:
    """The hosts whose sliver is to be deleted; also where one is held that nobody placed there."""
    settled: dict[Host, int] = {}
    for host in sorted(leaving):
        told = slice_.retired.get(host, _NO_ORDER)
        node = seen.node(host)
        other = _follows_other(node, slice_.name, told=told, digest=DELETION)
        obeyed = told >= _followed(node, slice_.name) and not other
        settled[host] = told if host in slice_.retired and obeyed else generation
    return settled


def _placements(
    slice_: WantedSlice, seen: Fleet, hosts: AbstractSet[Host], targets: Targets, generation: int
) -> tuple[Placement, ...]:
    """One placement for each application on each host; what is there already keeps what people turned."""
    before = {(placement.host, placement.application): placement for placement in slice_.placements}
    settled: list[Placement] = []
    digests = Digests(slice_)
    applications = [(name, one, one.release.name) for name, one in sorted(slice_.applications.items())]
    for host in sorted(hosts):
        joined = host not in slice_.hosts
        sliver = seen.sliver(slice_.name, host)
        for name, wanted, usual in applications:
            known = None if joined else before.get((host, name))
            release = targets[name].get(host, usual) if name in targets else usual
            placed = _placed(wanted, slice_.name, host, known).at(release)
            if placed is not known:
                placed = replace(placed, generation=generation)
            heard = sliver.applications.get(name) if sliver else None
            if heard is not None and _is_passed(placed, heard, digests):
                placed = replace(placed, generation=generation)
            settled.append(placed)
    # The store need not keep an order; another order is no change.
    same = len(settled) == len(slice_.placements) and (
        tuple(settled) == slice_.placements or frozenset(settled) == frozenset(slice_.placements)
    )
    return slice_.placements if same else tuple(settled)


def _is_passed(placed: Placement, heard: ApplicationSeen, digests: Digests) -> bool:
    """Whether an agent follows an order that the one for a placement does not come after."""
    if heard.generation != placed.generation or not heard.digest:
        return heard.generation > placed.generation
    return heard.digest != digests.of(placed)


def _placed(wanted: WantedApplication, slice_: Slice, host: Host, known: Placement | None) -> Placement:
    """An application on a host as it should be, the very one that is known where it is so already.

    Release and generation are the caller's to give.
    """
    if known is not None:
        return known if known.restarts >= wanted.restarts else replace(known, restarts=wanted.restarts)
    return Placement(
        slice=slice_,
        host=host,
        application=wanted.name,
        version=wanted.version,
        generation=_NO_ORDER,
        run=wanted.run,
        restarts=wanted.restarts,
    )


def _uses(after: WantedSlice, generation: int) -> bool:
    """Whether anything of the slice got the generation of this round."""
    placed = (placement.generation for placement in after.placements)
    return generation in {*after.hosts.values(), *after.retired.values(), *placed}
