"""Who may do what, as one table. Pure.

A person logs in with one of the roles that the account holds, everywhere or at some sites. For each right
the table names the roles that have it, the roles that have it for what belongs to their site, and whether
membership of the slice gives it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dsmt_core.errors import Denied, Invalid
from dsmt_core.names import Account, Site, Slice


class Role(StrEnum):
    """What somebody is to the installation; the names are PlanetLab's.

    Attributes:
        ADMIN: runs it: accounts, nodes, and every slice.
        PI: principal investigator: makes slices and answers for them.
        USER: works in the slices that name the account as a member.
        TECH: looks after machines: may read everything, and change only the nodes of its own site.
    """

    ADMIN = "admin"
    PI = "pi"
    USER = "user"
    TECH = "tech"


class Right(StrEnum):
    """What somebody may do; the value completes the sentence "may not …"."""

    MAKE_SLICES = "make or delete slices"
    CHANGE_SLICE = "change this slice"
    GUARD_SLICE = "set the guard rails of this slice"
    BRING_AGENTS = "choose an agent other than DSMT's own"
    READ_SLICE = "look into this slice"
    LIST_NODES = "list the nodes"
    GIVE_ROOM = "say how much this slice may keep in the depot"
    MANAGE_NODES = "invite, label or forget nodes, or take them out of service"
    MANAGE_ACCOUNTS = "manage accounts"
    MANAGE_SITES = "make, change or delete sites, or move what belongs to one"
    MANAGE_SITE = "say who has which role at this site"
    SAY_PUBLISHERS = "say whose packages this slice takes"
    RUN_UNSIGNED = "run commands in this slice, which takes signed packages only"
    SAY_MEMBERS = "say who the members of this slice are"
    GIVE_QUOTA = "say how much the slices of a site may use"
    GIVE_SLICE_QUOTA = "say how much this slice may use"
    READ_AUDIT = "read the audit log of this slice"
    KEEP_AUDIT = "read all of the audit log, verify, export or prune it"
    USE_BUS = "connect to the event service"
    HEAR_ALL = "connect to the event service as an operator, who hears all slices"


@dataclass(frozen=True, slots=True)
class Holders:
    """Who has a right.

    Attributes:
        roles: that have it everywhere, when they are held everywhere.
        at_site: that have it for what belongs to a site, when they are held there.
        members: the members of the slice have it, too.
        anywhere: a role that is held at any site is enough.
    """

    roles: frozenset[Role]
    at_site: frozenset[Role] = frozenset()
    members: bool = False
    anywhere: bool = False


_ALL: Final = frozenset(Role)
_ADMIN: Final = frozenset({Role.ADMIN})
_MAKERS: Final = frozenset({Role.ADMIN, Role.PI})
_READERS: Final = _MAKERS | {Role.TECH}
_KEEPERS: Final = frozenset({Role.ADMIN, Role.TECH})

TABLE: Final = {
    Right.MAKE_SLICES: Holders(_MAKERS, _MAKERS),
    Right.CHANGE_SLICE: Holders(_MAKERS, _MAKERS, members=True),
    # Not a member's: rails that a service planner could set itself would hold nothing.
    Right.GUARD_SLICE: Holders(_MAKERS, _MAKERS),
    # Its applications can look into it and, where nodes share a user of the broker, speak for all of them:
    # whoever brings one answers for more than the slice, and than the site.
    Right.BRING_AGENTS: Holders(_MAKERS),
    Right.READ_SLICE: Holders(_READERS, _READERS, members=True),
    Right.LIST_NODES: Holders(_ALL, anywhere=True),
    # The depot and the nodes are everybody's: a site does not raise its own share of them.
    Right.GIVE_ROOM: Holders(_ADMIN),
    Right.GIVE_QUOTA: Holders(_ADMIN),
    # Within what the site has: how much that is, `planner.quota.looser` says.
    Right.GIVE_SLICE_QUOTA: Holders(_MAKERS, _MAKERS),
    Right.MANAGE_NODES: Holders(_ADMIN, _KEEPERS),
    Right.MANAGE_ACCOUNTS: Holders(_ADMIN, _MAKERS),
    Right.MANAGE_SITES: Holders(_ADMIN),
    Right.MANAGE_SITE: Holders(_ADMIN, _MAKERS),
    # Not a member's: whoever has stolen a member's password must not bring packages of his own.
    Right.SAY_PUBLISHERS: Holders(_MAKERS, _MAKERS),
    # A command is a program that nobody has signed.
    Right.RUN_UNSIGNED: Holders(_MAKERS, _MAKERS),
    Right.SAY_MEMBERS: Holders(_MAKERS, _MAKERS),
    Right.READ_AUDIT: Holders(_MAKERS, _MAKERS, members=True),
    Right.KEEP_AUDIT: Holders(_ADMIN),
    Right.USE_BUS: Holders(_ALL, anywhere=True),
    Right.HEAR_ALL: Holders(frozenset({Role.ADMIN, Role.TECH})),
}

# Who logs in without a role gets the strongest that the account holds.
_STRENGTH: Final = (Role.ADMIN, Role.PI, Role.USER, Role.TECH)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        role: with which it logged in.
        slices: that have the account as a member.
        everywhere: it holds the role for the whole installation.
        sites: at which it holds the role.
        of_sites: the slices of those sites.
        program: the name of the token, when it is a program's.
    """

    account: Account
    role: Role
    slices: frozenset[Slice] = frozenset()
    program: str = ""
    everywhere: bool = True
    sites: frozenset[Site] = frozenset()
    of_sites: frozenset[Slice] = frozenset()


