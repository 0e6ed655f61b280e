"""Who belongs to a slice, and what it is for: what the authority knows of it beside what is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from dsmt_core.errors import Conflict, NotFound
from dsmt_core.names import Account, Slice
from planner.store import accounts, sites, withdrawals
from planner.store.slices import no_slice, people
from planner.store.tables import MEMBERS, SLICES

_TOLD = (SLICES.c.slice, SLICES.c.site, SLICES.c.description, SLICES.c.url, SLICES.c.expires_at)


def add(connection: Connection, slice_: Slice, account: Account, *, now: float) -> dict[str, Any]:
    """Have an account be a member; one that does not exist is made, without a password.

    Raises:
        NotFound: there is no such slice.
    """
    before = people(connection, slice_)
    key = connection.execute(select(SLICES.c.site).where(SLICES.c.slice == slice_)).scalar_one()
    made = accounts.ensure(connection, [account], now=now, site=key)
    if account not in before.members:
        connection.execute(insert(MEMBERS).values(slice=slice_, account=account))
    return _answer(connection, slice_, changed=account not in before.members) | {"accounts_made": made}


def remove(connection: Connection, slice_: Slice, account: Account, *, now: float) -> dict[str, Any]:
    """Have an account be no member any more; the slice's user of the broker gets another password.

    Raises:
        NotFound: there is no such slice, or it is no member.
        Conflict: it is the slice's owner.
    """
    before = people(connection, slice_)
    if account == before.owner:
        raise Conflict(f"{account} owns the slice {slice_}", hint="remove the account, or delete the slice")
    gone = delete(MEMBERS).where(MEMBERS.c.slice == slice_, MEMBERS.c.account == account)
    if not connection.execute(gone).rowcount:
        raise NotFound(
            f"{account} is no member of {slice_}", hint=f"dsmtc slice show --slice {slice_} lists them"
        )
    withdrawals.leaves(connection, slice_, at=now)
    return _answer(connection, slice_, changed=True)


def describe(connection: Connection, slice_: Slice, said: Mapping[str, str]) -> None:
    """Say what a slice is for: its ``description``, its ``url``.

    Raises:
        NotFound: there is no such slice.
    """
    _set(connection, slice_, **said)


def set_end(connection: Connection, slice_: Slice, expires_at: float | None) -> None:
    """Say until when a slice is wanted; None: it stays.

    Raises:
        NotFound: there is no such slice.
    """
    _set(connection, slice_, expires_at=expires_at)


def ends(connection: Connection) -> dict[Slice, float]:
    """Until when slices are wanted, for those that do not stay."""
    asked = select(SLICES.c.slice, SLICES.c.expires_at).where(SLICES.c.expires_at.is_not(None))
    return {Slice(row.slice): float(row.expires_at) for row in connection.execute(asked)}


def told(connection: Connection) -> dict[str, Any]:
    """Site, description, url and end of each slice, as the API shows them."""
    home = sites.home(connection)
    return {
        row.slice: {
            "site": row.site or home,
            "description": row.description,
            "url": row.url,
            "expires_at": row.expires_at,
        }
        for row in connection.execute(select(*_TOLD))
    }


def told_of(connection: Connection, slice_: Slice) -> dict[str, Any]:
    """The same of one slice.

    Raises:
        NotFound: there is no such slice.
    """
    row = connection.execute(select(*_TOLD).where(SLICES.c.slice == slice_)).one_or_none()
    if row is None:
        raise no_slice(slice_)
    return {
        "site": row.site or sites.home(connection),
        "description": row.description,
        "url": row.url,
        "expires_at": row.expires_at,
    }


def _answer(connection: Connection, slice_: Slice, *, changed: bool) -> dict[str, Any]:
    after = people(connection, slice_)
    return {"slice": slice_, "owner": after.owner, "members": list(after.members), "changed": changed}


def _set(connection: Connection, slice_: Slice, **values: Any) -> None:
    if not connection.execute(update(SLICES).where(SLICES.c.slice == slice_).values(**values)).rowcount:
        raise no_slice(slice_)
