"""What the container manager decides: orders and what is so in, steps out. Touches nothing.

One `Node` is owned by one task. The service takes steps, carries each out, says how it went, and takes
again; `now` is an argument everywhere, seconds of one clock.
"""

from agents.container_manager.decide.node import Found, Node, Verdict
from agents.container_manager.decide.probes import Probes
from agents.container_manager.decide.steps import (
    Boot,
    Configure,
    Create,
    End,
    Evict,
    Keep,
    Limit,
    Publish,
    Remake,
    Remove,
    StartAgent,
    Step,
)

__all__ = [
    "Boot",
    "Configure",
    "Create",
    "End",
    "Evict",
    "Found",
    "Keep",
    "Limit",
    "Node",
    "Probes",
    "Publish",
    "Remake",
    "Remove",
    "StartAgent",
    "Step",
    "Verdict",
]
