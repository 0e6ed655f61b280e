"""Allowances: what slices and sites may use, said by people, and what they use now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection

from dsmt_core.errors import Denied
from dsmt_core.names import Site, Slice
from planner.allotment import at_site, occupied
from planner.authority.rights import Caller, Right, check, may
from planner.fleet import Fleet
from planner.quota import NAMES, Quota, SiteQuota, amount, looser, name_of
from planner.service.floods import Floods
from planner.service.means import Means
from planner.service.previews import Previews
from planner.service.quotas import Quotas
from planner.store import quotas, site_quotas, slices
from planner.wanted import Wanted, WantedSlice

Given = Mapping[str, int]


class Allowances:
    """The quotas. Every method raises `NotFound` for a slice or site that does not exist.

    Args:
        means: where they are kept.
        fleet: what is seen: what ends on a failed node counts no more.
        previews: tell what another quota would hold back.
        depot: knows what slices have in the depot.
        floods: knows how much they say.
    """

    def __init__(
        self, means: Means, fleet: Fleet, previews: Previews, depot: Quotas, floods: Floods
    ) -> None:
        self._database = means.database
        self._ledger = means.ledger
        self._fleet = fleet
        self._previews = previews
        self._depot = depot
        self._floods = floods

    async def of_slice(self, slice_: Slice) -> dict[str, Any]:
        """What a slice may use and uses, as the API shows it."""
        wanted = self._ledger.slice(slice_)
        room, own, site = await self._database.read(self._read, slice_)
        used = self._used([wanted]) | {"depot_bytes": room.used}
        at = at_site(self._ledger.wanted, wanted.site)
        of_site = self._used(at) | {"depot_bytes": room.site_used}
        bounds = [
            *_bounds(own, f"the slice {slice_}", used),
            *_bounds(site.each, f"each slice of the site {site.site}", used),
            *_bounds(site.together, f"the site {site.site}", of_site),
        ]
        return {"slice": slice_, "site": site.site, "quota": asdict(own), "used": used, "bounds": bounds}

    async def give_slice(self, caller: Caller, slice_: Slice, given: Given) -> dict[str, Any]:
        """Say what a slice may use; what is not named stays, 0 takes a bound away. Nothing is stopped.

        Raises:
            Lacking, Denied: the caller may not, or not so much.
            Invalid: it is no quota.
        """
        check(caller, Right.GIVE_SLICE_QUOTA, slice_)

        def stored(connection: Connection) -> None:
            own, site = _own(connection, self._ledger.slice(slice_))
            after = own.changed(given)
            _check_within(caller, own, after, site)
            slices.set_quota(connection, slice_, after)

        await self._ledger.change(slice_, stored)
        return await self.of_slice(slice_)

    async def preview_slice(self, slice_: Slice, given: Given) -> dict[str, Any]:
        """What such a quota would hold back; nothing is changed."""
        before = self._ledger.slice(slice_)
        own, _ = await self._database.read(_own, before)
        changed = replace(before, quota=own.changed(given))
        wanted = self._ledger.wanted
        return self._previewed(replace(wanted, slices={**wanted.slices, slice_: changed}), [changed])

    async def of_site(self, site: Site) -> dict[str, Any]:
        """What the slices of a site may use, and use."""
        quota = await self._database.read(site_quotas.of_site, site)
        mine = self._of_site(site)
        used = self._used(mine) | {"depot_bytes": await self._database.read(site_quotas.depot_bytes, site)}
        return {
            "site": site,
            "each": asdict(quota.each),
            "together": asdict(quota.together),
            "used": used,
            "bounds": _bounds(quota.together, f"the site {site}", used),
        }

    async def give_site(self, site: Site, each: Given, together: Given) -> dict[str, Any]:
        """Say what each slice of a site, and all of them together, may use; what is not named stays.

        Raises:
            Invalid: it is no quota.
        """
        after = await self._after(site, each, together)
        await self._ledger.give_site(site, each=after.each, together=after.together)
        return await self.of_site(site)

    async def preview_site(self, site: Site, each: Given, together: Given) -> dict[str, Any]:
        """What such quotas would hold back; nothing is changed."""
        after, wanted = await self._after(site, each, together), self._ledger.wanted
        key = next((key for key, one in wanted.sites.items() if one.site == site), site)
        return self._previewed(replace(wanted, sites={**wanted.sites, key: after}), self._of_site(site))

    async def _after(self, site: Site, each: Given, together: Given) -> SiteQuota:
        before = await self._database.read(site_quotas.of_site, site)
        return SiteQuota(site, before.each.changed(each), before.together.changed(together))

    def _of_site(self, site: Site) -> list[WantedSlice]:
        wanted = self._ledger.wanted
        return [one for one in wanted.slices.values() if wanted.sites[one.site].site == site]

    def _read(self, connection: Connection, slice_: Slice) -> tuple[Any, Quota, SiteQuota]:
        own, site = _own(connection, self._ledger.slice(slice_))
        return self._depot.room(connection, slice_), own, site

    def _used(self, some: Iterable[WantedSlice]) -> dict[str, int]:
        failed = self._fleet.back_or_failed()
        places = [(one, occupied(one, failed)) for one in some]
        return {
            "nodes": len(frozenset().union(*(hosts for _, hosts in places))),
            "slivers": sum(len(hosts) for _, hosts in places),
            "memory": sum(len(hosts) * one.limits.memory for one, hosts in places),
        } | self._floods.said(one.name for one, _ in places)

    def _previewed(self, wanted: Wanted, some: Iterable[WantedSlice]) -> dict[str, Any]:
        """What waits then, slice by slice."""
        waiting = [
            {"slice": one.name, "host": each.host, "reason": each.reason}
            for one in sorted(some, key=lambda one: one.name)
            for each in (self._previews.of(one, wanted).waiting if one.managed else ())
        ]
        return {"waiting": waiting}


def _own(connection: Connection, slice_: WantedSlice) -> tuple[Quota, SiteQuota]:
    """The bounds that were set of a slice, those in the depot too, and those of its site."""
    given = quotas.given(connection, slice_.name) or 0
    sites = site_quotas.load_site_quotas(connection)
    return replace(slice_.quota, depot_bytes=given), sites.get(slice_.site, SiteQuota())


def _bounds(quota: Quota, whose: str, used: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {"what": what, "most": getattr(quota, what), "whose": whose, "used": used.get(what)}
        for what in NAMES
        if getattr(quota, what)
    ]


def _check_within(caller: Caller, own: Quota, after: Quota, site: SiteQuota) -> None:
    """A pi gives what the site has; more only an admin."""
    if may(caller, Right.GIVE_QUOTA):
        return
    beyond = looser(own, after, site)
    if beyond:
        what = beyond[0]
        most = site.of_slice(what)
        has = f"has {amount(what, most)} for a slice" if most else "has no bound of its own to give from"
        raise Denied(
            f"{caller.account} [{caller.role}] may not give {name_of(what)} "
            f"{amount(what, getattr(after, what)) if getattr(after, what) else 'without a bound'}: "
            f"the site {site.site} {has}",
            hint="less is possible; more it needs the role admin for: ask an admin",
        )
