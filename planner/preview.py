"""Preview: what a change by people would set in motion, host by host, in the order of the rounds.

The rounds themselves decide: `reconcile` is run over a copy of what was sent, as if the change were
committed, then placement again as if what was to end had ended, until nothing more moves. So a preview
cannot say anything else than what would be done, as long as the world stays as it is seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from dsmt_core.names import Host
from planner.allotment import Shares
from planner.disruption import Disruption
from planner.fleet import Dirty, Fleet
from planner.outlook import world_of
from planner.placement import asked_for, place, selection_of
from planner.plans import Reason, Selection
from planner.reconcile import SentOrders, reconcile
from planner.restraint import Licence
from planner.standing import bars_at
from planner.steps import Waiting
from planner.stepwise import at_once
from planner.wanted import Wanted, WantedSlice

STEPS: Final = 20
"""Where nothing new begins before what it replaces has ended two steps are enough; this ends any loop."""
_DIGITS: Final = 16
_PORTION: Final = 500


class Does(StrEnum):
    """What happens to a host: its sliver of the slice begins or ends."""

    START = "start"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One host that is touched.

    Attributes:
        step: 1 at once; 2 when what step 1 ends has ended, and so on.
        reason: why the plan has it in, or out.
        replaces: the host that this one begins in the place of; empty when it is none's.
        waits: why nothing goes out to it yet; empty when nothing is waited for.
    """

    host: Host
    does: Does
    step: int
    reason: Reason
    replaces: Host = Host("")  # noqa: RUF009 - a NewType is a plain str
    waits: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """One host that is held back for people to agree, and why the plan gives it up."""

    host: Host
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would happen.

    Attributes:
        touched: the hosts, who is touched first first.
        waiting: what is held back, and why, of no host that is touched.
        stays: how many hosts keep what they have.
        asks: how many hosts the plan asks for.
        missing: how many of them it does not find.
        held: hosts that go only when people agree (`planner.restraint`), sorted.
        index: a digest of what all this rests on: the slice as it is wanted, the change, and what the
            plan selects now; not of times.
    """

    touched: tuple[Touch, ...]
    waiting: tuple[Waiting, ...]
    stays: int
    asks: int
    missing: int
    held: tuple[Held, ...]
    index: str

    @property
    def held_index(self) -> str:
        """A digest of who goes when people agree; empty when nobody does."""
        return digest_of([one.host for one in self.held]) if self.held else ""

    @property
    def moves(self) -> int:
        """How many begin in the place of another."""
        return sum(1 for one in self.touched if one.replaces)

    @property
    def starts(self) -> int:
        """How many begin besides."""
        return sum(1 for one in self.touched if one.does is Does.START) - self.moves

    @property
    def stops(self) -> int:
        """How many end, and nothing begins in their place."""
        return sum(1 for one in self.touched if one.does is Does.STOP) - self.moves


def preview(wanted: Wanted, changed: WantedSlice, seen: Fleet, *, sent: SentOrders, now: float) -> Preview:
    """What a slice would become if it were changed by people now.

    Args:
        wanted: as committed.
        changed: the slice as they want it; its plans are checked. As it is, when they want nothing new.
        seen: as folded.
        sent: what was ordered; it is copied, and stays as it is.
        now: seconds of the clock of ``seen``.

    Raises:
        NotFound, Invalid, Conflict: a plan was not checked.
    """
    return at_once(previewing(wanted, changed, seen, sent=sent, now=now))


def previewing(
    wanted: Wanted, changed: WantedSlice, seen: Fleet, *, sent: SentOrders, now: float
) -> Generator[None, None, Preview]:
    """`preview` in steps, between which ``seen`` may change: for who only looks and changes nothing."""
    bars = bars_at(wanted.standings, now)
    selection = selection_of(changed, world_of(changed, seen, bars))
    course = _Course(wanted, changed, seen, sent.fork(changed.name))
    if changed.managed:
        yield from course.run(now)
    touched = _paired((yield from course.touched(selection)), selection)
    yield
    waiting = course.waiting()
    held = sorted({one.host for one in waiting if one.to_agree})
    return Preview(
        touched=touched,
        waiting=waiting,
        stays=len(changed.hosts.keys() - {one.host for one in touched}),
        asks=asked_for(selection),
        missing=selection.missing,
        held=tuple(Held(host, selection.reason(host)) for host in held),
        index=_index(wanted.slices.get(changed.name), changed, selection, touched),
    )


class _Course:
    """The rounds to come, as long as nothing but what they order happens."""

    def __init__(self, wanted: Wanted, changed: WantedSlice, seen: Fleet, sent: SentOrders) -> None:
        self._wanted = replace(wanted, slices={**wanted.slices, changed.name: changed})
        self._slice = changed
        self._seen = seen
        self._sent = sent
        self._steps: list[list[tuple[Host, Does]]] = []
        self._unsent: dict[Host, str] = {}
        self._waiting: tuple[Waiting, ...] = ()

    def run(self, now: float) -> Generator[None]:
        """The next round as it will be, then those for which only the end of something is waited."""
        yield
        name = self._slice.name
        round_ = reconcile(self._wanted, self._seen, sent=self._sent, now=now, only=Dirty(slices={name}))
        ordered = dict.fromkeys(order.host for order in round_.orders if order.slice == name)
        why = {one.host: one.reason for one in round_.waiting if one.slice == name}
        self._unsent = {host: reason for host, reason in why.items() if host not in ordered}
        before = self._slice
        for change in round_.changes:
            if change.slice == name:
                self._take(change.hosts, change.retired, order=list(ordered))
        bars = bars_at(self._wanted.standings, now)
        shares = Shares(self._wanted, self._seen.back_or_failed())
        gone = self._slice.retired.keys() | before.hosts.keys() - self._slice.hosts.keys()
        for _ in range(STEPS):
            yield
            disruption = Disruption(self._slice, self._seen, bars, shares.of(self._slice))
            placed = place(disruption, licence=Licence(), gone=frozenset(gone))
            self._waiting = placed.waiting
            if placed.hosts == self._slice.hosts.keys():
                break
            gone |= self._slice.hosts.keys() - placed.hosts
            self._take(dict.fromkeys(placed.hosts, 0), {}, order=())

    def touched(self, selection: Selection) -> Generator[None, None, list[Touch]]:
        """Who is touched, in order."""
        yield
        found: list[Touch] = []
        for number, step in enumerate(self._steps, 1):
            for host, does in step:
                known = host in selection.ground.rows
                reason = selection.reason(host) if known else Reason("the node was forgotten", "", "")
                waits = self._unsent.get(host, "") if number == 1 else ""
                found.append(Touch(host=host, does=does, step=number, reason=reason, waits=waits))
                if not len(found) % _PORTION:
                    yield
        return found

    def waiting(self) -> tuple[Waiting, ...]:
        """What is held back after all that."""
        if not self._slice.managed:
            reason = "the slice is not managed: nothing is touched until it is"
            return (Waiting(slice=self._slice.name, reason=reason),)
        return self._waiting

    def _take(
        self, hosts: Mapping[Host, int], retired: Mapping[Host, int], *, order: Sequence[Host]
    ) -> None:
        left, joined = self._slice.hosts.keys() - hosts.keys(), hosts.keys() - self._slice.hosts.keys()
        place_of = {host: place for place, host in enumerate(order)}
        moved = sorted(
            [*((host, Does.STOP) for host in left), *((host, Does.START) for host in joined)],
            key=lambda one: (place_of.get(one[0], len(place_of)), one[1] is Does.START, one[0]),
        )
        if moved:
            self._steps.append(moved)
        self._slice = replace(self._slice, hosts=hosts, retired=retired)


def _paired(touched: Sequence[Touch], selection: Selection) -> tuple[Touch, ...]:
    """Who begins in whose place: only where a limit makes the one wait for the other."""
    starts = [one.host for one in touched if one.does is Does.START]
    ended = [one.host for one in touched if one.does is Does.STOP] if selection.bound is not None else []
    moves = min(len(starts), len(ended))
    # Those that begin last wait for the others' end.
    place_of = dict(zip(starts[len(starts) - moves :], ended, strict=False))
    return tuple(replace(one, replaces=place_of.get(one.host, one.replaces)) for one in touched)


def _index(
    before: WantedSlice | None, changed: WantedSlice, selection: Selection, touched: Iterable[Touch]
) -> str:
    """The digest; equal as long as the same change would do the same to the same slice."""
    rests_on = (
        *(form_of(one) for one in (before, changed) if one is not None),
        selection.hosts,
        selection.missing,
        [(one.host, one.does.value, one.step) for one in touched],
    )
    return digest_of(rests_on)


def digest_of(rests_on: object) -> str:
    """A short digest of what something rests on: equal for what is written alike."""
    return hashlib.sha256(repr(rests_on).encode()).hexdigest()[:_DIGITS]


def form_of(slice_: WantedSlice) -> tuple[object, ...]:
    """A slice in one form only; placements are as old as its generation says."""
    return (
        slice_.name,
        slice_.managed,
        slice_.generation,
        slice_.plan,
        sorted(slice_.plan_parameters.items()),
        sorted((one.name, one.base, sorted(one.parameters.items())) for one in slice_.plans.values()),
        sorted(
            (one.name, one.release.name, one.run.value, one.restarts)
            for one in slice_.applications.values()
        ),
        sorted(slice_.hosts.items()),
        sorted(slice_.retired.items()),
    )
