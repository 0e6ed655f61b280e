"""The audit log. Entries are added and, with what is before the anchor, removed; never changed.

The database holds to that by itself: triggers refuse a change, and a removal behind the anchor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select

from dsmt_core.audit import BEGINNING, Entry, Head
from dsmt_core.errors import Conflict, NotFound
from planner.store import settings
from planner.store.audit_table import AUDIT

# The last entry, remembered beside the log; and the one after which the log begins.
HEAD: Final = "audit_head"
ANCHOR: Final = "audit_anchor"
ANCHOR_NUMBER: Final = "audit_anchor_number"
PAGE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which entries are meant; what is empty or None does not matter.

    Attributes:
        since, until: seconds since the epoch.
        act: a word, or the beginning of one up to a dot, such as ``slice``.
        about: as an entry writes it, or the name in it alone.
        slices: only what is about these slices, or was done by ``own``.
        below: only entries with smaller numbers.
        limit: so many, the newest.
    """

    since: float | None = None
    until: float | None = None
    by: str = ""
    about: str = ""
    act: str = ""
    refused: bool = False
    slices: Collection[str] | None = None
    own: str = ""
    below: int | None = None
    limit: int = 100


def append(connection: Connection, entry: Entry) -> Entry:
    """Add an entry after the last one; its number and digests are made here."""
    last = head(connection)
    made = _after(entry, last).sealed()
    connection.execute(insert(AUDIT).values({name: getattr(made, name) for name in Entry.__slots__}))
    settings.put(connection, HEAD, str(made.head))
    return made


def head(connection: Connection) -> Head:
    """The last entry, as it is remembered beside the log."""
    text = settings.get(connection, HEAD)
    return Head.of(text) if text else BEGINNING


def anchor(connection: Connection) -> Head:
    """The entry after which the log begins: the last one that was pruned."""
    text = settings.get(connection, ANCHOR)
    return Head.of(text) if text else BEGINNING


def page(connection: Connection, after: int, *, most: int = PAGE) -> list[Entry]:
    """The entries after a number, in the order of their numbers."""
    asked = select(AUDIT).where(AUDIT.c.number > after).order_by(AUDIT.c.number).limit(most)
    return [_entry(row) for row in connection.execute(asked)]


def found(connection: Connection, wish: Wish) -> list[Entry]:
    """The newest entries that are meant, the oldest of them first."""
    asked = select(AUDIT).where(*_conditions(wish), *_words(wish))
    newest = asked.order_by(AUDIT.c.number.desc()).limit(wish.limit)
    return [_entry(row) for row in connection.execute(newest)][::-1]


def count(connection: Connection) -> int:
    """How many entries there are."""
    return int(connection.execute(select(func.count()).select_from(AUDIT)).scalar_one())


def seen_at(connection: Connection, *, since: float, most: int) -> Sequence[tuple[str, str]]:
    """From where accounts logged in since then: account and origin, the latest last."""
    asked = (
        select(AUDIT.c.account, AUDIT.c.origin)
        .where(AUDIT.c.act == "login", AUDIT.c.outcome == "done", AUDIT.c.at_ms >= int(since * 1000))
        .group_by(AUDIT.c.account, AUDIT.c.origin)
        .order_by(func.max(AUDIT.c.number).desc())
        .limit(most)
    )
    return [(str(row.account), str(row.origin)) for row in connection.execute(asked)][::-1]


def prune(connection: Connection, through: Head) -> int:
    """Remove everything up to an entry, which becomes the anchor; how many were removed.

    Raises:
        NotFound: there is no such entry.
        Conflict: the entry of this number is another one, or it is the last.
    """
    kept = connection.execute(select(AUDIT.c.digest).where(AUDIT.c.number == through.number)).scalar()
    if kept is None:
        raise NotFound(f"the audit log has no entry {through.number}", hint="it was pruned, or never was")
    if kept != through.digest:
        raise Conflict(
            f"entry {through.number} of the audit log is not the exported one",
            hint="see what is wrong: dsmtc audit verify --against FILE",
        )
    if through.number >= head(connection).number:
        raise Conflict("the last entry of the audit log stays", hint="prune what is before it")
    settings.put(connection, ANCHOR, str(through))
    settings.put(connection, ANCHOR_NUMBER, str(through.number))
    return int(connection.execute(delete(AUDIT).where(AUDIT.c.number <= through.number)).rowcount)


def older(connection: Connection, before: float, *, most: int) -> tuple[Head, Head | None]:
    """After which entry the log begins, and the last one of those that are older, and may go; None: none.

    Args:
        connection: in a transaction.
        before: seconds since the epoch; an entry behind a younger one stays with it.
        most: so many entries at most.
    """
    since, last = anchor(connection), head(connection).number
    young = select(func.min(AUDIT.c.number)).where(AUDIT.c.at_ms >= int(before * 1000))
    first_young = connection.execute(young).scalar()
    number = min(last - 1, since.number + most, last if first_young is None else int(first_young) - 1)
    found = connection.execute(select(AUDIT).where(AUDIT.c.number == number)).one_or_none()
    return since, None if found is None or number <= since.number else _entry(found).head


def _conditions(wish: Wish) -> Iterator[ColumnElement[bool]]:
    columns = AUDIT.c
    if wish.since is not None:
        yield columns.at_ms >= int(wish.since * 1000)
    if wish.until is not None:
        yield columns.at_ms < int(wish.until * 1000)
    if wish.refused:
        yield columns.outcome.not_in(["done", "begun"])
    if wish.slices is not None:
        yield or_(columns.slice.in_(list(wish.slices)), columns.account == wish.own)
    if wish.below is not None:
        yield columns.number < wish.below


def _words(wish: Wish) -> Iterator[ColumnElement[bool]]:
    columns = AUDIT.c
    if wish.by:
        yield columns.account == wish.by
    if wish.act:
        yield or_(columns.act == wish.act, columns.act.startswith(f"{wish.act}.", autoescape=True))
    if wish.about:
        # Of what is about many nodes, they are named in the change.
        named = columns.change.contains(f'"{wish.about}"', autoescape=True)
        end = columns.about.endswith(f"/{wish.about}", autoescape=True)
        yield or_(columns.about == wish.about, end, columns.slice == wish.about, named)


def _after(entry: Entry, last: Head) -> Entry:
    fields = {name: getattr(entry, name) for name in Entry.__slots__}
    return Entry(**fields | {"number": last.number + 1, "before": last.digest, "digest": ""})


def _entry(row: Any) -> Entry:
    return Entry(**{name: getattr(row, name) for name in Entry.__slots__})
