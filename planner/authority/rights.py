"""Who may do what, as one table. Pure.

A person logs in with one of the roles that the account holds. For each right the table names the roles
that have it everywhere, and whether membership of the slice gives it too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dsmt_core.errors import Denied, Invalid
from dsmt_core.names import Account, Slice


class Role(StrEnum):
    """What somebody is to the installation; the names are PlanetLab's.

    Attributes:
        ADMIN: runs it: accounts, nodes, and every slice.
        PI: principal investigator: makes slices and answers for them.
        USER: works in the slices that name the account as a member.
        TECH: looks after machines: may read everything and change nothing.
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
    READ_AUDIT = "read the audit log of this slice"
    KEEP_AUDIT = "read all of the audit log, verify, export or prune it"
    USE_BUS = "connect to the event service"
    HEAR_ALL = "connect to the event service as an operator, who hears all slices"


@dataclass(frozen=True, slots=True)
class Holders:
    """Who has a right: these roles everywhere, and members of the slice if ``members``."""

    roles: frozenset[Role]
    members: bool = False


_ALL: Final = frozenset(Role)
_MAKERS: Final = frozenset({Role.ADMIN, Role.PI})

TABLE: Final = {
    Right.MAKE_SLICES: Holders(_MAKERS),
    Right.CHANGE_SLICE: Holders(_MAKERS, members=True),
    # Not a member's: rails that a service planner could set itself would hold nothing.
    Right.GUARD_SLICE: Holders(_MAKERS),
    # An agent connects as its node does: whoever brings one answers for more than the slice.
    Right.BRING_AGENTS: Holders(_MAKERS),
    Right.READ_SLICE: Holders(_MAKERS | {Role.TECH}, members=True),
    Right.LIST_NODES: Holders(_ALL),
    Right.GIVE_ROOM: Holders(frozenset({Role.ADMIN})),
    Right.MANAGE_NODES: Holders(frozenset({Role.ADMIN})),
    Right.MANAGE_ACCOUNTS: Holders(frozenset({Role.ADMIN})),
    Right.READ_AUDIT: Holders(_MAKERS, members=True),
    Right.KEEP_AUDIT: Holders(frozenset({Role.ADMIN})),
    Right.USE_BUS: Holders(_ALL),
    Right.HEAR_ALL: Holders(frozenset({Role.ADMIN, Role.TECH})),
}

# Who logs in without a role gets the strongest that the account holds.
_STRENGTH: Final = (Role.ADMIN, Role.PI, Role.USER, Role.TECH)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, in which role, and the slices that have the account as a member.

    Attributes:
        program: the name of the token, when it is a program's.
    """

    account: Account
    role: Role
    slices: frozenset[Slice] = frozenset()
    program: str = ""


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


def may(caller: Caller, right: Right, slice_: Slice | None = None) -> bool:
    """Whether ``caller`` has ``right`` (on ``slice_``, for the rights that are about one)."""
    holders = TABLE[right]
    is_member = holders.members and slice_ is not None and slice_ in caller.slices
    return caller.role in holders.roles or is_member


def check(caller: Caller, right: Right, slice_: Slice | None = None) -> None:
    """Refuse what the caller may not do.

    Raises:
        Denied: the message says who may not do what, the hint what is missing.
    """
    if may(caller, right, slice_):
        return
    holders = TABLE[right]
    needed = f"the role {' or '.join(one for one in _STRENGTH if one in holders.roles)}"
    member = f"membership of the slice {slice_} or " if holders.members and slice_ else ""
    raise Denied(
        f"{caller.account} [{caller.role}] may not {right}",
        hint=f"it needs {member}{needed}; log in with another role (--role) or ask an admin",
    )
