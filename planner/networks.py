"""Which nodes can give the programs of a slice the network that is chosen for them. Pure.

A node tells by a fact what it can give. An order with a choice that a node does not know would be followed
with the node's own network: such an order is not sent, and such a node is as good as failed for the slice.
What was told is proof, and so is a sliver of the slice that keeps the choice already; a node that has told
nothing yet is waited for.
"""

from __future__ import annotations

from dsmt_core.limits import LACKING_FACT, NETWORKS_FACT, Network
from planner.fleet import NodeSeen, SliverSeen

_ENFORCED = "limits-enforced"
NOT_TOLD = "the node has not told yet which networks it can give"


def withheld(network: Network, node: NodeSeen, sliver: SliverSeen | None) -> str:
    """Why no sliver with this network is ordered of a node; empty when one may be.

    Args:
        network: chosen for the slice.
        node: as seen.
        sliver: the slice's on that node, if there is one.
    """
    if network is Network.HOST or _is_kept(network, sliver):
        return ""
    if not node.facts:
        return NOT_TOLD
    told = node.facts.get(NETWORKS_FACT)
    if told is None:
        return f"its DSMT is older and does not know the network {network}: upgrade dsmt-node there"
    if network in told.split():
        return ""
    why = _reason(network, node.facts.get(LACKING_FACT, ""))
    return f"it cannot give the network {network}{why and f': {why}'}"


def _is_kept(network: Network, sliver: SliverSeen | None) -> bool:
    said = sliver.container_says.get(_ENFORCED, "") if sliver is not None else ""
    return f"network={network}" in said.split()


def _reason(network: Network, text: str) -> str:
    """Of ``none: why; own: why`` what concerns ``network``."""
    for part in text.split("; "):
        name, colon, why = part.partition(": ")
        if colon and name == network:
            return why
    return ""
