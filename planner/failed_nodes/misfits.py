"""Misfits: hosts on which an application of a slice does not come to run, though it does elsewhere.

The agent tries by itself first, for as long as it has patience. What still fails then is evidence against
the host for this slice, and for no other: placement takes the host for failed there, a replacement goes
elsewhere, and the host is tried again after a wait that grows each time. Another version of the application
is another matter: what the last one did is forgotten.

The judge doubts itself first, as the tracker does: where an application fails on more hosts than it runs
on, no host is to blame, and nothing moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from dsmt_core.lifecycle import State
from dsmt_core.limits import DOES_NOT_FIT
from dsmt_core.names import Application, Host, Slice
from planner.failed_nodes.misfit import Misfit, Place
from planner.fleet import ALL_FIT, ApplicationSeen, Fits, Fleet, NodeState, SliverSeen
from planner.release import said
from planner.wanted import Placement, Run, Wanted, WantedSlice

# Below this number "most hosts" would be one, and one host may well be to blame.
_FEW: Final = 2
_DOUBLINGS: Final = 16
_JITTER: Final = 0.25
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Grace:
    """How long applications may take, and hosts are left alone; seconds.

    Attributes:
        failed_s: an agent's own attempts follow one another within 4 s; what says for this long that it
            failed is out of patience.
        stuck_s: what neither runs nor says that it failed for so long has timed out.
        out_s: how long a host is left alone at first; doubled each time.
        most_out_s: the bound of that growth.
        forgives_s: a host that was tried again so long ago has no past.
    """

    failed_s: float = 20.0
    stuck_s: float = 900.0
    out_s: float = 300.0
    most_out_s: float = 86_400.0
    forgives_s: float = 86_400.0


class Misfits:
    """Judges hosts for slices; owned by one task.

    Args:
        grace: how long is waited.
        draw: a random number from 0 to 1 each time.
    """

    def __init__(self, grace: Grace | None = None, *, draw: Callable[[], float] = lambda: 0.0) -> None:
        self._grace = grace or Grace()
        self._draw = draw
        self._known: dict[Place, Misfit] = {}
        self._waited: dict[tuple[Slice, Host, Application], float] = {}
        self._changed: set[Place] = set()
        self._told: dict[Slice, Fits] = {}
        self._wanted: Mapping[Slice, WantedSlice] = {}

    def load(self, rows: Mapping[Place, Misfit]) -> None:
        """Take over what was written behind."""
        self._known = dict(rows)

    def take_rows(self) -> dict[Place, Misfit | None]:
        """What has changed since the last call, to be written behind; None: it is to be deleted."""
        changed, self._changed = self._changed, set()
        return {place: self._known.get(place) for place in sorted(changed)}

    def hosts(self, now: float) -> set[Host]:
        """The hosts that some slice leaves alone now."""
        return {host for (_, host), one in self._known.items() if one.until > now}

    def of_host(self, host: Host, now: float) -> list[tuple[Slice, Misfit]]:
        """The slices for which a host is left alone now."""
        mine = [(place[0], one) for place, one in self._known.items() if place[1] == host]
        return sorted((pair for pair in mine if pair[1].until > now), key=lambda pair: pair[0])

    def tick(self, wanted: Wanted, seen: Fleet, now: float) -> dict[Slice, Fits]:
        """Judge; to be called about once a second.

        Args:
            wanted: what is wanted where.
            seen: as folded.
            now: seconds of the clock of ``seen``.

        Returns:
            The slices about which there is something new (for `Fleet.fit`).
        """
        self._forget(wanted, seen, now)
        judged = {
            name: self._judge(wanted.slices[name], seen, now) for name in self._to_judge(wanted, seen)
        }
        judged |= dict.fromkeys(self._told.keys() - wanted.slices.keys(), ALL_FIT)
        news = {name: fits for name, fits in judged.items() if self._told.get(name, ALL_FIT) != fits}
        self._told |= news
        self._told = {name: fits for name, fits in self._told.items() if fits != ALL_FIT}
        return news

    # -- inside ---------------------------------------------------------------------------------------

    def _to_judge(self, wanted: Wanted, seen: Fleet) -> set[Slice]:
        """The slices in which something was heard or changed, and those in which time alone may judge."""
        before, self._wanted = self._wanted, wanted.slices
        unlooked = seen.take_unfitted()
        if unlooked.everything:
            return set(wanted.slices)
        changed = {name for name, one in wanted.slices.items() if before.get(name) is not one}
        waiting = {slice_ for slice_, _, _ in self._waited} | {slice_ for slice_, _ in self._known}
        return (unlooked.slices | changed | waiting | self._told.keys()) & wanted.slices.keys()

    def _judge(self, slice_: WantedSlice, seen: Fleet, now: float) -> Fits:
        doubts: dict[Application, str] = {}
        applications = _by_application(slice_) if slice_.managed else {}
        for name in slice_.applications:
            placements = applications.get(name, [])
            known = [one for one in placements if seen.state(one.host) is NodeState.ALIVE]
            ill = {one.host: one for one in known if _is_ill(seen, one)}
            self._settle(slice_.name, name, ill, now)
            ripe = {host: self._trouble(seen, one, now) for host, one in ill.items()}
            ripe = {host: reason for host, reason in ripe.items() if reason}
            if not ripe:
                continue
            if doubt := self._doubt(slice_, name, ill=set(ill), well=len(known) - len(ill), now=now):
                doubts[name] = doubt
                continue
            for host, reason in ripe.items():
                self._blame(slice_.name, ill[host], reason, now)
        out = {
            host: one.sentence
            for (of, host), one in self._known.items()
            if of == slice_.name
            and one.until > now
            and not (one.application in doubts and host in slice_.hosts)
        }
        return Fits(out, doubts)

    def _trouble(self, seen: Fleet, placement: Placement, now: float) -> str:
        """Why nothing more is to be expected of an application on a host; empty while there is."""
        since = self._waited.setdefault((placement.slice, placement.host, placement.application), now)
        sliver = seen.sliver(placement.slice, placement.host)
        heard = sliver.applications.get(placement.application) if sliver else None
        obeys = heard is not None and heard.generation == placement.generation
        failed_at, why = _failure(heard, placement) if heard is not None and obeys else (now, "")
        if why and now - max(failed_at, since) >= self._grace.failed_s:
            return why
        if sliver is not None and _is_refused(sliver, now, self._grace.failed_s):
            return sliver.container.reason[:_LONGEST]
        if now - since < self._grace.stuck_s:
            return ""
        if why:
            return why
        said = sliver.container.reason or sliver.agent.reason if sliver else ""
        return f"it did not come to run within {self._grace.stuck_s:g} s{said and f': {said[:_LONGEST]}'}"

    def _doubt(
        self, slice_: WantedSlice, name: Application, *, ill: set[Host], well: int, now: float
    ) -> str:
        """Why no host is to blame; empty when one may be."""
        release = slice_.applications[name].release.name
        before = {
            host
            for (of, host), one in self._known.items()
            if of == slice_.name and one.until > now and (one.application, one.release) == (name, release)
        }
        failing = len(ill | before)
        if failing < _FEW or failing <= well:
            return ""
        text = f"{name} {said(release)} fails on {failing} of {failing + well} hosts"
        return f"{text}: the application itself fails, so nothing moves"

    def _blame(self, slice_: Slice, placement: Placement, reason: str, now: float) -> None:
        place = slice_, placement.host
        before = self._known.get(place)
        if before is not None and before.until > now:
            return
        failures = 1 if before is None else before.failures + 1
        doubled = self._grace.out_s * 2.0 ** min(failures - 1, _DOUBLINGS)
        out = min(doubled * (1 + _JITTER * self._draw()), self._grace.most_out_s)
        self._known[place] = Misfit(
            application=placement.application,
            release=placement.release,
            reason=reason,
            since=now,
            until=now + out,
            failures=failures,
        )
        self._changed.add(place)

    def _settle(self, slice_: Slice, name: Application, ill: Mapping[Host, Placement], now: float) -> None:
        """Whoever is well again waits for nothing."""
        mine = [key for key in self._waited if key[0] == slice_ and key[2] == name]
        for key in mine:
            if key[1] not in ill:
                del self._waited[key]
        for host in ill:
            self._waited.setdefault((slice_, host, name), now)

    def _forget(self, wanted: Wanted, seen: Fleet, now: float) -> None:
        """What is of a slice, host or version that is no more, and what is long ago."""
        for place, one in list(self._known.items()):
            slice_ = wanted.slices.get(place[0])
            application = slice_.applications.get(one.application) if slice_ and slice_.managed else None
            same = application is not None and application.release.name == one.release
            if not same or place[1] in seen.forgotten or now - one.until > self._grace.forgives_s:
                del self._known[place]
                self._changed.add(place)
        for key in list(self._waited):
            slice_ = wanted.slices.get(key[0])
            if slice_ is None or key[2] not in slice_.applications:
                del self._waited[key]


def _by_application(slice_: WantedSlice) -> dict[Application, list[Placement]]:
    """The placements of each application that is to run, where all are of the release that is wanted.

    While releases are mixed, what fails speaks against a release first, and that is a roll-out's to judge.
    """
    found: dict[Application, list[Placement]] = {}
    for placement in slice_.placements:
        if placement.run is Run.RUNNING:
            found.setdefault(placement.application, []).append(placement)
    return {
        name: placements
        for name, placements in found.items()
        if {one.release for one in placements} == {slice_.applications[name].release.name}
    }


def _failure(heard: ApplicationSeen, placement: Placement) -> tuple[float, str]:
    """Since when it failed there, and why; no reason when it did not."""
    if given_up := heard.given_up(placement.release):
        return heard.gave_up_since, given_up[:_LONGEST]
    if heard.state is State.FAILED:
        return heard.layer.since, heard.layer.reason[:_LONGEST] or "it failed"
    return 0.0, ""


def _is_refused(sliver: SliverSeen, now: float, grace_s: float) -> bool:
    """Whether its node has no room for the sliver; it tries on by itself, with ever longer waits."""
    container = sliver.container
    told = container.state is State.FAILED and container.reason.startswith(DOES_NOT_FIT)
    return told and now - container.since >= grace_s


def _is_ill(seen: Fleet, placement: Placement) -> bool:
    sliver = seen.sliver(placement.slice, placement.host)
    heard = sliver.applications.get(placement.application) if sliver else None
    return heard is None or heard.state is not State.RUNNING or bool(heard.given_up(placement.release))
