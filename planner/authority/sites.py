"""To which site a slice belongs, and whom somebody with a role at a site may look after. Pure.

A slice belongs to the site that its name begins with, before the first underscore; else to the home site.
Who has a role at one site looks after people of that site only as far as they are nothing more elsewhere:
a password that a site could set must not open another site's door.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from dsmt_core.errors import Conflict, Denied
from dsmt_core.names import Account, Site, Slice
from planner.authority.rights import Caller, Right, Role, check, may

_SHOWN: Final = 5
# What gives nobody a right over what is others'.
_HARMLESS: Final = frozenset({Role.USER})


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account is.

    Attributes:
        site: to which it belongs.
        everywhere: the roles that it holds for the whole installation.
        at: those that it holds at sites.
        member_at: the sites of the slices that have it as a member.
    """

    account: Account
    site: Site
    everywhere: frozenset[Role] = frozenset()
    at: Mapping[Site, frozenset[Role]] = field(default_factory=dict)
    member_at: frozenset[Site] = frozenset()


def prefix(slice_: Slice) -> str:
    """What stands before the first underscore of a slice's name; empty when there is none."""
    before, underscore, _ = slice_.partition("_")
    return before if underscore else ""


def site_of(slice_: Slice, sites: Collection[Site], home: Site) -> Site:
    """The site to which a slice of this name belongs."""
    named = Site(prefix(slice_))
    return named if named in sites else home


def check_free(site: Site, slices: Iterable[tuple[Slice, Site]]) -> None:
    """Refuse a new site whose name slices of other sites begin with: whose are they would be unclear.

    Raises:
        Conflict: there are such slices.
    """
    taken = sorted(name for name, of in slices if of != site and prefix(name) == site)
    if taken:
        more = f" and {len(taken) - _SHOWN} more" if len(taken) > _SHOWN else ""
        raise Conflict(
            f"slices of another site begin with {site}_: {', '.join(taken[:_SHOWN])}{more}",
            hint="choose another name for the site, or delete those slices first",
        )


def check_manages(caller: Caller, of: Standing) -> None:
    """Refuse the password or the end of an account to who does not look after it.

    Raises:
        Denied: the caller is no admin everywhere, and the account is of another site or more than a user
            elsewhere.
    """
    if may(caller, Right.MANAGE_ACCOUNTS):
        return
    check(caller, Right.MANAGE_ACCOUNTS, site=of.site)
    elsewhere = {site for site, roles in of.at.items() if roles and site != of.site}
    elsewhere |= of.member_at - {of.site}
    here = of.at.get(of.site, frozenset())
    above = here & {Role.ADMIN, Role.PI} if caller.role is not Role.ADMIN else frozenset()
    if of.account != caller.account and (of.everywhere - _HARMLESS or elsewhere or above):
        what: list[str] = sorted({*(of.everywhere - _HARMLESS), *above}) or [
            f"at home at {', '.join(sorted(elsewhere))}"
        ]
        raise Denied(
            f"{caller.account} [{caller.role}] may not manage {of.account}, "
            f"who is {' and '.join(what)} too",
            hint="it needs the role admin; ask an admin",
        )


def check_gives(caller: Caller, site: Site, roles: Collection[Role]) -> None:
    """Refuse roles at a site to who may not give them: a pi makes users and techs, an admin anybody.

    Raises:
        Denied: the hint says who may.
    """
    check(caller, Right.MANAGE_SITE, site=site)
    if caller.role is Role.ADMIN or not set(roles) & {Role.ADMIN, Role.PI}:
        return
    raise Denied(
        f"{caller.account} [{caller.role}] may not give or take the role admin or pi at {site}",
        hint=f"it needs the role admin (at the site {site}: admin); ask an admin",
    )