class Lacking(Denied):
    """A right is missing; who has it can be looked up by its roles.

    Attributes:
        site: at which a role would do; empty when only one that holds everywhere does.
        roles, at_site: that have the right everywhere, and there.
    """

    site: Site = Site("")
    slice: Slice = Slice("")
    roles: frozenset[Role] = frozenset()
    at_site: frozenset[Role] = frozenset()


def role(text: str) -> Role:
    """The role of this name; upper and lower case are the same (the guide writes PI).

    Raises:
        Invalid: there is none.
    """
    try:
        return Role(text.lower())
    except ValueError:
        raise Invalid(f"{text[:40]!r} is not a role", hint=f"the roles are {', '.join(Role)}") from None


def choose_role(held: Sequence[str], asked: str) -> Role:
    """The role of a login: the one asked for, or the strongest held.

    Raises:
        Denied: the account does not hold it.
    """
    mine = [one for one in _STRENGTH if one in held]
    if not asked:
        return mine[0] if mine else Role.USER
    chosen = role(asked)
    if chosen not in mine:
        raise Denied(
            f"this account does not have the role {chosen}",
            hint=f"it has {', '.join(mine) or 'none'}; an admin gives roles",
        )
    return chosen


def may(caller: Caller, right: Right, slice_: Slice | None = None, *, site: Site | None = None) -> bool:
    """Whether ``caller`` has ``right``: on ``slice_``, or at ``site``, where it is about one."""
    holders = TABLE[right]
    if caller.role in holders.roles and (caller.everywhere or (holders.anywhere and caller.sites)):
        return True
    if holders.members and slice_ is not None and slice_ in caller.slices:
        return True
    is_there = site in caller.sites or (slice_ is not None and slice_ in caller.of_sites)
    return caller.role in holders.at_site and is_there


def check(caller: Caller, right: Right, slice_: Slice | None = None, *, site: Site | None = None) -> None:
    """Refuse what the caller may not do.

    Raises:
        Lacking: the message says who may not do what, the hint what is missing.
    """
    if may(caller, right, slice_, site=site):
        return
    holders = TABLE[right]
    needed = f"the role {_either(holders.roles)}"
    if holders.at_site and (site or slice_):
        where = f"the site {site}" if site else f"the site of {slice_}"
        same = holders.at_site == holders.roles
        needed += f", everywhere or at {where}" if same else f", or {_either(holders.at_site)} at {where}"
    member = f"membership of the slice {slice_} or " if holders.members and slice_ else ""
    refusal = Lacking(
        f"{caller.account} [{caller.role}] may not {right}",
        hint=f"it needs {member}{needed}; log in with another role (--role) or ask an admin",
    )
    refusal.site, refusal.slice = site or Site(""), slice_ or Slice("")
    refusal.roles, refusal.at_site = holders.roles, holders.at_site
    raise refusal


def _either(roles: frozenset[Role]) -> str:
    return " or ".join(one for one in _STRENGTH if one in roles)
