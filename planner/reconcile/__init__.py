"""Reconcile: from wanted and seen to the steps that are missing, with the reason for what waits.

Rule of this room: one round is a function of its arguments; run again with the same input it changes
nothing and orders nothing anew. It only ever orders what was committed in the same or an earlier round.
"""

from planner.reconcile.held_back import HeldBack
from planner.reconcile.round import reconcile
from planner.reconcile.sent import SentOrders
from planner.reconcile.summary import summary

__all__ = ["HeldBack", "SentOrders", "reconcile", "summary"]
