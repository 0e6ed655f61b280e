"""SWORD queries: groups of nodes by requirements and preferences, as a function of plans."""

from planner.plans.sword.function import FAMILY
from planner.plans.sword.reading import read_query

__all__ = ["FAMILY", "read_query"]
