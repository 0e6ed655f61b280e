"""What was: when nodes, layers and wishes passed from one state to another, and what that says of a time.

Rule of this room: a passage is written once and read by functions of their arguments; nothing here decides
anything for the present.
"""

from planner.past.availability import Group, Stood, availability
from planner.past.instances import Condition, Instance, Span, instances
from planner.past.passages import (
    AGENT,
    APPLICATION,
    AWAY,
    CONTAINER,
    HERE,
    NODE,
    NOWHERE,
    PLANNER,
    VERSION,
    WANTED,
    Passage,
    Recorder,
)
from planner.past.series import Sample, series

__all__ = [
    "AGENT",
    "APPLICATION",
    "AWAY",
    "CONTAINER",
    "HERE",
    "NODE",
    "NOWHERE",
    "PLANNER",
    "VERSION",
    "WANTED",
    "Condition",
    "Group",
    "Instance",
    "Passage",
    "Recorder",
    "Sample",
    "Span",
    "Stood",
    "availability",
    "instances",
    "series",
]
