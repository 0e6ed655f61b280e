"""Sites, and what belongs to them. In the rows of what belongs to the home site its name is empty."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from dsmt_core.errors import Conflict, NotFound
from dsmt_core.names import Account, Host, Site, Slice
from planner.authority.rights import Role
from planner.authority.sites import Standing, check_free
from planner.store.site_tables import SITE_ROLES, SITES
from planner.store.tables import ACCOUNTS, JOIN_TOKENS, MEMBERS, NODES, SLICES

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Kept:
    """A site; ``quota`` as `planner.quota` writes it."""

    site: Site
    description: str
    quota: str
    home: bool


def listed(connection: Connection) -> list[Kept]:
    """Every site, by name."""
    rows = connection.execute(select(SITES).order_by(SITES.c.site))
    return [Kept(Site(row.site), row.description, row.quota, bool(row.home)) for row in rows]


def one(connection: Connection, site: Site) -> Kept:
    """A site.

    Raises:
        NotFound: there is none.
    """
    for kept in listed(connection):
        if kept.site == site:
            return kept
    raise NotFound(f"there is no site {site}", hint="dsmtc plc sites lists them")


def home(connection: Connection) -> Site:
    """The home site."""
    return Site(connection.execute(select(SITES.c.site).where(SITES.c.home)).scalar_one())


def stored(connection: Connection, site: Site) -> str:
    """A site as it stands in the rows of what belongs to it.

    Raises:
        NotFound: there is none.
    """
    return "" if one(connection, site).home else site


def make(connection: Connection, site: Site, description: str) -> None:
    """Store a new site.

    Raises:
        Conflict: there is one of this name, or slices of another site begin with it.
    """
    if any(kept.site == site for kept in listed(connection)):
        raise Conflict(f"the site {site} exists already", hint="dsmtc plc sites lists them")
    main = home(connection)
    rows = connection.execute(select(SLICES.c.slice, SLICES.c.site))
    check_free(site, [(Slice(row.slice), Site(row.site) or main) for row in rows])
    connection.execute(insert(SITES).values(site=site, description=description, home=False))


def describe(connection: Connection, site: Site, description: str) -> None:
    """Say what a site is.

    Raises:
        NotFound: there is none.
    """
    one(connection, site)
    connection.execute(update(SITES).where(SITES.c.site == site).values(description=description))


def name_home(connection: Connection, site: Site) -> None:
    """Give the home site its name, in a database that is being made."""
    connection.execute(update(SITES).where(SITES.c.home).values(site=site))


def remove(connection: Connection, site: Site) -> None:
    """Remove a site that nothing belongs to; roles there end, and its people are at home from now on.

    Raises:
        NotFound: there is none.
        Conflict: it is the home site, or slices or nodes belong to it.
    """
    if one(connection, site).home:
        raise Conflict(f"{site} is the home site of this installation", hint="another one can be deleted")
    slices = list(
        connection.execute(select(SLICES.c.slice).where(SLICES.c.site == site).order_by(SLICES.c.slice))
    )
    nodes = list(
        connection.execute(select(NODES.c.host).where(NODES.c.site == site).order_by(NODES.c.host))
    )
    held = [_some("slices", [row.slice for row in slices]), _some("nodes", [row.host for row in nodes])]
    if any(held):
        raise Conflict(
            f"to the site {site} belong {' and '.join(filter(None, held))}",
            hint="delete the slices, and move the nodes: dsmtc plc addnode --site SITE HOST",
        )
    for table in (ACCOUNTS, JOIN_TOKENS):
        connection.execute(update(table).where(table.c.site == site).values(site=""))
    connection.execute(delete(SITES).where(SITES.c.site == site))


def roles(connection: Connection, account: Account) -> dict[Site, tuple[str, ...]]:
    """The roles that an account has at sites."""
    asked = select(SITE_ROLES).where(SITE_ROLES.c.account == account).order_by(SITE_ROLES.c.site)
    return {Site(row.site): tuple(row.roles) for row in connection.execute(asked)}


def give_roles(connection: Connection, site: Site, account: Account, held: Collection[str]) -> None:
    """Say which roles an account has at a site; none: it has none there.

    Raises:
        NotFound: there is no such site, or no such account.
    """
    one(connection, site)
    if not connection.execute(select(ACCOUNTS.c.account).where(ACCOUNTS.c.account == account)).first():
        raise NotFound(f"there is no account {account}", hint="dsmtc account add makes one")
    mine = (SITE_ROLES.c.site == site, SITE_ROLES.c.account == account)
    connection.execute(delete(SITE_ROLES).where(*mine))
    if held:
        connection.execute(insert(SITE_ROLES).values(site=site, account=account, roles=list(held)))


def people(connection: Connection, site: Site) -> list[tuple[Account, tuple[str, ...]]]:
    """Who belongs to a site or has a role there, with those roles, by name."""
    key = stored(connection, site)
    asked = select(SITE_ROLES).where(SITE_ROLES.c.site == site)
    found = {row.account: tuple(row.roles) for row in connection.execute(asked)}
    for name in connection.execute(select(ACCOUNTS.c.account).where(ACCOUNTS.c.site == key)).scalars():
        found.setdefault(name, ())
    return [(Account(name), found[name]) for name in sorted(found)]


def standing(connection: Connection, account: Account) -> Standing:
    """What an account is.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.account == account)).one_or_none()
    if row is None:
        raise NotFound(f"there is no account {account}", hint="dsmtc account list lists them")
    main = home(connection)
    of = select(SLICES.c.site).join(MEMBERS, MEMBERS.c.slice == SLICES.c.slice)
    member_at = connection.execute(of.where(MEMBERS.c.account == account)).scalars()
    return Standing(
        account,
        Site(row.site) or main,
        frozenset(map(Role, row.roles)),
        {site: frozenset(map(Role, held)) for site, held in roles(connection, account).items()},
        frozenset(Site(site) or main for site in member_at),
    )


