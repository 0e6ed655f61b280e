"""Tokens: of logins, short and renewed by use; of programs, with a name and an end that is chosen.

Rule: a token speaks for one account in one role that the account still has, and makes no other ways in when
it is a program's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from dsmt_core.errors import Denied, DsmtError, Invalid, Unauthenticated
from dsmt_core.names import Account
from planner.audit.act import acting, current
from planner.authority.rights import Caller, Right, Role, check, choose_role
from planner.authority.tokens import fingerprint, new_token
from planner.store import Database, accounts, sites, slices

# An idle login ends after this; by use it goes on until the second.
TOKEN_S: Final = 3600.0
RENEWED_S: Final = 12 * 3600.0
PROGRAM_S: Final = 30 * 86_400.0
_PROGRAM_MOST_S: Final = 366 * 86_400.0
_PROGRAM_LEAST_S: Final = 1.0
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
LOG_IN: Final = "log in: dsmtc login --user ACCOUNT"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """What a login gave: the token itself is nowhere else."""

    token: str
    account: Account
    role: Role
    expires_at: float
    renewed_until: float = 0.0

    def record(self) -> dict[str, Any]:
        """As the API shows it, once."""
        return {
            "token": self.token,
            "account": self.account,
            "role": self.role,
            "expires_at": self.expires_at,
            "renewed_until": self.renewed_until,
        }


class Sessions:
    """The tokens that are good now.

    Args:
        database: of the planner.
        now: seconds since the epoch.
    """

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    async def begin(self, person: accounts.Person, asked_role: str, *, by: str) -> Session:
        """Give a token to somebody who has shown who they are.

        Args:
            person: who.
            asked_role: empty for the strongest held.
            by: what was shown, for the audit log.

        Raises:
            Denied: the account does not hold the role.
        """
        chosen = choose_role(person.held, asked_role)
        if act := current():
            act.by(person.account, chosen)
            act.note({"by": by})
        now = self._now()
        session = Session(new_token(), person.account, chosen, now + TOKEN_S, now + RENEWED_S)
        login = accounts.Login(
            session.account,
            chosen.value,
            session.expires_at,
            made_at=now,
            renewed_until=session.renewed_until,
        )
        await self._database.write(accounts.add_token, fingerprint(session.token), login, now=now)
        return session

    async def caller(self, authorization: str) -> Caller:
        """Who sends this ``Authorization`` header.

        Raises:
            Unauthenticated: there is no token, or it is unknown or has ended.
        """
        token_hash = fingerprint(_token(authorization))
        now = self._now()
        found = await self._database.read(_caller, token_hash, now=now)
        if found is None:
            raise Unauthenticated("the login has ended or is unknown", hint=LOG_IN)
        caller, login = found
        until = min(now + TOKEN_S, login.renewed_until)
        # At most one write in half an hour for each login.
        if until > login.expires_at and login.expires_at - now < TOKEN_S / 2:
            await self._renew(token_hash, until)
        return caller

    async def end(self, authorization: str) -> None:
        """End a login."""
        await self._database.write(accounts.end_token, fingerprint(_token(authorization)))

    async def make(
        self, caller: Caller, target: Account, name: str, asked_role: str, lasts_s: float
    ) -> Session:
        """Make a token for a program.

        Raises:
            Denied: the caller may not, or the account does not hold the role.
            NotFound: there is no such account.
            Invalid: the name or the end is not legal.
            Conflict, Full: there is one of this name, or there are too many.
        """
        check_own(caller, target)
        if not _NAME.match(name):
            raise Invalid(f"{name[:64]!r} is no name of a token", hint="letters, digits, . _ and -")
        if not _PROGRAM_LEAST_S <= lasts_s <= _PROGRAM_MOST_S:
            raise Invalid("a token ends within 366 days", hint="such as 30d")
        await self._database.read(accounts.must_exist, target)
        person = await self._database.read(accounts.find, target)
        chosen = choose_role(person.held if person else (), asked_role)
        now = self._now()
        session = Session(new_token(), target, chosen, now + lasts_s)
        login = accounts.Login(target, chosen.value, session.expires_at, name=name, made_at=now)
        await self._database.write(accounts.add_token, fingerprint(session.token), login, now=now)
        return session

    async def programs(self, caller: Caller, target: Account) -> list[dict[str, Any]]:
        """The tokens of an account's programs, without the tokens.

        Raises:
            Denied: the caller may not see them.
        """
        check_own(caller, target, program=True)
        found = await self._database.read(accounts.programs, target)
        return [
            {"name": one.name, "role": one.role, "made_at": one.made_at, "expires_at": one.expires_at}
            for one in found
            if one.expires_at > self._now()
        ]

    async def revoke(self, caller: Caller, target: Account, name: str) -> None:
        """End a program's token.

        Raises:
            Denied: the caller may not.
            NotFound: there is none of this name.
        """
        check_own(caller, target, program=True)
        await self._database.write(accounts.end_program, target, name)

    async def _renew(self, token_hash: str, until: float) -> None:
        try:
            with acting(None):
                await self._database.write(accounts.renew, token_hash, until)
        except DsmtError as error:
            # It is good for half an hour more, and the next request tries again.
            _log.warning("a login was not renewed", reason=str(error))


def check_own(caller: Caller, target: Account, *, program: bool = False) -> None:
    """Refuse who may not change how an account is let in: its owner may, and an admin.

    Args:
        caller: who.
        target: whose account.
        program: a program's token is enough.

    Raises:
        Denied: they may not.
    """
    if caller.program and not program:
        raise Denied(
            f"the token {caller.program} of a program opens no other ways in",
            hint=LOG_IN,
        )
    if caller.account != target:
        check(caller, Right.MANAGE_ACCOUNTS)


def _token(authorization: str) -> str:
    kind, _, token = authorization.partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Unauthenticated("this needs a login", hint=LOG_IN)
    return token.strip()


def _caller(connection: Connection, token_hash: str, *, now: float) -> tuple[Caller, accounts.Login] | None:
    login = accounts.login_of(connection, token_hash, now=now)
    if login is None:
        return None
    return _known(connection, login), login


def _known(connection: Connection, login: accounts.Login) -> Caller:
    person = accounts.find(connection, login.account)
    there = sites.roles(connection, login.account)
    here = frozenset(site for site, held in there.items() if login.role in held)
    everywhere = person is not None and (login.role in person.roles or not here)
    return Caller(
        login.account,
        Role(login.role),
        frozenset(slices.of_account(connection, login.account)),
        login.name,
        everywhere=everywhere,
        sites=here,
        of_sites=sites.slices_at(connection, here) if here else frozenset(),
    )
