"""The limits of a slice's slivers: set by those who make slices, and what the nodes say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from dsmt_core.errors import Conflict
from dsmt_core.limits import Limits, changed
from dsmt_core.names import Slice
from planner import vouched
from planner.allotment import memory_passed
from planner.fleet import Fleet
from planner.service.means import Means
from planner.store import roots
from planner.store.wanted import load_slice


class SliverLimits:
    """The limits of the slices. Every method raises `NotFound` for a slice that does not exist.

    Args:
        means: where they are kept.
        fleet: what is seen: what the nodes say that they enforce.
    """

    def __init__(self, means: Means, fleet: Fleet) -> None:
        self._ledger = means.ledger
        self._fleet = fleet

    async def put(self, slice_: Slice, texts: Mapping[str, str]) -> dict[str, Any]:
        """Set the limits that are named, as people write them; the others stay. Returns all.

        Raises:
            Invalid: one of them is none, or a package is named that is no root file system.
            Conflict: what runs would be beyond a quota of memory.
            Denied: the root file system is not signed by a publisher of the slice.
        """
        limits = self._ledger.slice(slice_).limits
        for name, text in texts.items():
            if name != "root":
                limits = changed(limits, name, text)

        def set_(connection: Connection) -> None:
            roots.set_limits(connection, slice_, limits, texts.get("root"))
            after = load_slice(connection, slice_)
            if after is not None and "root" in texts:
                vouched.check(after, vouched.of_sliver(after))

        await self._ledger.change_if(slice_, lambda: self._check_quota(slice_, limits), set_)
        return self.shown(slice_)

    def _check_quota(self, slice_: Slice, limits: Limits) -> None:
        before = self._ledger.slice(slice_)
        number = len(before.hosts)
        if why := memory_passed(self._ledger.wanted, before, replace(before, limits=limits)):
            raise Conflict(
                f"that is beyond the quota with {number} {'sliver' if number == 1 else 'slivers'}: {why}",
                hint="a smaller limit, fewer nodes, or another quota: dsmtc slice quota",
            )

    def shown(self, slice_: Slice) -> dict[str, Any]:
        """The limits of a slice, and what its nodes say of them, as the API shows it."""
        wanted = self._ledger.slice(slice_)
        return {"slice": slice_, **_values(wanted.limits), "hosts": self._hosts(slice_)}

    def _hosts(self, slice_: Slice) -> list[dict[str, str]]:
        found = []
        for host in sorted(self._ledger.slice(slice_).hosts):
            sliver = self._fleet.sliver(slice_, host)
            if sliver is not None and sliver.container_says:
                found.append({"host": host, **sliver.container_says})
        return found


def _values(limits: Limits) -> dict[str, Any]:
    return {
        "memory": limits.memory,
        "cpu": limits.cpu,
        "processes": limits.processes,
        "disk": limits.disk,
        "files": limits.files,
        "network": str(limits.network),
        "root": limits.root,
        "text": limits.words,
    }
