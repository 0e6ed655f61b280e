"""Seen: the nodes, slivers and applications as last heard. Soft, possibly old, never the truth.

Rule of this room: one task owns a `Fleet` and folds events into it in place; the same events with the same
times give the same fleet. What cannot be folded is answered with a reason and changes nothing.
"""

from planner.fleet.dirty import Dirty
from planner.fleet.fits import ALL_FIT, Fits
from planner.fleet.fleet import Fleet
from planner.fleet.nodes import NODE
from planner.fleet.rows import SeenRow
from planner.fleet.seen import ApplicationSeen, LayerSeen, NodeSeen, NodeState, SliverSeen

__all__ = [
    "ALL_FIT",
    "NODE",
    "ApplicationSeen",
    "Dirty",
    "Fits",
    "Fleet",
    "LayerSeen",
    "NodeSeen",
    "NodeState",
    "SeenRow",
    "SliverSeen",
]
