"""What the slices of sites may use, as it is stored; the smallest of it and a slice's own bound counts."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from dsmt_core.names import Site
from planner.quota import Quota, SiteQuota, quota_of
from planner.store import sites
from planner.store.site_tables import SITES
from planner.store.tables import PACKAGES, SLICES


def load_site_quotas(connection: Connection) -> dict[Site, SiteQuota]:
    """The bounds of every site, by the site as it stands in the rows of its slices."""
    return {
        Site("") if row.home else Site(row.site): SiteQuota(
            Site(row.site), quota_of(row.quota), quota_of(row.together)
        )
        for row in connection.execute(select(SITES))
    }


def of_site(connection: Connection, site: Site) -> SiteQuota:
    """The bounds of one site.

    Raises:
        NotFound: there is none.
    """
    return load_site_quotas(connection)[Site(sites.stored(connection, site))]


def give(
    connection: Connection, site: Site, *, each: Quota | None, together: Quota | None
) -> dict[Site, SiteQuota]:
    """Say what the slices of a site may use; None: as before. Returns the bounds of every site.

    Raises:
        NotFound: there is none.
    """
    sites.one(connection, site)
    given = {name: one.text for name, one in (("quota", each), ("together", together)) if one is not None}
    if given:
        connection.execute(update(SITES).where(SITES.c.site == site).values(**given))
    return load_site_quotas(connection)


def depot_bytes(connection: Connection, site: Site) -> int:
    """What the packages of all slices of a site take, each content once in each slice."""
    sizes = (
        select(PACKAGES.c.slice, PACKAGES.c.digest, func.max(PACKAGES.c.size).label("size"))
        .join(SLICES, SLICES.c.slice == PACKAGES.c.slice)
        .where(SLICES.c.site == sites.stored(connection, site))
        .group_by(PACKAGES.c.slice, PACKAGES.c.digest)
        .subquery()
    )
    return int(connection.execute(select(func.coalesce(func.sum(sizes.c.size), 0))).scalar_one())
