"""Plans: named node selections, composed from functions, as a directed acyclic graph of names.

Rule of this room: a plan is text until it is checked here, and afterwards it can be evaluated without an
error; an evaluation is a function of the plan and of the `World`, and can explain each host. A family of
functions is one file; `catalogue` lists the families; adding one touches nothing that is there.
"""

from planner.plans.catalogue import FUNCTIONS, builtin_plans, unknown, written_function
from planner.plans.evaluation import evaluate
from planner.plans.graph import below, check_in_force, check_plan, check_removal, is_live
from planner.plans.ground import Ground, Mask, site_of
from planner.plans.memory import select
from planner.plans.selection import Part, Reason, Selection
from planner.plans.world import ALIVE, Barred, World, trust_of

__all__ = [
    "ALIVE",
    "FUNCTIONS",
    "Barred",
    "Ground",
    "Mask",
    "Part",
    "Reason",
    "Selection",
    "World",
    "below",
    "builtin_plans",
    "check_in_force",
    "check_plan",
    "check_removal",
    "evaluate",
    "is_live",
    "select",
    "site_of",
    "trust_of",
    "unknown",
    "written_function",
]
