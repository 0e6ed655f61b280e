"""How a slice is: what is wanted, seen and held back, its budget, its silences, and the planner itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from dsmt_core.names import Application, Slice
from planner.catalogue import silence_shown
from planner.reconcile.summary import summing
from planner.service.pieces import in_pieces
from planner.standing import bars_at
from planner.steps import Waiting
from planner.store import members
from planner.store.wanted import incomplete

if TYPE_CHECKING:
    from planner.service.planner import Planner


async def how(planner: Planner, slice_: Slice) -> dict[str, Any]:
    """How a slice is, as the API shows it; each host is as it was at some moment of the answer's making.

    Raises:
        NotFound: there is no such slice.
    """
    stored, missing = await planner.database.read(_stored, slice_)
    wanted, now = planner.ledger.slice(slice_), planner.clock()
    waiting = [*planner.floods.waiting(slice_), *planner.rounds.waiting(slice_)]
    for name, what in missing.items():
        waiting.append(Waiting(slice=slice_, reason=what, application=name))
    bars = bars_at(planner.ledger.wanted.standings, now)
    shown = await in_pieces(summing(wanted, planner.fleet, now=now, waiting=waiting, bars=bars))
    await asyncio.sleep(0)
    shown["budget"] = planner.bounds.budgets.shown(slice_)
    shown["silences"] = [silence_shown(one) for one in planner.observing.silent(slice_)]
    if any(one.to_agree for one in waiting):
        shown["held_back"] = planner.agreements.held(slice_)
    shown["planner"] = planner.health()
    return shown | stored | {"rollouts": [one for one in planner.rollouts.all(slice_) if one["active"]]}


def _stored(connection: Connection, slice_: Slice) -> tuple[dict[str, Any], dict[Application, str]]:
    """What only the database knows of it."""
    return members.told_of(connection, slice_), incomplete(connection, slice_)
