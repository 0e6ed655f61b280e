"""Whether an order may have something new installed: its packages are signed as it demands. Pure.

Rule: looked at before anything is unpacked; what is there already is left alone, so that a key which is
withdrawn stops no application. An order is believed before (`agents.order_trust`), and so are its keys.
"""

from __future__ import annotations

from collections.abc import Iterator

from dsmt_core.commands import Order
from dsmt_core.ed25519 import verify
from dsmt_core.packages import PackageRef
from dsmt_core.publishers import refusal


def of_application(order: Order) -> str:
    """Why the packages of an application must not be installed; empty when they may be."""
    return refusal(order.vouching, order.packages, verify, (order.wrapper, order.version))


def of_sliver(order: Order) -> str:
    """Why a sliver must not be made as ordered; empty when it may be.

    Its agent and its root file system are packages, where they do not come with DSMT or with the node.
    """
    agent = order.agent_package
    if agent is not None and (
        why := order.vouching.refusal(agent.package, verify, (agent.name, agent.version))
    ):
        return why
    return next(filter(None, (order.vouching.refusal(one, verify) for one in _roots(order))), "")


def _roots(order: Order) -> Iterator[PackageRef]:
    if (root := order.limits.root_package) is not None:
        digest, size = root
        yield PackageRef(digest, size, f"rootfs-{digest[:12]}")
