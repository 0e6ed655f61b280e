"""Sites, the people there, and who belongs to a slice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from dsmt_core.errors import Invalid
from dsmt_core.names import Account, Host, Site, Slice
from planner.authority.rights import Caller, Lacking, Right, Role, check, may
from planner.authority.sites import check_gives, check_manages, site_of
from planner.described import check_described
from planner.quota import quota_of
from planner.service.ledger import Ledger
from planner.store import Database, accounts, members, sites, withdrawals

_SHOWN = 5


class Sites:
    """Sites and people.

    Args:
        database: where they are kept.
        ledger: the slices.
        now: seconds since the epoch.

    Attributes:
        left: told when somebody is a member of slices no longer.
    """

    def __init__(self, database: Database, ledger: Ledger, now: Callable[[], float]) -> None:
        self._database = database
        self._ledger = ledger
        self._now = now
        self.left: Callable[[], None] = lambda: None

    async def listed(self) -> list[dict[str, Any]]:
        """Every site, as the API shows it."""
        return await self._database.read(
            lambda connection: [_shown(connection, one) for one in sites.listed(connection)]
        )

    async def shown(self, site: Site) -> dict[str, Any]:
        """One site with its people.

        Raises:
            NotFound: there is none.
        """

        def both(connection: Connection) -> dict[str, Any]:
            found = _shown(connection, sites.one(connection, site))
            people = sites.people(connection, site)
            return found | {"people": [{"account": one, "roles": list(held)} for one, held in people]}

        return await self._database.read(both)

    async def make(self, site: Site, description: str) -> dict[str, Any]:
        """Make a site.

        Raises:
            Invalid: the description is not legal.
            Conflict: it exists, or slices of another site begin with its name.
        """
        check_described(description=description)
        await self._database.write(sites.make, site, description)
        return await self.shown(site)

    async def describe(self, site: Site, description: str) -> dict[str, Any]:
        """Say what a site is."""
        check_described(description=description)
        await self._database.write(sites.describe, site, description)
        return await self.shown(site)

    async def remove(self, site: Site) -> None:
        """Remove a site to which no slice and no node belongs."""
        await self._database.write(sites.remove, site)

    async def give_roles(
        self, caller: Caller, site: Site, account: Account, roles: Sequence[Role]
    ) -> dict[str, Any]:
        """Say which roles an account has at a site.

        Raises:
            Denied: the caller may not give or take one of them.
            NotFound: there is no such site or account.
        """

        def given(connection: Connection) -> None:
            before = sites.roles(connection, account).get(site, ())
            check_gives(caller, site, {*map(Role, before), *roles})
            sites.give_roles(connection, site, account, [one.value for one in roles])

        await self._database.write(given)
        return await self.shown(site)

    async def move_node(self, caller: Caller, host: Host, site: Site) -> dict[str, Any]:
        """Have a node belong to another site.

        Raises:
            Lacking: the caller does not look after both sites.
            NotFound: there is no such site or node.
        """
        check(caller, Right.MANAGE_SITES)
        await self._database.write(sites.move_node, host, site)
        return {"host": host, "site": site}

    async def check_nodes(self, caller: Caller, hosts: Iterable[Host]) -> None:
        """Return if the caller looks after these nodes.

        Raises:
            Lacking: after one of them it does not.
        """
        if may(caller, Right.MANAGE_NODES):
            return
        known = await self._database.read(sites.of_nodes)
        home = await self._database.read(sites.home)
        for host in hosts:
            check(caller, Right.MANAGE_NODES, site=known.get(host, home))

    async def of_node(self, host: Host) -> Site:
        """The site to which a node belongs; whoever has the rights there looks after it."""
        return await self._database.read(sites.of_node, host)

    async def for_slice(self, slice_: Slice) -> Site:
        """The site to which a new slice of this name belongs."""
        return await self._database.read(_site_of, slice_)

    async def of_slices(self) -> dict[str, Any]:
        """What the sites know of each slice."""
        return await self._database.read(members.told)

    async def account(self, account: Account) -> dict[str, Any]:
        """An account as the API shows it.

        Raises:
            NotFound: there is none.
        """
        return await self._database.read(account_shown, account)

    async def accounts(self, caller: Caller) -> list[dict[str, Any]]:
        """The accounts that the caller looks after."""

        def found(connection: Connection) -> list[dict[str, Any]]:
            every = [account_shown(connection, one.account) for one in accounts.listed(connection)]
            return [one for one in every if may(caller, Right.MANAGE_ACCOUNTS, site=one["site"])]

        return await self._database.read(found)

    async def set_roles(self, account: Account, roles: Sequence[Role]) -> dict[str, Any]:
        """Say which roles an account has everywhere.

        Raises:
            NotFound: there is none.
            Conflict: nobody could log in as admin any more.
        """
        await self._database.write(accounts.set_roles, account, [one.value for one in roles])
        return await self.account(account)

    async def remove_account(self, caller: Caller, account: Account) -> dict[str, Any]:
        """Remove an account; its logins end, and the slices that it owned are the caller's.

        Raises:
            Denied: the caller does not look after it.
            NotFound, Conflict: there is none, or nobody could log in as admin any more.
            Invalid: it is the caller's own.
        """
        if account == caller.account:
            raise Invalid("nobody removes the own account", hint="another admin can")

        def removed(connection: Connection) -> dict[str, Any]:
            check_manages(caller, sites.standing(connection, account))
            owned, mine = accounts.remove(connection, account, caller.account)
            for slice_ in mine:
                withdrawals.leaves(connection, Slice(slice_), at=self._now())
            return {"account": account, "deleted": True, "owned": owned, "member_of": mine}

        done = await self._database.write(removed)
        self.left()
        return done

    async def set_member(self, slice_: Slice, account: Account, *, member: bool) -> dict[str, Any]:
        """Have an account be a member of a slice, or no longer; one that does not exist is made.

        Raises:
            NotFound: there is no such slice, or it is no member.
            Conflict: it owns the slice.
        """
        if member:
            return await self._ledger.change(slice_, members.add, slice_, account, now=self._now())
        return await self._ledger.change(slice_, members.remove, slice_, account, now=self._now())

    async def who_may(self, refusal: Lacking) -> str:
        """Who has the right that is missing, by name, for the hint; empty when nobody is known."""

        def found(connection: Connection) -> list[str]:
            site = refusal.site or (
                sites.of_slice(connection, refusal.slice) if refusal.slice else Site("")
            )
            return sites.holders(connection, refusal.roles, refusal.at_site, site)

        names = await self._database.read(found)
        shown = f"{', '.join(names[:_SHOWN])} and others" if len(names) > _SHOWN else ", ".join(names)
        return f" ({shown})" if names else ""


def _shown(connection: Connection, kept: sites.Kept) -> dict[str, Any]:
    return {
        "site": kept.site,
        "description": kept.description,
        "home": kept.home,
        "depot_bytes": quota_of(kept.quota).depot_bytes,
        **sites.counts(connection, kept.site),
    }


def account_shown(connection: Connection, account: Account) -> dict[str, Any]:
    """An account as the API shows it."""
    person = accounts.find(connection, account)
    if person is None:
        raise accounts.no_account(account)
    return {
        "account": account,
        "roles": list(person.roles),
        "has_password": bool(person.password_hash),
        "site": person.site or sites.home(connection),
        "site_roles": {site: list(held) for site, held in sites.roles(connection, account).items()},
    }


def _site_of(connection: Connection, slice_: Slice) -> Site:
    known = sites.listed(connection)
    home = next(one.site for one in known if one.home)
    return site_of(slice_, {one.site for one in known}, home)