def slices_at(connection: Connection, sites: Collection[Site]) -> frozenset[Slice]:
    """The slices that belong to some sites."""
    keys = [stored(connection, site) for site in sites]
    asked = select(SLICES.c.slice).where(SLICES.c.site.in_(keys))
    return frozenset(map(Slice, connection.execute(asked).scalars()))


def of_slice(connection: Connection, slice_: Slice) -> Site:
    """The site that a slice belongs to; the home site for one that does not exist."""
    found = connection.execute(select(SLICES.c.site).where(SLICES.c.slice == slice_)).scalar()
    return Site(found or home(connection))


def of_node(connection: Connection, host: Host) -> Site:
    """The site that a node belongs to; the home site for one that does not exist."""
    found = connection.execute(select(NODES.c.site).where(NODES.c.host == host)).scalar()
    return Site(found or home(connection))


def of_nodes(connection: Connection) -> dict[Host, Site]:
    """The site of every node."""
    main = home(connection)
    rows = connection.execute(select(NODES.c.host, NODES.c.site))
    return {Host(row.host): Site(row.site) or main for row in rows}


def move_node(connection: Connection, host: Host, site: Site) -> None:
    """Have a node belong to a site.

    Raises:
        NotFound: there is no such site, or no such node.
    """
    key = stored(connection, site)
    if not connection.execute(update(NODES).where(NODES.c.host == host).values(site=key)).rowcount:
        raise NotFound(f"there is no node {host}", hint="dsmtc nodes lists them")


def counts(connection: Connection, site: Site) -> dict[str, int]:
    """How many people, slices and nodes belong to a site."""
    key = stored(connection, site)
    tables = {"people": ACCOUNTS, "slices": SLICES, "nodes": NODES}
    return {
        name: int(
            connection.execute(
                select(func.count()).select_from(table).where(table.c.site == key)
            ).scalar_one()
        )
        for name, table in tables.items()
    }


def holders(
    connection: Connection, everywhere: Collection[Role], at: Collection[Role], site: Site
) -> list[str]:
    """Accounts with a password that have one of these roles everywhere, or one of those at a site."""
    found = []
    asked = select(ACCOUNTS).where(ACCOUNTS.c.password_hash != "").order_by(ACCOUNTS.c.account)
    for row in connection.execute(asked):
        here = roles(connection, Account(row.account)).get(site, ()) if site and at else ()
        if {*row.roles} & {*everywhere} or {*here} & {*at}:
            found.append(str(row.account))
            if len(found) > _SHOWN:
                break
    return found


def _some(what: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"the {what} {', '.join(names[:_SHOWN])}{more}"
