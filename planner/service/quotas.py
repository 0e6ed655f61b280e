"""How much each slice may keep in its depot: the planner's default, or what an administrator gave it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from dsmt_core.errors import Invalid
from dsmt_core.names import Slice
from planner.quota import smaller
from planner.room import Room
from planner.service.means import Means
from planner.store import quotas, site_quotas, sites

_MOST = 1 << 60


class Quotas:
    """The room of the slices. Every method raises `NotFound` for a slice that does not exist.

    Args:
        means: where they are kept.
        default: bytes for a slice that was given no bound of its own; 0 for none.
    """

    def __init__(self, means: Means, default: int) -> None:
        self._database = means.database
        self._ledger = means.ledger
        self._default = default

    def room(self, connection: Connection, slice_: Slice, *, without: str = "") -> Room:
        """The room of a slice, in a transaction; what lies under the name ``without`` is to be replaced."""
        given = quotas.given(connection, slice_)
        own = self._default if given is None else given
        site = site_quotas.of_site(connection, sites.of_slice(connection, slice_))
        used = quotas.used_bytes(connection, slice_, without=without)
        room = Room(slice_, used, smaller(own, site.each.depot_bytes))
        if not site.together.depot_bytes:
            return room
        mine = used if not without else quotas.used_bytes(connection, slice_)
        taken = site_quotas.depot_bytes(connection, site.site) - mine + used
        return replace(room, site=site.site, site_used=taken, site_allowed=site.together.depot_bytes)

    async def shown(self, slice_: Slice) -> dict[str, Any]:
        """What a slice has and may have, as the API shows it."""
        self._ledger.slice(slice_)
        room, given = await self._database.read(
            lambda connection: (self.room(connection, slice_), quotas.given(connection, slice_))
        )
        return {
            "slice": slice_,
            "used": room.used,
            "allowed": room.allowed,
            "is_default": given is None,
            **_of_site(room),
        }

    async def give(self, slice_: Slice, allowed: int | None) -> dict[str, Any]:
        """Give a slice a bound of its own; 0: none, None: the default. Nothing is removed.

        Raises:
            Invalid: it is not a number of bytes.
        """
        if allowed is not None and not 0 <= allowed <= _MOST:
            raise Invalid(f"{allowed} is not a number of bytes", hint="0 for no bound")
        await self._ledger.change(slice_, quotas.give, slice_, allowed)
        return await self.shown(slice_)


def _of_site(room: Room) -> dict[str, Any]:
    if not room.site_allowed:
        return {}
    return {"site": room.site, "site_used": room.site_used, "site_allowed": room.site_allowed}
