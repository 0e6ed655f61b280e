"""The gate: lets people in with a password, then recognises them by their token.

It is the one place where accounts, passwords, tokens and roles meet the store.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from sqlalchemy import Connection

from dsmt_core.errors import Denied, Unauthenticated
from dsmt_core.names import Account, Site, account
from planner.authority.attempts import Doors
from planner.authority.passwords import Passwords
from planner.authority.rights import Caller, Right, Role, check, may, role
from planner.authority.sessions import Session, Sessions, check_own
from planner.authority.sites import Standing, check_manages
from planner.store import Database, accounts, sites

# From where those try who are in already, and say an old password.
_INSIDE: Final = "inside"
_FORGOTTEN: Final = "forgotten? who looks after the account sets another: dsmtc account passwd ACCOUNT"


Locked = Callable[[str, str], Awaitable[None]]


async def _nobody(_who: str, _origin: str) -> None:
    """Nobody is told."""


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
        self.sessions = Sessions(database, now)
        self._doors = Doors()
        self._locked = locked

    async def log_in(self, name: str, password: str, asked_role: str, origin: str) -> Session:
        """Check a password and give a token.

        Raises:
            Unauthenticated: account or password is wrong; which of the two is not said.
            Denied: too many wrong passwords, or a role that the account does not hold.
        """
        await self.knock(name, origin)
        person = await self._database.read(accounts.find, account(name))
        known = person.password_hash if person else ""
        if not await self._passwords.verify(password, known) or person is None:
            raise Unauthenticated(f"account or password of {name} is wrong", hint=_FORGOTTEN)
        self.welcome(name, origin)
        return await self.sessions.begin(person, asked_role, by="password")

    async def caller(self, authorization: str) -> Caller:
        """Who sends this ``Authorization`` header; see `Sessions.caller`."""
        return await self.sessions.caller(authorization)

    async def add_account(
        self, name: str, password: str, roles: Sequence[str], site: Site | None = None
    ) -> Account:
        """Make an account; without a password nobody can log in to it yet.

        Args:
            name: of the account.
            password: empty for none.
            roles: at ``site``, or everywhere without one.
            site: to which it belongs; None: the home site.

        Raises:
            Invalid: the name, the password or a role is not legal.
            Conflict: it exists.
        """
        hashed = await self._passwords.hash(password) if password else ""
        held = tuple(dict.fromkeys(role(one).value for one in roles)) or (Role.USER.value,)

        def made(connection: Connection) -> Account:
            key = "" if site is None else sites.stored(connection, site)
            person = accounts.Person(account(name), hashed, held if site is None else (), key)
            accounts.make(connection, person, now=self._now())
            if site is not None:
                sites.give_roles(connection, site, person.account, held)
            return person.account

        return await self._database.write(made)

    async def change_password(self, caller: Caller, name: str, password: str, old: str) -> None:
        """Set a password and end the account's logins: one's own with the old one, or of who one manages.

        Raises:
            Denied: it is another's account that the caller does not manage; or ``old`` is wrong.
            NotFound: no such account.
            Invalid: the new one is too short or too long.
        """
        target = account(name)
        if caller.program or target == caller.account:
            check_own(caller, target)
        if target != caller.account:
            check_manages(caller, await self._standing(caller, target))
        elif not may(caller, Right.MANAGE_ACCOUNTS):
            await self._check_old(target, old)
        hashed = await self._passwords.hash(password)
        await self._database.write(accounts.set_password, target, hashed)

    def knows(self, pairs: Iterable[tuple[str, str]]) -> None:
        """These accounts were let in from these addresses before, the latest last."""
        self._doors.knows(pairs)

    def welcome(self, name: str, origin: str) -> None:
        """The attempt was right."""
        self._doors.right(name, origin)

    async def knock(self, name: str, origin: str) -> None:
        """Count an attempt before it is looked at, so that many at once do not slip through.

        Raises:
            Denied: too many wrong ones; the hint says how long to wait.
        """
        self._doors.check(name, origin, self._now())
        for who in self._doors.wrong(name, origin, self._now()):
            await self._locked(who, origin)

    async def _standing(self, caller: Caller, target: Account) -> Standing:
        if not (may(caller, Right.MANAGE_ACCOUNTS) or caller.sites):
            # Who exists is nothing that everybody could find out.
            check(caller, Right.MANAGE_ACCOUNTS)
        return await self._database.read(sites.standing, target)

    async def _check_old(self, target: Account, old: str) -> None:
        await self.knock(target, _INSIDE)
        person = await self._database.read(accounts.find, target)
        if person is None or not await self._passwords.verify(old, person.password_hash):
            raise Denied("the old password is wrong", hint="give the present password as old_password")
        self.welcome(target, _INSIDE)
