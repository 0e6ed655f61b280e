"""The gate: lets people in with a password, then recognises them by their token.

It is the one place where accounts, passwords, tokens and roles meet the store.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from dsmt_core.errors import Denied, Unauthenticated
from dsmt_core.names import Account, account
from planner.audit.act import current
from planner.authority.attempts import Doors
from planner.authority.passwords import Passwords
from planner.authority.rights import Caller, Role, choose_role, role
from planner.authority.tokens import fingerprint, new_token
from planner.store import Database, accounts, slices

TOKEN_S: Final = 12 * 3600.0
# From where those try who are in already, and say an old password.
_INSIDE: Final = "inside"
_LOG_IN: Final = "log in: dsmtc --user ACCOUNT --password PASSWORD"


Locked = Callable[[str, str], Awaitable[None]]


async def _nobody(_who: str, _origin: str) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a login gave: the token itself is nowhere else."""

    token: str
    account: Account
    role: Role
    expires_at: float


class Gate:
    """Knows people by password and by token.

    Args:
        database: of the planner.
        now: seconds since the epoch.
        locked: told which account or address begins to wait, and from which address that came.
    """

    def __init__(self, database: Database, now: Callable[[], float], locked: Locked = _nobody) -> None:
        self._database = database
        self._now = now
        self._passwords = Passwords()
        self._doors = Doors()
        self._locked = locked

    async def log_in(self, name: str, password: str, asked_role: str, origin: str) -> Session:
        """Check a password and give a token.

        Raises:
            Unauthenticated: account or password is wrong; which of the two is not said.
            Denied: too many wrong passwords, or a role that the account does not hold.
        """
        await self._knock(name, origin)
        person = await self._database.read(accounts.find, account(name))
        known = person.password_hash if person else ""
        if not await self._passwords.verify(password, known) or person is None:
            raise Unauthenticated(f"account or password of {name} is wrong", hint=_LOG_IN)
        self._doors.right(name, origin)
        chosen = choose_role(person.roles, asked_role)
        if act := current():
            act.by(person.account, chosen)
        session = Session(new_token(), person.account, chosen, self._now() + TOKEN_S)
        login = accounts.Login(session.account, chosen.value, session.expires_at)
        await self._database.write(accounts.add_token, fingerprint(session.token), login, now=self._now())
        return session

    async def caller(self, authorization: str) -> Caller:
        """Who sends this ``Authorization`` header.

        Raises:
            Unauthenticated: there is no token, or it is unknown or has ended.
        """
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Unauthenticated("this needs a login", hint=_LOG_IN)
        found = await self._database.read(_caller, fingerprint(token.strip()), now=self._now())
        if found is None:
            raise Unauthenticated("the login has ended or is unknown", hint=_LOG_IN)
        return found

    async def add_account(self, name: str, password: str, roles: Sequence[str]) -> Account:
        """Make an account; without a password nobody can log in to it yet.

        Raises:
            Invalid: the name, the password or a role is not legal.
            Conflict: it exists.
        """
        hashed = await self._passwords.hash(password) if password else ""
        held = tuple(dict.fromkeys(role(one).value for one in roles)) or (Role.USER.value,)
        person = accounts.Person(account(name), hashed, held)
        await self._database.write(accounts.make, person, now=self._now())
        return person.account

    async def change_password(self, caller: Caller, name: str, password: str, old: str) -> None:
        """Set a password and end the account's logins: one's own with the old one, any as an admin.

        Raises:
            Denied: it is not the caller's own account and the role is not admin; or ``old`` is wrong.
            NotFound: no such account.
            Invalid: the new one is too short or too long.
        """
        target = account(name)
        if caller.role is not Role.ADMIN:
            await self._check_own(caller, target, old)
        hashed = await self._passwords.hash(password)
        await self._database.write(accounts.set_password, target, hashed)

    def knows(self, pairs: Iterable[tuple[str, str]]) -> None:
        """These accounts were let in from these addresses before, the latest last."""
        self._doors.knows(pairs)

    async def _knock(self, name: str, origin: str) -> None:
        """Count an attempt before it is looked at, so that many at once do not slip through.

        Raises:
            Denied: too many wrong ones; the hint says how long to wait.
        """
        self._doors.check(name, origin, self._now())
        for who in self._doors.wrong(name, origin, self._now()):
            await self._locked(who, origin)

    async def _check_own(self, caller: Caller, target: Account, old: str) -> None:
        if caller.account != target:
            raise Denied(
                f"{caller.account} [{caller.role}] may not change the password of {target}",
                hint="it needs the role admin",
            )
        await self._knock(target, _INSIDE)
        person = await self._database.read(accounts.find, target)
        if person is None or not await self._passwords.verify(old, person.password_hash):
            raise Denied("the old password is wrong", hint="give the present password as old_password")
        self._doors.right(target, _INSIDE)


def _caller(connection: Connection, token_hash: str, *, now: float) -> Caller | None:
    login = accounts.login_of(connection, token_hash, now=now)
    if login is None:
        return None
    mine = slices.of_account(connection, login.account)
    return Caller(login.account, Role(login.role), frozenset(mine))
