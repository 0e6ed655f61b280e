"""The public keys with which accounts may log in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select

from dsmt_core.errors import Conflict, Full, NotFound
from dsmt_core.names import Account
from planner.store import accounts
from planner.store.tables import ACCOUNT_KEYS

MOST: Final = 50


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A key: its id (SHA-256, hex), its line without the comment, and since when it is there (s)."""

    account: Account
    id: str
    text: str
    comment: str
    added_at: float


def add(connection: Connection, key: KeptKey) -> None:
    """Keep a key.

    Raises:
        NotFound: there is no such account.
        Conflict: the account has it.
        Full: it has too many.
    """
    accounts.must_exist(connection, key.account)
    columns = ACCOUNT_KEYS.c
    kept = connection.execute(select(columns.id).where(columns.account == key.account)).scalars().all()
    if key.id in kept:
        raise Conflict(f"{key.account} has this key already")
    if len(kept) >= MOST:
        raise Full(f"{key.account} has {MOST} keys", hint="remove one: dsmtc account keys remove")
    values = {name: getattr(key, name) for name in KeptKey.__slots__}
    connection.execute(insert(ACCOUNT_KEYS).values(**values))


def listed(connection: Connection, account: Account) -> list[KeptKey]:
    """The keys of an account, the oldest first.

    Raises:
        NotFound: there is no such account.
    """
    accounts.must_exist(connection, account)
    asked = select(ACCOUNT_KEYS).where(ACCOUNT_KEYS.c.account == account)
    rows = connection.execute(asked.order_by(ACCOUNT_KEYS.c.added_at, ACCOUNT_KEYS.c.id))
    return [KeptKey(Account(row.account), row.id, row.text, row.comment, row.added_at) for row in rows]


def find(connection: Connection, account: Account, id_: str) -> KeptKey | None:
    """One key of an account, if it has it."""
    columns = ACCOUNT_KEYS.c
    asked = select(ACCOUNT_KEYS).where(columns.account == account, columns.id == id_)
    row = connection.execute(asked).one_or_none()
    if row is None:
        return None
    return KeptKey(Account(row.account), row.id, row.text, row.comment, row.added_at)


def remove(connection: Connection, account: Account, id_: str) -> None:
    """Forget a key, and end the logins of its account: one of them may have come by it.

    Raises:
        NotFound: the account has no such key.
    """
    columns = ACCOUNT_KEYS.c
    gone = connection.execute(delete(ACCOUNT_KEYS).where(columns.account == account, columns.id == id_))
    if not gone.rowcount:
        raise NotFound(f"{account} has no key {id_[:16]}", hint="dsmtc account keys list shows them")
    accounts.end_logins(connection, account)


def count(connection: Connection) -> int:
    """How many there are."""
    return int(connection.execute(select(func.count()).select_from(ACCOUNT_KEYS)).scalar_one())
