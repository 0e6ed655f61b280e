"""Restraint: how many of a slice the planner stops by its own idea, before people have to agree.

A wrong fact, a label given to the wrong nodes or a fault of a plan can make it give up much of a service at
once. So without a change by people one in ten may go, or one; what else is to go waits until people agree
to just that, or until its cause goes away. Once nothing is held back any more, and has not been for a
while, as many may go again.

This is what the slice keeps of it: durable, so that a planner that starts again and again is held all the
same, and one that died between a command and its round still knows that people gave the command.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from dsmt_core.names import Host

SHARE: Final = 10
"""Without people one in so many of a slice's instances may be stopped, or one."""
CALM_S: Final = 30.0
"""So long after the last stop nothing more is stopped without people: long enough to see the first fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restraint:
    """What is known of the planner's own stops in a slice.

    Attributes:
        carried: a digest of what people wanted when that was last carried out; empty: never.
        stopped: how many it has stopped by its own idea, since it may stop a whole share again.
        stopped_at: when the last of them, seconds since the epoch.
        agreed: hosts that may go, because people agreed, and have not gone yet.
    """

    carried: str = ""
    stopped: int = 0
    stopped_at: float = 0.0
    agreed: frozenset[Host] = frozenset()


FREE: Final = Restraint()


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """What one round may stop of a slice.

    Attributes:
        people: people have changed what they want: whatever that takes away goes.
        stops: how many may go by the planner's own idea.
        agreed: who may go besides, because people agreed.
    """

    people: bool = False
    stops: int = 0
    agreed: frozenset[Host] = frozenset()


def licence(restraint: Restraint, asked: str, *, instances: int) -> Licence:
    """What the next round may stop.

    Args:
        restraint: of the slice.
        asked: a digest of what people want now.
        instances: how many the slice has.
    """
    # What is not known to have been asked for was not: so it is after an update of DSMT itself.
    people = restraint.carried not in {"", asked}
    left = max(1, instances // SHARE) - restraint.stopped
    return Licence(people=people, stops=max(left, 0), agreed=restraint.agreed)


def after(restraint: Restraint, asked: str, *, stopped: int, is_held: bool, now: float) -> Restraint:
    """The restraint when a round is carried out.

    Args:
        restraint: before it.
        asked: a digest of what people want, which the round carries out.
        stopped: how many it stops by its own idea.
        is_held: it holds others back for people to agree.
        now: seconds since the epoch.
    """
    if restraint.carried not in {"", asked}:
        return Restraint(carried=asked)
    # Whoever was agreed to is gone now, or need not go any more.
    kept = restraint
    if restraint.agreed or not restraint.carried:
        kept = replace(restraint, carried=asked, agreed=frozenset())
    if stopped:
        return replace(kept, stopped=kept.stopped + stopped, stopped_at=now)
    if now < kept.stopped_at:
        # The clock was set back, and how long ago that was is not known: the calm begins anew.
        return replace(kept, stopped_at=now)
    if kept.stopped and not is_held and now - kept.stopped_at >= CALM_S:
        return Restraint(carried=asked)
    return kept
