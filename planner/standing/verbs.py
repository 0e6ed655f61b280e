"""What a verb of a person makes of the standing of a node.

A verb that changes nothing is no error: said twice, it holds once. What is said anew replaces what was said
before, and with it since when and by whom.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from dsmt_core.errors import Conflict, Full, Invalid
from dsmt_core.events import check_text
from planner.standing.marks import NEVER, Drain, Exclusion, Mark, Standing, Window

REASON: Final = 256
WINDOWS: Final = 16
"""A calendar belongs elsewhere; this is for the next few times."""
DAY_S: Final = 86_400.0
LONGEST_S: Final = 366 * DAY_S


class Verb(StrEnum):
    """What people say of nodes."""

    EXCLUDE = "exclude"
    INCLUDE = "include"
    CORDON = "cordon"
    UNCORDON = "uncordon"
    DRAIN = "drain"
    CANCEL_DRAIN = "cancel-drain"
    WINDOW = "window"
    CANCEL_WINDOWS = "cancel-windows"
    DISTRUST = "distrust"
    TRUST = "trust"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A verb with all that is said with it.

    Attributes:
        mark: by whom, since when, and why.
        at_once: EXCLUDE: what runs there stops whatever the budget says.
        deadline_s: DRAIN: seconds that it may take; infinity for any time.
        force: DRAIN: what is left at the deadline is stopped.
        window: WINDOW: the time.
    """

    verb: Verb
    mark: Mark
    at_once: bool = False
    deadline_s: float = NEVER
    force: bool = False
    window: Window | None = None


def wished(before: Standing, wish: Wish, now: float) -> Standing:
    """The standing after a verb; windows that are over are forgotten.

    Raises:
        Invalid: something that is said with the verb is not legal.
        Full: the node has too many windows.
        Conflict: the time of the window is over, or would never end.
    """
    check_text(wish.mark.reason, "the reason")
    if len(wish.mark.reason) > REASON:
        raise Invalid(f"the reason has {len(wish.mark.reason)} characters", hint=f"at most {REASON}")
    after = _TABLE[wish.verb](before, wish, now)
    return replace(after, windows=tuple(one for one in after.windows if not one.is_over(now)))


def _exclusion(wish: Wish) -> Exclusion:
    if not wish.mark.reason:
        raise Invalid("a node is excluded for a reason", hint='say which: --reason "disk fails"')
    return Exclusion(by=wish.mark.by, since=wish.mark.since, reason=wish.mark.reason, at_once=wish.at_once)


def _distrust(wish: Wish) -> Mark:
    if not wish.mark.reason:
        raise Invalid("a node is distrusted for a reason", hint='say which: --reason "it loses packets"')
    return wish.mark


def _drain(wish: Wish, now: float) -> Drain:
    if not (0 < wish.deadline_s <= LONGEST_S or wish.deadline_s == NEVER):
        raise Invalid(f"a drain within {wish.deadline_s:g} s", hint="above 0 s and at most 366 days")
    if wish.force and wish.deadline_s == NEVER:
        raise Invalid(
            "force needs a deadline: what is left then is stopped", hint="such as --deadline 10m --force"
        )
    mark = wish.mark
    deadline = now + wish.deadline_s
    return Drain(by=mark.by, since=mark.since, reason=mark.reason, deadline=deadline, force=wish.force)


def _windows(before: Standing, wish: Wish, now: float) -> tuple[Window, ...]:
    window = wish.window
    if window is None:
        raise Invalid("a window needs a time", hint="--from TIME and --to TIME or --for 2h")
    _check(window, now)
    known = [one for one in before.windows if not one.is_over(now)]
    # The same time said again replaces what was said with it before.
    known = [one for one in known if _time(one) != _time(window)]
    if len(known) >= WINDOWS:
        raise Full(
            f"a node has at most {WINDOWS} windows", hint="take them away: dsmtc nodes window HOST --cancel"
        )
    return tuple(sorted((*known, window), key=lambda one: one.begins))


def _time(window: Window) -> tuple[float, float, float]:
    return window.begins, window.ends, window.every


def _check(window: Window, now: float) -> None:
    length = window.ends - window.begins
    if not 0 < length <= LONGEST_S:
        raise Invalid("a window ends after it begins, and lasts at most 366 days")
    if not 0 <= window.lead <= LONGEST_S:
        raise Invalid("the lead of a window is at least 0 s and at most 366 days")
    if not -LONGEST_S <= window.begins - now <= LONGEST_S:
        raise Invalid("a window begins within 366 days of now")
    if window.every not in {0.0, DAY_S, 7 * DAY_S}:
        raise Invalid("a window comes once, every day or every week")
    if window.every and length + window.lead >= window.every:
        raise Conflict(
            "the window with its lead would never end", hint="make it shorter, or exclude the node"
        )
    if window.is_over(now):
        raise Conflict("the window is over already", hint="without a time zone, times are UTC")


_TABLE: Final[Mapping[Verb, Callable[[Standing, Wish, float], Standing]]] = {
    Verb.EXCLUDE: lambda before, wish, _now: replace(before, excluded=_exclusion(wish)),
    Verb.INCLUDE: lambda before, _wish, _now: replace(before, excluded=None),
    Verb.CORDON: lambda before, wish, _now: replace(before, cordoned=wish.mark),
    # A node that was drained is given back by this word, too.
    Verb.UNCORDON: lambda before, _wish, _now: replace(before, cordoned=None, drain=None),
    Verb.DRAIN: lambda before, wish, now: replace(before, drain=_drain(wish, now)),
    Verb.CANCEL_DRAIN: lambda before, _wish, _now: replace(before, drain=None),
    Verb.WINDOW: lambda before, wish, now: replace(before, windows=_windows(before, wish, now)),
    Verb.CANCEL_WINDOWS: lambda before, _wish, _now: replace(before, windows=()),
    Verb.DISTRUST: lambda before, wish, _now: replace(before, distrusted=_distrust(wish)),
    Verb.TRUST: lambda before, _wish, _now: replace(before, distrusted=None),
}
