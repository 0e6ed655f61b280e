"""Drawing so many of the hosts that qualify: who is in stays, the rest is spread, and by lot.

Members come first; what is missing is drawn from the others, the living before the doubtful before the
failed, each time from the site that has the fewest, and among equals by the host's lot, which never
changes. Where hosts are ranked, the rank comes in place of the site. Choosing anew at each evaluation would
move a service around for nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from planner.plans.function import Call
from planner.plans.ground import SITE, Codes, Mask, Numbers, Rows
from planner.plans.selection import Part, Preference
from planner.plans.world import FAILED, World

# More than there are degrees of trust: who is outside comes after all members.
_OUTSIDE: Final = FAILED + 1


def draw(call: Call, parent: Part, count: int, preference: Preference) -> Mask:
    """The mask of at most ``count`` hosts of ``parent``."""
    rows = parent.mask.nonzero()[0]
    if len(rows) <= count:
        return parent.mask
    turns = turns_of(call.world, rows)
    # Those before this turn are all taken, those after it none.
    last = np.partition(turns, count - 1)[count - 1]
    taken, some = rows[turns < last], rows[turns == last]
    return call.world.ground.mask_of(filled(call, taken, some, count, preference))


def turns_of(world: World, rows: Rows) -> Rows:
    """When each of these rows is chosen: members before others, each time by trust."""
    turns: Rows = world.trust[rows] + _OUTSIDE * ~world.members[rows]
    return turns


def filled(call: Call, taken: Rows, some: Rows, count: int, preference: Preference) -> Rows:
    """The rows that are taken, and of some that are equals as many as there is room for."""
    room = count - len(taken)
    if len(some) > room:
        some = some[_order(call, some, taken, preference)[:room]]
    return np.concatenate((taken, some))


def rank_of(preference: Preference) -> Numbers:
    """Where each host stands in the order that is asked for; what is not known comes last."""
    order = np.zeros(0) if preference.order is None else preference.order
    ranked: Numbers = np.where(np.isnan(order), np.inf, order)
    return ranked


def _order(call: Call, rows: Rows, taken: Rows, preference: Preference) -> Rows:
    """In which order these rows are chosen, when the others are taken already."""
    lots = call.world.lots(call.plan, rows)
    if preference.order is not None:
        return np.lexsort((lots, rank_of(preference)[rows]))
    groups = call.world.ground.codes(preference.spread or SITE)
    return np.lexsort((lots, levels(lots, groups[rows], groups[taken])))


def levels(lots: npt.NDArray[np.generic], groups: Codes, taken: Codes) -> npt.NDArray[np.intp]:
    """How many its group would have before each is taken, when each group takes its own by lot.

    Args:
        lots: of those that are to be taken.
        groups: theirs.
        taken: the groups of those that are taken already.
    """
    order = np.lexsort((lots, groups))
    ordered = groups[order]
    begins = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sizes = np.diff(np.concatenate((begins, [len(ordered)])))
    levels = np.empty(len(groups), dtype=np.intp)
    levels[order] = np.arange(len(ordered)) - np.repeat(begins, sizes)
    if len(taken):
        already = np.bincount(taken, minlength=int(groups.max()) + 1)
        levels += already[groups]
    return levels
