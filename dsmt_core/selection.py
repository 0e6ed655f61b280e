"""What the contract's container manager tells: how far a sliver is, and which nodes are selected. Pure.

``sliver-state`` is for whoever wants one word for a slice on a host and not the layers of the life cycle;
``node-list`` names the hosts of a slice, and is cut where there are too many for one event.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from dsmt_core.lifecycle import State
from dsmt_core.names import Host

SLIVER_STATE: Final = "sliver-state"
NODE_LIST: Final = "node-list"
LISTED: Final = 500


class SliverState(StrEnum):
    """How far a sliver is, in the words of the contract.

    Attributes:
        SELECTED: the node has taken the order for it.
        INSTALLING: it is being made.
        INSTALLED: it runs.
        FAILED: it could not be made, or ended; it is tried again.
        DESELECTED: it is gone by order.
    """

    SELECTED = "selected"
    INSTALLING = "installing"
    INSTALLED = "installed"
    FAILED = "failed"
    DESELECTED = "deselected"


_OF: Final = {
    State.REQUESTED: (SliverState.SELECTED,),
    State.INSTANTIATED: (SliverState.INSTALLING,),
    State.RUNNING: (SliverState.INSTALLED,),
    State.FAILED: (SliverState.FAILED,),
    State.TERMINATED: (SliverState.DESELECTED,),
}


def sliver_states(state: State) -> tuple[SliverState, ...]:
    """What a state of the container means in these words; nothing for those in between."""
    return _OF.get(state, ())


def node_list_pairs(hosts: Collection[Host]) -> dict[str, str]:
    """The pairs of ``node-list``: how many there are, and their names as far as they fit."""
    named = sorted(hosts)
    pairs = {"count": str(len(named)), "nodes": " ".join(named[:LISTED])}
    return pairs if len(named) <= LISTED else {**pairs, "left-out": str(len(named) - LISTED)}
