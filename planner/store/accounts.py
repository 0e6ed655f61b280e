"""Accounts and their bearer tokens. A token is kept as its SHA-256; a password as argon2 made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from dsmt_core.errors import Conflict, Full, NotFound
from dsmt_core.names import Account
from planner.store import sites
from planner.store.tables import ACCOUNT_KEYS, ACCOUNTS, MEMBERS, SLICES, TOKENS

MOST_PROGRAMS: Final = 50


@dataclass(frozen=True, slots=True)
class Login:
    """Who a token speaks for, in which role, until when (seconds since the epoch).

    Attributes:
        name: of a program's token; empty for a login.
        made_at: when.
        renewed_until: by use it goes on, but not longer than this; 0: it does not.
    """

    account: Account
    role: str
    expires_at: float
    name: str = ""
    made_at: float = 0.0
    renewed_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Person:
    """An account.

    Attributes:
        password_hash: empty while no password was set (nobody can log in then).
        roles: those that it holds everywhere.
        site: to which it belongs; empty for the home site.
        at_sites: those that it holds at some site.
    """

    account: Account
    password_hash: str
    roles: tuple[str, ...]
    site: str = ""
    at_sites: tuple[str, ...] = ()

    @property
    def held(self) -> tuple[str, ...]:
        """The roles with which it may log in; who has none is a user."""
        return tuple(dict.fromkeys((*self.roles, *self.at_sites))) or ("user",)


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
            site=person.site,
            made_at=now,
        )
    )


def ensure(
    connection: Connection, accounts: Sequence[Account], *, now: float, site: str = ""
) -> list[Account]:
    """Make those that do not exist, with the role user and without a password, as people of a site.

    Returns:
        The ones that were made.
    """
    made = [one for one in dict.fromkeys(accounts) if find(connection, one) is None]
    for one in made:
        make(connection, Person(one, "", ("user",), site), now=now)
    return made


def find(connection: Connection, account: Account) -> Person | None:
    """The account, if there is one."""
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.account == account)).one_or_none()
    if row is None:
        return None
    some = sites.roles(connection, account).values()
    there = tuple(sorted({one for held in some for one in held}))
    return Person(account, row.password_hash, tuple(row.roles), row.site, there)


def listed(connection: Connection) -> list[Person]:
    """Every account, by name."""
    rows = connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.account))
    return [Person(Account(row.account), row.password_hash, tuple(row.roles), row.site) for row in rows]


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
    end_logins(connection, account)


def must_exist(connection: Connection, account: Account) -> None:
    """Refuse an account that is not there.

    Raises:
        NotFound: it is not.
    """
    if find(connection, account) is None:
        raise NotFound(f"there is no account {account}", hint="an admin makes one: dsmtc account add")


def end_logins(connection: Connection, account: Account) -> None:
    """End every token of an account, those of programs too."""
    connection.execute(delete(TOKENS).where(TOKENS.c.account == account))


def add_token(connection: Connection, token_hash: str, login: Login, *, now: float) -> None:
    """Store a token, and forget those that have ended.

    Raises:
        Conflict: a program's token of this name is there.
        Full: the account has too many of them.
    """
    connection.execute(delete(TOKENS).where(TOKENS.c.expires_at <= now))
    if login.name:
        names = [one.name for one in programs(connection, login.account)]
        if login.name in names:
            raise Conflict(f"{login.account} has a token {login.name}", hint="dsmtc account token revoke")
        if len(names) >= MOST_PROGRAMS:
            raise Full(f"{login.account} has {MOST_PROGRAMS} tokens", hint="dsmtc account token revoke")
    values = {name: getattr(login, name) for name in Login.__slots__}
    connection.execute(insert(TOKENS).values(token_hash=token_hash, **values))


def programs(connection: Connection, account: Account) -> list[Login]:
    """The tokens of programs, the oldest first; those that have ended may be among them."""
    columns = TOKENS.c
    asked = select(TOKENS).where(columns.account == account, columns.name != "")
    return [_login(row) for row in connection.execute(asked.order_by(columns.made_at, columns.name))]


def end_program(connection: Connection, account: Account, name: str) -> None:
    """End a program's token.

    Raises:
        NotFound: the account has none of this name.
    """
    columns = TOKENS.c
    gone = connection.execute(
        delete(TOKENS).where(columns.account == account, columns.name == name, columns.name != "")
    )
    if not gone.rowcount:
        raise NotFound(f"{account} has no token {name[:64]!r}", hint="dsmtc account token list shows them")


def end_token(connection: Connection, token_hash: str) -> None:
    """End one token."""
    connection.execute(delete(TOKENS).where(TOKENS.c.token_hash == token_hash))


def renew(connection: Connection, token_hash: str, until: float) -> None:
    """Have a token go on."""
    connection.execute(update(TOKENS).where(TOKENS.c.token_hash == token_hash).values(expires_at=until))


def login_of(connection: Connection, token_hash: str, *, now: float) -> Login | None:
    """Who the token speaks for; None when it is unknown or has ended, or the account lost its role."""
    row = connection.execute(select(TOKENS).where(TOKENS.c.token_hash == token_hash)).one_or_none()
    if row is None or row.expires_at <= now:
        return None
    person = find(connection, Account(row.account))
    if person is None or row.role not in person.held:
        return None
    return _login(row)


def _login(row: Any) -> Login:
    return Login(Account(row.account), row.role, row.expires_at, row.name, row.made_at, row.renewed_until)


def set_roles(connection: Connection, account: Account, roles: Sequence[str]) -> None:
    """Say which roles an account has everywhere; its logins with others end by themselves.

    Raises:
        NotFound: there is no such account.
        Conflict: nobody could log in as admin any more.
    """
    before = _known(connection, account)
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.account == account).values(roles=list(roles)))
    _check_admin(connection, before)


def remove(connection: Connection, account: Account, heir: Account) -> tuple[list[str], list[str]]:
    """Remove an account with its logins, memberships and roles; what it owned is the heir's.

    Returns:
        The slices that it owned, and those that it was a member of.

    Raises:
        NotFound: there is no such account.
        Conflict: nobody could log in as admin any more.
    """
    before = _known(connection, account)
    owned = list(connection.execute(select(SLICES.c.slice).where(SLICES.c.owner == account)).scalars())
    mine = list(connection.execute(select(MEMBERS.c.slice).where(MEMBERS.c.account == account)).scalars())
    connection.execute(delete(ACCOUNTS).where(ACCOUNTS.c.account == account))
    _check_admin(connection, before)
    connection.execute(delete(MEMBERS).where(MEMBERS.c.account == account))
    connection.execute(update(SLICES).where(SLICES.c.owner == account).values(owner=heir))
    for slice_ in owned:
        known = (MEMBERS.c.slice == slice_, MEMBERS.c.account == heir)
        if not connection.execute(select(MEMBERS.c.slice).where(*known)).first():
            connection.execute(insert(MEMBERS).values(slice=slice_, account=heir))
    return sorted(owned), sorted(mine)


def repair_admin(connection: Connection, person: Person, *, now: float) -> bool:
    """Make an account, or give the one of this name these roles too and this password; its logins end.

    Returns:
        Whether it is new.
    """
    known = find(connection, person.account)
    if known is None:
        make(connection, person, now=now)
        return True
    set_password(connection, person.account, person.password_hash)
    both = list(dict.fromkeys((*known.roles, *person.roles)))
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.account == person.account).values(roles=both))
    return False


def no_account(account: Account) -> NotFound:
    """The error for an account that does not exist."""
    return NotFound(f"there is no account {account}", hint="dsmtc account list lists them")


def _known(connection: Connection, account: Account) -> Person:
    person = find(connection, account)
    if person is None:
        raise no_account(account)
    return person


def _check_admin(connection: Connection, before: Person) -> None:
    with_keys = set(connection.execute(select(ACCOUNT_KEYS.c.account)).scalars())
    admins = [one for one in listed(connection) if "admin" in one.roles]
    if "admin" not in before.roles or any(one.password_hash or one.account in with_keys for one in admins):
        return
    raise Conflict(
        f"{before.account} is the last admin who can log in",
        hint="make another one first: dsmtc account add ACCOUNT admin",
    )
