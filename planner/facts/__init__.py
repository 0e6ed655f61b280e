"""Further sources of facts: what something else than the nodes and people know of the nodes.

A source is a plug-in (`source`); what it answers is checked here and named ``<source>.<fact>``, so that it
can overwrite neither what a node says of itself nor a label.
"""

from planner.facts.held import Held, State
from planner.facts.source import FactSource, Named, open_source
from planner.facts.taking import Taken, taken

__all__ = ["FactSource", "Held", "Named", "State", "Taken", "open_source", "taken"]
