"""Which nodes can make the slivers of a slice as they are to be: network, root file system, image. Pure.

What was told is proof, and so is a sliver of the slice that is so already; a node that has told nothing yet
is waited for. One that is known not to be able to is as good as failed for the slice: no plan chooses it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dsmt_core.images import SUFFIX
from dsmt_core.lifecycle import State
from dsmt_core.limits import DEPOT_ROOTS, ROOTS_FACT, ROOTS_LACKING_FACT, Limits, Network
from dsmt_core.names import Host
from planner import networks
from planner.fleet import Fleet, NodeSeen, SliverSeen
from planner.wanted import WantedSlice

IMAGES_FACT: Final = "images"
NOT_TOLD: Final = "the node has not told yet which root file systems it has"
_ENFORCED: Final = "limits-enforced"


def withheld(slice_: WantedSlice, node: NodeSeen, sliver: SliverSeen | None) -> str:
    """Why no sliver of a slice is ordered of a node: it would be made otherwise; empty when one may be."""
    found = networks.withheld(slice_.limits.network, node, sliver)
    return found or _no_root(slice_.limits, node, sliver)


def unfit(slice_: WantedSlice, seen: Fleet) -> dict[Host, str]:
    """The nodes that are known not to be able to, and why."""
    limits, asks = slice_.limits, _asks_of(slice_)
    if limits.network is Network.HOST and not limits.root and not asks:
        return {}
    found = {}
    for host in seen.hosts:
        node = seen.node(host)
        if node is not None and node.facts:
            sliver = seen.sliver(slice_.name, host)
            if why := withheld(slice_, node, sliver) or (asks and asks(node, sliver)):
                found[host] = why
    return found


def _no_root(limits: Limits, node: NodeSeen, sliver: SliverSeen | None) -> str:
    if not limits.root or _has(f"root={limits.root_shown}", sliver):
        return ""
    if not node.facts:
        return NOT_TOLD
    told = node.facts.get(ROOTS_FACT)
    if told is None:
        return "its DSMT is older and knows no root file systems: upgrade dsmt-node there"
    wanted = DEPOT_ROOTS if limits.root_package is not None else limits.root
    if wanted in told.split():
        return ""
    why = node.facts.get(ROOTS_LACKING_FACT, "") or f"dsmt-node --rootfs {limits.root_shown}=… offers one"
    return f"it has no root file system {limits.root_shown}: {why}"


def _has(word: str, sliver: SliverSeen | None) -> bool:
    return sliver is not None and word in sliver.container_says.get(_ENFORCED, "").split()


def _asks_of(slice_: WantedSlice) -> Callable[[NodeSeen, SliverSeen | None], str] | None:
    """Judges nodes for a slice with an application that is an image; None when none is."""
    images = [
        name
        for name, one in slice_.applications.items()
        if one.packages and one.packages[-1].filename.endswith(SUFFIX)
    ]
    if not images:
        return None

    def no_images(node: NodeSeen, sliver: SliverSeen | None) -> str:
        if node.facts.get(IMAGES_FACT) or (sliver is not None and _runs(images[0], sliver)):
            return ""
        return f"it makes no slivers out of images, and {images[0]} is one: apt-get install podman runc"

    def _runs(name: str, sliver: SliverSeen) -> bool:
        return any(key == name and one.state == State.RUNNING for key, one in sliver.applications.items())

    return no_images
