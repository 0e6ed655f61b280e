"""One round: over the hosts and slices that are dirty, or over everything."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Final

from dsmt_core.commands import Order, Verb
from dsmt_core.names import Host, Slice
from planner.allotment import Shares, siblings
from planner.disruption import Disruption
from planner.fleet import NODE, Dirty, Fleet, NodeState
from planner.placement import Placed, place
from planner.reconcile.footing import Footing
from planner.reconcile.needs import Asking, HostNeeds, Need, SliceNeeds
from planner.reconcile.orders import deletion
from planner.reconcile.scope import everything, scope_of
from planner.reconcile.sent import Key, SentOrders, report_key, sliver_key
from planner.reconcile.settling import Leavers, change_of, leavers, settle
from planner.restraint import CALM_S, Restraint, after, licence
from planner.rollout.judging import Time
from planner.rollout.round import Steps, rollout_steps
from planner.standing import Bars, bars_at, next_change
from planner.steps import Round, SliceChange, Waiting
from planner.wanted import Wanted, WantedSlice

DIFFERS_S: Final = 1.0
"""A heartbeat may overtake the holdings that it is the digest of; so long a difference is no news."""

# An order to a container manager needs a slice in its channel; a report of all slivers is of none.
ALL_SLICES: Final = Slice("dsmt")


def reconcile(
    wanted: Wanted,
    seen: Fleet,
    *,
    sent: SentOrders,
    now: float,
    only: Dirty | None = None,
) -> Round:
    """What is missing between wanted and seen.

    Args:
        wanted: as committed; read only.
        seen: as folded; read only.
        sent: what was ordered before; changed in place: the orders of the answer count as sent.
        now: seconds of the clock of ``seen``.
        only: what to look at (`Fleet.take_dirty`, and what people have changed), besides what is due; None
            for everything, as every 30 s. The answer is the same: what is not dirty needs nothing new.

    Returns:
        The changes to commit, then the queues, then the orders, and what waits.
    """
    sent.listens(now)
    bars = bars_at(wanted.standings, now)
    if sent.bars_changed(bars) or (only is not None and only.everything):
        only = None
    scope = everything(wanted) if only is None else scope_of(wanted, seen, sent, only, now)
    shares = Shares(wanted, seen.back_or_failed())
    work = _Work(seen, sent, now, bars, shares, plans=only is None or only.plans)
    for name in sorted(scope.keys() & wanted.slices.keys()):
        work.slice(wanted.slices[name], scope[name])
    work.strangers(wanted)
    work.nodes()
    # All slices of a node that asks are looked at.
    for host in seen.hosts if only is None else only.nodes:
        sent.answered(NODE, host, seen)
    others = siblings(wanted, {change.slice for change in work.changes})
    sent.forget(sent.slices() - wanted.slices.keys() - seen.held_slices() - {NODE})
    return Round(
        changes=tuple(work.changes),
        agent_queues=tuple(work.agent_queues),
        gone_queues=tuple(work.gone_queues),
        orders=tuple(work.orders),
        waiting=tuple(work.waiting),
        looked_at=frozenset(scope),
        partly=work.partly,
        again_at=now if others else min(sent.next_due(now), next_change(wanted.standings, now)),
    )


@dataclass(slots=True)
class _Work:
    """One round as it grows; ``plans``: any plan may select other hosts than in the round before."""

    seen: Fleet
    sent: SentOrders
    now: float
    bars: Bars
    shares: Shares
    plans: bool
    changes: list[SliceChange] = field(default_factory=list)
    agent_queues: list[tuple[Slice, Host]] = field(default_factory=list)
    gone_queues: list[tuple[Slice, Host]] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    partly: dict[Slice, frozenset[Host]] = field(default_factory=dict)

    def slice(self, slice_: WantedSlice, hosts: AbstractSet[Host] | None) -> None:
        """One slice, if it is managed: where it should be, what changes, what is to be ordered.

        Args:
            slice_: as committed.
            hosts: where something has changed; None when anything may have.
        """
        if not slice_.managed:
            self.sent.keep(slice_.name, ())
            self.sent.look_again(slice_.name, float("inf"))
            return
        leaving = leavers(slice_, self.seen, self.sent)
        placed, restraint = self._as_before(slice_, hosts) or self._placed(slice_, leaving.gone)
        changed = leaving.gone or leaving.stuck or restraint != slice_.restraint
        if hosts is None or changed or not self._part(slice_, placed, hosts):
            self._whole(slice_, placed, leaving, restraint)

    def _whole(self, slice_: WantedSlice, placed: Placed, leaving: Leavers, restraint: Restraint) -> None:
        self.waiting += placed.waiting
        steps, hosts = self._rolled_out(slice_, placed), placed.hosts
        settled = settle(steps.applied(slice_), self.seen, hosts, leaving=leaving, targets=steps.targets)
        if restraint is not slice_.restraint:
            settled = replace(settled, restraint=restraint)
        self.sent.footings.pop(slice_.name, None)
        if settled != slice_:
            self.changes.append(change_of(settled, steps))
            self.gone_queues += [(slice_.name, host) for host in sorted(leaving.gone - hosts)]
            self.sent.changed.add(slice_.name)
        elif steps == Steps():
            self.sent.footings[slice_.name] = Footing.of(slice_, placed)
        if self.sent.is_thought:
            settled = Footing.of(settled, placed).part(settled.hosts.keys() ^ slice_.hosts.keys())
        self.sent.keep(slice_.name, self._order(settled))
        fits = self.seen.fits(slice_.name)
        self._tell_fits(slice_.name, fits.out)
        for application, reason in sorted(fits.doubts.items()):
            self.waiting.append(Waiting(slice=slice_.name, application=application, reason=reason))

    def _part(self, slice_: WantedSlice, placed: Placed, hosts: AbstractSet[Host]) -> bool:
        """Look at these hosts of a slice only; False when that would not do."""
        footing = self.sent.footings.get(slice_.name)
        if footing is None or not footing.holds(slice_, placed):
            return False
        part = footing.part(hosts)
        leaving = Leavers(held=self.seen.holders(slice_.name) & hosts)
        if settle(part, self.seen, placed.hosts & hosts, leaving=leaving) != part:
            return False
        self.partly[slice_.name] = frozenset(hosts)
        self.waiting += [one for one in placed.waiting if one.host in hosts]
        self.sent.keep(slice_.name, self._order(part), hosts=hosts)
        out = self.seen.fits(slice_.name).out
        self._tell_fits(slice_.name, {host: out[host] for host in hosts if host in out})
        return True

    def _tell_fits(self, slice_: Slice, out: Mapping[Host, str]) -> None:
        """Say which hosts are left alone."""
        for host, reason in sorted(out.items()):
            self.waiting.append(Waiting(slice=slice_, host=host, reason=reason))

    def strangers(self, wanted: Wanted) -> None:
        """Slivers of slices that nobody knows: they go, by an order above the one that they follow."""
        for name in sorted(self.seen.held_slices() - wanted.slices.keys()):
            needed: set[Key] = set()
            for host in sorted(self.seen.holders(name)):
                if self.seen.state(host) is NodeState.FAILED and not self._asking(name, host):
                    continue
                generation = (self.seen.held(name, host) or 0) + 1
                order = deletion(name, host, generation)
                need = Need(sliver_key(name, host), order, force=bool(self._asking(name, host)))
                self._send(need, needed)
                self.sent.answered(name, host, self.seen)
            self.sent.keep(name, needed)

    def nodes(self) -> None:
        """Ask nodes what they hold, where that is not known or not what their heartbeats tell."""
        needed: set[Key] = set()
        for host in sorted(self.seen.unclear()):
            node = self.seen.node(host)
            if node is None or self.seen.state(host) in {NodeState.FAILED, NodeState.UNKNOWN}:
                continue
            order = Order(verb=Verb.REPORT, host=host, slice=ALL_SLICES, generation=0)
            self._send(Need(report_key(NODE, host, "node"), order, after=DIFFERS_S), needed)
        self.sent.keep(NODE, needed)

    def _rolled_out(self, slice_: WantedSlice, placed: Placed) -> Steps:
        """The next steps of its roll-outs; what leaves in this round is of the same budget."""
        disruption = self._disruption(slice_)
        time = Time(self.now, self.sent.listening_since)
        leaving = len(slice_.hosts.keys() - placed.hosts)
        steps = rollout_steps(disruption, placed.hosts, leaving=leaving, time=time)
        self.waiting += steps.waiting
        self.sent.look_again(slice_.name, steps.again_at)
        return steps

    def _as_before(
        self, slice_: WantedSlice, hosts: AbstractSet[Host] | None
    ) -> tuple[Placed, Restraint] | None:
        """Where it should be, if that can only be what it was."""
        footing = self.sent.footings.get(slice_.name)
        if (
            self.plans
            or hosts is None
            or footing is None
            or footing.slice is not slice_
            or not footing.rests
        ):
            return None
        return footing.placed, slice_.restraint

    def _placed(self, slice_: WantedSlice, gone: frozenset[Host]) -> tuple[Placed, Restraint]:
        name, asked = slice_.name, self.sent.asked_by_people.of(slice_)
        allowed = licence(slice_.restraint, asked, instances=len(slice_.hosts))
        placed = place(self._disruption(slice_), licence=allowed, gone=gone)
        self.shares.take(slice_, placed.hosts)
        is_held = any(one.to_agree for one in placed.waiting)
        restraint = after(slice_.restraint, asked, stopped=placed.stopped, is_held=is_held, now=self.now)
        if placed.stopped:
            self.sent.pause(name, self.now + CALM_S)
        elif not restraint.stopped or is_held:
            self.sent.calm(name)
        return placed, restraint

    def _disruption(self, slice_: WantedSlice) -> Disruption:
        return Disruption(slice_, self.seen, self.bars, self.shares.of(slice_))

    def _order(self, slice_: WantedSlice) -> set[Key]:
        """What the hosts need is ordered; the orders that are still needed."""
        needed: set[Key] = set()
        needs = SliceNeeds(slice_, self.seen, now=self.now)
        for host in sorted(slice_.retired):
            self._take(slice_, host, needs.of_retired(host, self._asking(slice_.name, host)), needed)
        for host in sorted(slice_.hosts):
            self._take(slice_, host, needs.of_host(host, self._asking(slice_.name, host)), needed)
        return needed

    def _take(self, slice_: WantedSlice, host: Host, needs: HostNeeds, needed: set[Key]) -> None:
        queues: list[tuple[Slice, Host]] = []
        for need in needs.orders:
            went = self._send(need, needed)
            if went and need.order.verb is not Verb.DELETE and (slice_.name, host) not in queues:
                queues.append((slice_.name, host))
        self.agent_queues += queues
        for application, reason in needs.waiting:
            self.waiting.append(
                Waiting(slice=slice_.name, host=host, application=application, reason=reason)
            )
        self.sent.answered(slice_.name, host, self.seen)

    def _asking(self, slice_: Slice, host: Host) -> Asking:
        asking = Asking(
            node=self.sent.owes(NODE, host, self.seen), agent=self.sent.owes(slice_, host, self.seen)
        )
        if asking:
            self.sent.revisit(slice_, host)
        return asking

    def _send(self, need: Need, needed: set[Key]) -> bool:
        needed.add(need.key)
        node = self.seen.node(need.key.host)
        if need.after:
            self.sent.postpone(need.key, until=self.now + need.after)
        force = need.force and not (
            need.under_way and self.sent.is_under_way(need.key, need.order, self.now)
        )
        went = self.sent.send(
            need.key, need.order, now=self.now, said=node.said if node else 0, force=force
        )
        if went:
            self.orders.append(need.order)
        return went
