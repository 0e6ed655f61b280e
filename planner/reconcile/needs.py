"""What one host still needs of one slice: the orders that are not confirmed, in the order of the layers.

The container manager first; the agent only when it is known to listen in the sliver of the right
generation. What is confirmed needs nothing, unless whoever holds it asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from dsmt_core.commands import Order, Verb
from dsmt_core.lifecycle import State
from dsmt_core.names import Application, Host
from planner.abilities import withheld
from planner.fleet import ApplicationSeen, Fleet, NodeSeen, NodeState, SliverSeen
from planner.reconcile import orders
from planner.reconcile.sent import Key, application_key, report_key, sliver_key
from planner.release import said
from planner.rollout.releases import release_of
from planner.vouched import of_sliver, why_not
from planner.wanted import Placement, Run, WantedSlice

AGENT_S: Final = 5.0
"""An agent in a sliver that is there speaks up by itself within this time; then it is asked."""


@dataclass(frozen=True, slots=True)
class Need:
    """An order that is not confirmed.

    Attributes:
        key: what it is about.
        order: the whole order.
        force: whoever it is for has asked: it goes out at once.
        under_way: it counts as answered by an order that was sent just now: it is repeated if that is lost.
        after: seconds that the first one waits, for what may come by itself.
    """

    key: Key
    order: Order
    force: bool = False
    under_way: bool = False
    after: float = 0.0


@dataclass(slots=True)
class HostNeeds:
    """What one host needs, and what is waited for there, with the application it concerns."""

    orders: list[Need] = field(default_factory=list)
    waiting: list[tuple[Application, str]] = field(default_factory=list)

    def wait(self, reason: str, application: Application = Application("")) -> None:  # noqa: B008
        """Something is held back."""
        self.waiting.append((application, reason))


@dataclass(frozen=True, slots=True)
class Asking:
    """Who has asked: the container manager of the host, the slice's agent on it."""

    node: bool = False
    agent: bool = False

    def __bool__(self) -> bool:
        return self.node or self.agent


class SliceNeeds:
    """What the hosts of one slice need.

    Args:
        slice_: as it will be when this round is committed.
        seen: as folded.
        now: seconds of the clock of ``seen``.
    """

    def __init__(self, slice_: WantedSlice, seen: Fleet, *, now: float) -> None:
        self._slice = slice_
        self._seen = seen
        self._now = now
        self._placements: dict[Host, list[Placement]] = {}
        for placement in slice_.placements:
            self._placements.setdefault(placement.host, []).append(placement)

    def of_host(self, host: Host, asking: Asking) -> HostNeeds:
        """What a host of the slice needs."""
        needs, node, slice_ = HostNeeds(), self._seen.node(host), self._slice
        if node is None:
            needs.wait("the node has not joined")
            return needs
        if self._seen.state(host) is NodeState.FAILED and not asking:
            silence = max(self._now - self._seen.heard_at(host), 0)
            needs.wait(f"the node has not answered for {silence:.0f} s")
            return needs
        sliver = self._seen.sliver(slice_.name, host)
        if why := withheld(slice_, node, sliver):
            is_there = _is_there(slice_, node, host)
            needs.wait(why)
        else:
            is_there = _need_sliver(needs, slice_, node, host, asked=asking.node)
        if (is_there or asking.agent) and _is_agent_there(needs, slice_, sliver, host, asked=asking.agent):
            for placement in self._placements.get(host, ()):
                _need_application(needs, slice_, placement, sliver or SliverSeen(), asked=asking.agent)
            needs.orders += _strays(slice_, sliver or SliverSeen(), host, asked=asking.agent)
        return needs

    def of_retired(self, host: Host, asking: Asking) -> HostNeeds:
        """What a host needs that is to give up its sliver."""
        needs = HostNeeds()
        if self._seen.node(host) is None or (self._seen.state(host) is NodeState.FAILED and not asking):
            needs.wait("the sliver is to be deleted when the node is back")
            return needs
        name, generation = self._slice.name, self._slice.retired[host]
        order = orders.deletion(name, host, generation)
        needs.orders.append(Need(sliver_key(name, host), order, force=bool(asking)))
        needs.wait("the sliver is being deleted")
        return needs


