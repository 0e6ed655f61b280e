"""What was ordered and not yet confirmed: when each order is due again.

The planner repeats an order while what it hears differs from what is wanted: at once when the order is
new, then after 2 s, 4 s, … at most 30 s. Soft: after a start everything that is not confirmed is due.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from dsmt_core.commands import Order, Verb
from dsmt_core.names import Application, Host, Slice
from planner.fleet import Fleet
from planner.reconcile.asked import Asked
from planner.reconcile.due import NEVER, Due
from planner.reconcile.footing import Footing
from planner.standing import NO_BARS, Bars

FIRST_S: Final = 2.0
MOST_S: Final = 30.0
# An order said so shortly before is still on its way to who asks for it; it is repeated if it is lost.
UNDER_WAY_S: Final = 1.0
# After 2 + 4 + 8 + 16 s whatever takes its time has ended.
_STUCK: Final = 5
_DOUBLINGS: Final = 8
"""Beyond this many doublings the bound is reached."""


class Key(NamedTuple):
    """What an order is about; the application is empty for a sliver and for a report."""

    slice: Slice
    host: Host
    application: Application
    about: str


@dataclass(slots=True)
class _Sent:
    order: Order | None
    times: int
    due: float
    said: int
    at: float = NEVER


class SentOrders:
    """Owned by the task that runs the rounds; `reconcile` changes it in place.

    Attributes:
        footings: where the last rounds left each slice.
        asked_by_people: what the last rounds found that people want.
        changed: the slices that the last round has changed: the next sees how they are now.
        is_thought: it is a copy for a round that is only thought of, to see who comes and who goes; so of a
            slice that is looked at whole only these hosts are ordered anything.
        listening_since: since when the planner hears what is said, without a gap; seconds.
    """

    def __init__(self) -> None:
        self._sent: dict[Slice, dict[Host, dict[Key, _Sent]]] = {}
        self._number = 0
        self._due = Due(self._due_of)
        self._answered: dict[tuple[Slice, Host], int] = {}
        self._just_answered: dict[Slice, set[Host]] = {}
        self._calm_until: dict[Slice, float] = {}
        self._look_at: dict[Slice, float] = {}
        self.is_thought = False
        self.listening_since = NEVER
        self._bars: Bars = NO_BARS
        self.footings: dict[Slice, Footing] = {}
        self.asked_by_people = Asked()
        self.changed: set[Slice] = set()

    def fork(self, slice_: Slice) -> SentOrders:
        """A copy of what concerns one slice, for a round that is only thought of."""
        copy = SentOrders()
        copy.is_thought = True
        for ours in self._sent.get(slice_, {}).values():
            for key, one in ours.items():
                known = copy._put(key, replace(one))
                copy._due.put(key, known.due, living=copy._number)
        copy._answered = dict(self._answered)
        copy._bars = self._bars
        copy.listening_since = self.listening_since
        copy._calm_until = {name: until for name, until in self._calm_until.items() if name == slice_}
        return copy

    # -- repeats --------------------------------------------------------------------------------------

    def send(self, key: Key, order: Order, *, now: float, said: int, force: bool = False) -> bool:
        """Whether an order that is not confirmed goes out now; it then counts as sent.

        Args:
            key: what it is about.
            order: the whole order; another than the last one is due at once.
            now: the time, seconds.
            said: how often the node has told its holdings (`planner.fleet.NodeSeen.said`).
            force: it goes out even though it is not due, because somebody asked.
        """
        known = self._known(key)
        if known is None or (known.order is not None and known.order != order):
            known = self._put(key, _Sent(order, 0, now, said))
        if not force and now < known.due:
            return False
        known.order, known.at = order, now
        known.due = now + min(FIRST_S * 2 ** min(known.times, _DOUBLINGS), MOST_S)
        known.times += 1
        self._due.put(key, known.due, living=self._number)
        return True

    def is_under_way(self, key: Key, order: Order, now: float) -> bool:
        """Whether just this order was sent so shortly before that who asks for it will read it yet."""
        known = self._known(key)
        return known is not None and known.order == order and 0.0 <= now - known.at < UNDER_WAY_S

    def postpone(self, key: Key, *, until: float) -> None:
        """Have the first order about ``key`` wait; one that is under way already does not."""
        if self._known(key) is None:
            self._put(key, _Sent(None, 0, until, 0))
            self._due.put(key, until, living=self._number)

    def keep(self, slice_: Slice, needed: Collection[Key], *, hosts: Iterable[Host] | None = None) -> None:
        """Forget the orders of a slice that are not needed any more: confirmed, or no longer wanted.

        Args:
            slice_: which one.
            needed: what is.
            hosts: only of these; None for all.
        """
        mine = self._sent.get(slice_, {})
        for host in list(mine) if hosts is None else [host for host in hosts if host in mine]:
            ours = mine[host]
            for key in ours.keys() - needed:
                del ours[key]
                self._number -= 1
            if not ours:
                del mine[host]
        if not mine:
            self._sent.pop(slice_, None)

    def heard_since(self, slice_: Slice, host: Host, seen: Fleet) -> bool:
        """Whether a node has told its holdings after the order to delete the sliver first went out."""
        known = self._known(sliver_key(slice_, host))
        node = seen.node(host)
        if known is None or known.order is None or node is None:
            return False
        return known.order.verb is Verb.DELETE and node.said > known.said

    def is_stuck(self, slice_: Slice, host: Host) -> bool:
        """Whether an order about a sliver was repeated often without being carried out."""
        known = self._known(sliver_key(slice_, host))
        return known is not None and known.times >= _STUCK

    def take_due(self, now: float) -> dict[Slice, set[Host]]:
        """Where an order has come to its time; told once, so whoever takes it has to look there.

        Who asked is among it, once: to who asks more is said than the next round would find missing.
        """
        found, self._just_answered = self._just_answered, {}
        for key in self._due.take(now):
            found.setdefault(key.slice, set()).add(key.host)
        return found

    def timed(self, now: float) -> set[Slice]:
        """The slices in which a pause, or a look, has come to its time."""
        times = (*self._calm_until.items(), *self._look_at.items())
        return {name for name, until in times if until <= now}

    def is_due(self, now: float) -> bool:
        """Whether an order, a pause or a look has come to its time."""
        return self._due.first() <= now or bool(self.timed(now))

    def next_due(self, now: float) -> float:
        """When the first of them comes to its time; infinity when none does."""
        times = (*self._calm_until.values(), *self._look_at.values())
        return min([self._due.first(), *(until for until in times if until > now)])

    def slices(self) -> set[Slice]:
        """The slices with orders that are not confirmed."""
        return set(self._sent)

    def _known(self, key: Key) -> _Sent | None:
        return self._sent.get(key.slice, {}).get(key.host, {}).get(key)

    def _put(self, key: Key, sent: _Sent) -> _Sent:
        ours = self._sent.setdefault(key.slice, {}).setdefault(key.host, {})
        self._number += key not in ours
        ours[key] = sent
        return sent

    def _due_of(self, key: Key) -> float:
        known = self._known(key)
        return NEVER if known is None else known.due

    # -- who asks -------------------------------------------------------------------------------------

    def owes(self, slice_: Slice, host: Host, seen: Fleet) -> bool:
        """Whether an agent (a container manager, with an empty slice) has asked and got no answer yet."""
        return seen.asked(slice_, host) > self._answered.get((slice_, host), 0)

    def answered(self, slice_: Slice, host: Host, seen: Fleet) -> None:
        """Its orders go out in this round."""
        asked = seen.asked(slice_, host)
        if asked:
            self._answered[slice_, host] = asked

    def revisit(self, slice_: Slice, host: Host) -> None:
        """What a host needs was decided for one who asked; the next round is to see what stays."""
        self._just_answered.setdefault(slice_, set()).add(host)

    # -- pauses ---------------------------------------------------------------------------------------

    def pause(self, slice_: Slice, until: float) -> None:
        """Have the slice looked at again at ``until``: more may be stopped then."""
        self._calm_until[slice_] = until

    def calm(self, slice_: Slice) -> None:
        """No pause need end a wait."""
        self._calm_until.pop(slice_, None)

    def bars_changed(self, bars: Bars) -> bool:
        """Whether other nodes are out of service than in the round before; these are remembered."""
        before, self._bars = self._bars, bars
        return before != bars

    def listens(self, now: float) -> None:
        """The planner hears what is said, at least from ``now`` on."""
        self.listening_since = min(self.listening_since, now)

    def deafened(self) -> None:
        """Something kept the planner from hearing; it begins to listen anew at the next round."""
        self.listening_since = NEVER

    def look_again(self, slice_: Slice, at: float) -> None:
        """Time alone changes something in a slice at ``at``; infinity: it does not."""
        if at == NEVER:
            self._look_at.pop(slice_, None)
        else:
            self._look_at[slice_] = at

    def forget(self, slices: Collection[Slice]) -> None:
        """Slices that are not there any more."""
        for slice_ in slices:
            self.keep(slice_, ())
            self.footings.pop(slice_, None)
            self.asked_by_people.forget(slice_)
            self._calm_until.pop(slice_, None)
            self._look_at.pop(slice_, None)


def sliver_key(slice_: Slice, host: Host) -> Key:
    """The key of CREATE and DELETE."""
    return Key(slice_, host, Application(""), "sliver")


def application_key(slice_: Slice, host: Host, application: Application) -> Key:
    """The key of the orders about an application."""
    return Key(slice_, host, application, "application")


def report_key(slice_: Slice, host: Host, about: str) -> Key:
    """The key of a REPORT asked of the ``node`` or of the ``agent``."""
    return Key(slice_, host, Application(""), f"report {about}")
