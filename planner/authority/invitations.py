"""Whether an invitation lets a node in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from dsmt_core.errors import Denied, Invalid
from dsmt_core.names import Account, Host, Site

USES_MOST: Final = 100_000
_HOSTS: Final = 200
_ASK: Final = "ask an admin for another: dsmtc nodes invite"


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation.

    Attributes:
        by: whose.
        expires_at: seconds since the epoch.
        site: to which site; None: home.
        uses: how many nodes it lets in yet; None: any number.
        hosts: only of names that this pattern matches, with ``*`` and ``?``; empty: of all.
        replaces: it also lets in while the holder of the name lives, who is out from then on.
    """

    by: Account
    expires_at: float
    site: Site | None = None
    uses: int | None = None
    hosts: str = ""
    replaces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """For what an invitation is asked.

    Attributes:
        lasts: seconds; None: the planner's default.
        site: as `Invited`.
        uses: as `Invited`; 0 stands for any number, too.
        hosts: as `Invited`.
        replaces: the host whose holder makes room for another machine; empty for none.
    """

    lasts: float | None = None
    site: Site | None = None
    uses: int | None = None
    hosts: str = ""
    replaces: str = ""


def legal_uses(uses: int | None) -> int | None:
    """How many nodes an invitation is for; 0 means any number.

    Raises:
        Invalid: below 0, or more than anybody has.
    """
    if uses is not None and not 0 <= uses <= USES_MOST:
        raise Invalid(
            f"an invitation is for 1 to {USES_MOST} nodes, not {uses}", hint="0 means any number of them"
        )
    return uses or None


def legal_hosts(pattern: str) -> str:
    """A pattern of names.

    Raises:
        Invalid: it could match none.
    """
    legal = set("abcdefghijklmnopqrstuvwxyz0123456789.-*?")
    if len(pattern) > _HOSTS or not set(pattern) <= legal:
        raise Invalid(f"{pattern[:80]!r} is no pattern of hosts", hint="such as *.tokyo.example.org")
    return pattern


def refusal(invited: Invited | None, host: Host, now: float) -> Denied | None:
    """Why it does not let this node in; None: it does.

    Args:
        invited: what the token is of; None: of nothing that is known.
        host: the node's name.
        now: seconds since the epoch.
    """
    if invited is None:
        return Denied("the token is not of an invitation of this planner, or of one long ago", hint=_ASK)
    if invited.expires_at <= now:
        return Denied("the token is not of an invitation that still holds: it has ended", hint=_ASK)
    if invited.uses is not None and invited.uses <= 0:
        return Denied("the token has let in as many nodes as it was for", hint=_ASK)
    if invited.hosts and not fnmatchcase(host, invited.hosts):
        return Denied(f"the token is for hosts like {invited.hosts}, not for {host}", hint=_ASK)
    return None