def _need_sliver(needs: HostNeeds, slice_: WantedSlice, node: NodeSeen, host: Host, *, asked: bool) -> bool:
    """Order the sliver where it is not confirmed; True when it is there at the right generation."""
    is_there = _is_there(slice_, node, host)
    if is_there and not asked:
        return True
    if node.slivers is None:
        # Unknown is not false: the node is asked (by the round) before it is told.
        needs.wait("the node has not said yet what it holds")
        return False
    if slice_.name not in node.slivers and (why := why_not(slice_, of_sliver(slice_))):
        needs.wait(why)
        return False
    order = orders.creation(slice_, host)
    needs.orders.append(Need(sliver_key(slice_.name, host), order, force=asked))
    if not is_there:
        needs.wait("the sliver is ordered")
    return is_there


def _is_there(slice_: WantedSlice, node: NodeSeen, host: Host) -> bool:
    return node.slivers is not None and node.slivers.get(slice_.name) == slice_.hosts[host]


def _is_agent_there(
    needs: HostNeeds, slice_: WantedSlice, sliver: SliverSeen | None, host: Host, *, asked: bool
) -> bool:
    """Whether the agent listens; one that has not spoken since the planner began is asked to."""
    listens = sliver is not None and (sliver.agent_ready or asked)
    if not listens:
        needs.wait(_why_no_agent(sliver))
    if sliver is None or not (sliver.agent_ready and sliver.fresh):
        order = Order(verb=Verb.REPORT, host=host, slice=slice_.name, generation=0)
        needs.orders.append(Need(report_key(slice_.name, host, "agent"), order, after=AGENT_S))
    return listens


def _need_application(
    needs: HostNeeds, slice_: WantedSlice, placement: Placement, sliver: SliverSeen, *, asked: bool
) -> None:
    heard = sliver.applications.get(placement.application)
    if heard is None and (why := _unsigned(slice_, placement)):
        # Who has it already is told all the same, and goes on with what there is.
        needs.wait(why, placement.application)
        return
    confirmed = heard is not None and heard.generation == placement.generation
    if not confirmed or asked:
        order = orders.placed(slice_, placement, _verb(placement, heard))
        key = application_key(slice_.name, placement.host, placement.application)
        needs.orders.append(Need(key, order, force=asked, under_way=not confirmed))
    if not confirmed:
        needs.wait("the agent has not confirmed the order yet", placement.application)
    elif heard is not None and heard.state is State.FAILED and placement.run is Run.RUNNING:
        why = f": {heard.layer.reason}" if heard.layer.reason else ""
        needs.wait(f"it failed{why}", placement.application)
    elif heard is not None and (given_up := heard.given_up(placement.release)):
        needs.wait(f"gave up {said(placement.release)}: {given_up}", placement.application)


def _unsigned(slice_: WantedSlice, placement: Placement) -> str:
    return why_not(slice_, release_of(slice_, placement.application, placement.release).packages)


def _verb(placement: Placement, heard: ApplicationSeen | None) -> Verb:
    """The verb that says best what changes; the order says the whole of what is wanted in any case."""
    if placement.run is Run.STOPPED:
        return Verb.STOP
    if heard is None or not heard.version:
        return Verb.APPCONFIG
    if heard.version != placement.version:
        return Verb.UPDATE
    if heard.restarts < placement.restarts or heard.configuration != placement.configuration:
        return Verb.RESTART
    return Verb.START if heard.state is State.TERMINATED else Verb.APPCONFIG


def _strays(slice_: WantedSlice, sliver: SliverSeen, host: Host, *, asked: bool) -> Iterator[Need]:
    """What the agent holds and nobody wants."""
    for name in sorted(sliver.applications.keys() - slice_.applications.keys()):
        if sliver.applications[name].held:
            order = orders.removal(slice_, host, name)
            yield Need(application_key(slice_.name, host, name), order, force=asked)


def _why_no_agent(sliver: SliverSeen | None) -> str:
    for layer, name in ((sliver and sliver.agent, "agent"), (sliver and sliver.container, "sliver")):
        if layer and layer.state is State.FAILED:
            return f"the {name} failed{layer.reason and f': {layer.reason}'}"
    return "the sliver is there and its agent starts"
