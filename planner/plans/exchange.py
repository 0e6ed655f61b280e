"""Exchanging members for better nodes, a few in one evaluation: how a limit follows what changes.

Who is in and still qualifies stays; that alone would keep a service for ever where it was good once. With
a churn a limit gives up some members of its own accord, each for a node that is better for certain: the
member failed, or the other one stands before it in the order that is asked for, or at a site that has at
least two fewer. Each exchange makes the choice better, so they end when nothing changes any more.
"""

from __future__ import annotations

import numpy as np

from planner.plans.draw import rank_of
from planner.plans.function import Call
from planner.plans.ground import SITE, Mask, Rows
from planner.plans.selection import Part, Preference
from planner.plans.world import ALIVE, FAILED


def exchange(call: Call, parent: Part, taken: Mask, most: int, preference: Preference) -> Mask:
    """The mask after at most ``most`` exchanges.

    Args:
        call: of the limit.
        parent: of which it chooses.
        taken: what it chose.
        most: how many members it may give up.
        preference: in which order it chooses.
    """
    world = call.world
    inside = np.flatnonzero(taken & world.members)
    outside = np.flatnonzero(parent.mask & ~taken & (world.trust == ALIVE))
    if not (most and len(inside) and len(outside)):
        return taken
    if preference.order is not None:
        given_up, instead = _ranked(call, inside, outside, preference)
    else:
        given_up, instead = _spread(call, np.flatnonzero(taken), inside, outside, most, preference)
    changed = taken.copy()
    changed[given_up[:most]] = False
    changed[instead[:most]] = True
    return changed


def _ranked(call: Call, inside: Rows, outside: Rows, preference: Preference) -> tuple[Rows, Rows]:
    """The last members, and the first of the others that stand before them."""
    rank, failed = rank_of(preference), call.world.trust == FAILED
    lots = call.world.lots(call.plan, np.arange(len(call.world.ground)))
    last = inside[np.lexsort((lots[inside], rank[inside], failed[inside]))][::-1]
    first = outside[np.lexsort((lots[outside], rank[outside]))]
    number = min(len(last), len(first))
    last, first = last[:number], first[:number]
    better = failed[last] | (rank[first] < rank[last])
    # Both are in order: behind the first pair that is none there is none either.
    number = number if better.all() else int(better.argmin())
    return last[:number], first[:number]


def _spread(  # noqa: PLR0913, PLR0917 - the four kinds of rows are what it is about
    call: Call, taken: Rows, inside: Rows, outside: Rows, most: int, preference: Preference
) -> tuple[Rows, Rows]:
    """Members that failed or stand where there are many, and others from where there are few."""
    world = call.world
    groups = world.ground.codes(preference.spread or SITE)
    crowd = np.bincount(groups[taken], minlength=int(groups.max()) + 1)
    lots = world.lots(call.plan, np.arange(len(groups)))
    # Who drew the last lot goes first; who drew the first one comes first.
    inside, outside = inside[np.argsort(lots[inside])[::-1]], outside[np.argsort(lots[outside])]
    given_up, instead = list[int](), list[int]()
    while len(given_up) < most and len(inside) and len(outside):
        failed = world.trust[inside] == FAILED
        crowds = crowd[groups[inside]]
        last = int(np.argmax(np.where(failed, len(groups) + 1, crowds)))
        left = crowd.copy()
        left[groups[inside[last]]] -= 1
        first = int(np.argmin(left[groups[outside]]))
        if not failed[last] and left[groups[outside[first]]] >= crowds[last] - 1:
            break
        given_up.append(int(inside[last]))
        instead.append(int(outside[first]))
        crowd = left
        crowd[groups[outside[first]]] += 1
        inside, outside = np.delete(inside, last), np.delete(outside, first)
    return np.array(given_up, dtype=np.intp), np.array(instead, dtype=np.intp)
