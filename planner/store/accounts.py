"""Accounts and their bearer tokens. A token is kept as its SHA-256; a password as argon2 made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from dsmt_core.errors import Conflict, NotFound
from dsmt_core.names import Account
from planner.store.tables import ACCOUNTS, TOKENS


@dataclass(frozen=True, slots=True)
class Login:
    """Who a token speaks for, in which role, until when (seconds since the epoch)."""

    account: Account
    role: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Person:
    """An account; ``password_hash`` is empty while no password was set (nobody can log in then)."""

    account: Account
    password_hash: str
    roles: tuple[str, ...]


def make(connection: Connection, person: Person, *, now: float) -> None:
    """Store a new account.

    Raises:
        Conflict: there is one of this name.
    """
    if find(connection, person.account) is not None:
        raise Conflict(
            f"the account {person.account} exists already",
            hint=f"give it another password: dsmtc account passwd {person.account}",
        )
    connection.execute(
        insert(ACCOUNTS).values(
            account=person.account,
            password_hash=person.password_hash,
            roles=list(person.roles),
            made_at=now,
        )
    )


def ensure(connection: Connection, accounts: Sequence[Account], *, now: float) -> list[Account]:
    """Make those that do not exist, with the role user and without a password.

    Returns:
        The ones that were made.
    """
    made = [one for one in dict.fromkeys(accounts) if find(connection, one) is None]
    for one in made:
        make(connection, Person(one, "", ("user",)), now=now)
    return made


def find(connection: Connection, account: Account) -> Person | None:
    """The account, if there is one."""
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.account == account)).one_or_none()
    if row is None:
        return None
    return Person(Account(row.account), row.password_hash, tuple(row.roles))


def listed(connection: Connection) -> list[Person]:
    """Every account, by name."""
    rows = connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.account))
    return [Person(Account(row.account), row.password_hash, tuple(row.roles)) for row in rows]


def count(connection: Connection) -> int:
    """How many accounts there are."""
    return int(connection.execute(select(func.count()).select_from(ACCOUNTS)).scalar_one())


def set_password(connection: Connection, account: Account, password_hash: str) -> None:
    """Store another password and end every token of the account.

    Raises:
        NotFound: there is no such account.
    """
    changed = connection.execute(
        update(ACCOUNTS).where(ACCOUNTS.c.account == account).values(password_hash=password_hash)
    )
    if not changed.rowcount:
        raise NotFound(f"there is no account {account}", hint="an admin makes one: dsmtc account add")
    connection.execute(delete(TOKENS).where(TOKENS.c.account == account))


def add_token(connection: Connection, token_hash: str, login: Login, *, now: float) -> None:
    """Store a token, and forget those that have ended."""
    connection.execute(delete(TOKENS).where(TOKENS.c.expires_at <= now))
    connection.execute(
        insert(TOKENS).values(
            token_hash=token_hash,
            account=login.account,
            role=login.role,
            expires_at=login.expires_at,
        )
    )


def login_of(connection: Connection, token_hash: str, *, now: float) -> Login | None:
    """Who the token speaks for; None when it is unknown or has ended."""
    row = connection.execute(select(TOKENS).where(TOKENS.c.token_hash == token_hash)).one_or_none()
    if row is None or row.expires_at <= now:
        return None
    return Login(Account(row.account), row.role, row.expires_at)
