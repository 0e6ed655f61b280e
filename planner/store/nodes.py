"""Nodes as they joined (who may bear the name) and as last seen (written behind), and invitations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from dsmt_core.errors import NotFound
from dsmt_core.names import Account, Host, Site, Slice
from planner.authority.invitations import Invited, refusal
from planner.authority.node_certificates import NONE, Certified
from planner.fleet import SeenRow
from planner.labels import labelled
from planner.store.sites import stored
from planner.store.tables import JOIN_TOKENS, LABELS, NODES, SEEN


@dataclass(frozen=True, slots=True)
class Joined:
    """Which instance holds the name of a host.

    Attributes:
        claim_hash: SHA-256 of the claim, the random id that the node made once.
        boot_id: which life of the machine, and of its container manager.
        joined_at: seconds since the epoch.
        key: its public key; empty while it has shown none.
        lives: the last ones that joined with its claim and key (`planner.authority.node_keys.lived`).
        copied_at: when two machines last showed the same; 0.0: never.
        certified: its certificate.
    """

    host: Host
    claim_hash: str
    boot_id: str
    joined_at: float
    key: str = ""
    lives: tuple[str, ...] = ()
    copied_at: float = 0.0
    certified: Certified = NONE


def join(connection: Connection, joined: Joined, token_hash: str = "", *, now: float = 0.0) -> None:
    """Store who holds the name from now on; a new one belongs to the site of its invitation.

    Args:
        connection: to the database.
        joined: who.
        token_hash: of the invitation that it needed; empty for none.
        now: seconds since the epoch.

    Raises:
        Denied: the invitation has let in another one meanwhile.
    """
    values: dict[str, object] = {
        "claim_hash": joined.claim_hash,
        "boot_id": joined.boot_id,
        "joined_at": joined.joined_at,
        "node_key": joined.key,
        "trust": {
            "lives": list(joined.lives),
            "copied_at": joined.copied_at,
            "certificate": joined.certified.fingerprint,
            "ends": joined.certified.ends,
        },
    }
    if token_hash:
        there = _use(connection, token_hash, joined.host, now)
        if not there.replaces:
            values["site"] = there.site or ""
    changed = connection.execute(update(NODES).where(NODES.c.host == joined.host).values(**values))
    if not changed.rowcount:
        connection.execute(insert(NODES).values(host=joined.host, **values))


def listed(connection: Connection) -> list[Joined]:
    """Every node that joined, by host."""
    return list(map(_joined, connection.execute(select(NODES).order_by(NODES.c.host))))


def labels(connection: Connection) -> dict[Host, dict[str, str]]:
    """The labels of every node that has some."""
    found: dict[Host, dict[str, str]] = {}
    for row in connection.execute(select(LABELS).order_by(LABELS.c.host, LABELS.c.name)):
        found.setdefault(Host(row.host), {})[row.name] = row.value
    return found


def label(connection: Connection, host: Host, change: Mapping[str, str]) -> dict[str, str]:
    """Change the labels of a node; those that it has afterwards.

    Raises:
        NotFound: no such node.
        Invalid, Full: of `planner.labels.labelled`.
    """
    if connection.execute(select(NODES.c.host).where(NODES.c.host == host)).first() is None:
        raise no_node(host)
    after = labelled(labels(connection).get(host, {}), change)
    connection.execute(delete(LABELS).where(LABELS.c.host == host))
    if after:
        rows = [{"host": host, "name": name, "value": value} for name, value in after.items()]
        connection.execute(insert(LABELS), rows)
    return after


def no_node(host: Host) -> NotFound:
    """The error for a node that is not there."""
    return NotFound(f"there is no node {host}", hint="dsmtc nodes lists them")


def load_seen(connection: Connection) -> list[SeenRow]:
    """What was written behind."""
    rows = connection.execute(select(SEEN).order_by(SEEN.c.host, SEEN.c.slice))
    return [SeenRow(Host(row.host), Slice(row.slice), row.value) for row in rows]


def write_behind(connection: Connection, rows: Iterable[SeenRow]) -> None:
    """Store rows of seen; those of a host that never joined, or was forgotten, are dropped."""
    rows = list(rows)
    if not rows:
        return
    known = set(connection.execute(select(NODES.c.host)).scalars())
    keys = [{"of_host": row.host, "of_slice": row.slice} for row in rows]
    gone = delete(SEEN).where(SEEN.c.host == bindparam("of_host"), SEEN.c.slice == bindparam("of_slice"))
    connection.execute(gone, keys)
    kept = [
        {"host": row.host, "slice": row.slice, "value": dict(row.value)}
        for row in rows
        if row.value is not None and row.host in known
    ]
    if kept:
        connection.execute(insert(SEEN), kept)


def forget(connection: Connection, host: Host) -> None:
    """Forget a node: its name is free.

    Raises:
        NotFound: no such node.
    """
    if not connection.execute(delete(NODES).where(NODES.c.host == host)).rowcount:
        raise no_node(host)


def invite(connection: Connection, token_hash: str, invited: Invited, *, now: float) -> None:
    """Store an invitation, and forget those that have ended.

    Raises:
        NotFound: there is no such site.
    """
    connection.execute(delete(JOIN_TOKENS).where(JOIN_TOKENS.c.expires_at <= now))
    values = {
        "token_hash": token_hash,
        "made_by": invited.by,
        "expires_at": invited.expires_at,
        "uses": invited.uses,
        "hosts": invited.hosts,
        "replaces": int(invited.replaces),
        "site": "" if invited.site is None else stored(connection, invited.site),
    }
    connection.execute(insert(JOIN_TOKENS).values(**values))


def invited(connection: Connection, token_hash: str) -> Invited | None:
    """The invitation of this token; also one that has ended or is used up, for a while."""
    row = connection.execute(select(JOIN_TOKENS).where(JOIN_TOKENS.c.token_hash == token_hash)).first()
    if row is None:
        return None
    site = Site(row.site) if row.site else None
    return Invited(
        Account(row.made_by), row.expires_at, site, row.uses, row.hosts, replaces=bool(row.replaces)
    )


def _use(connection: Connection, token_hash: str, host: Host, now: float) -> Invited:
    """Let one node in by an invitation."""
    there = invited(connection, token_hash)
    if refused := refusal(there, host, now):
        raise refused
    assert there is not None  # noqa: S101 - refused otherwise
    if there.uses is not None:
        used = update(JOIN_TOKENS).where(JOIN_TOKENS.c.token_hash == token_hash)
        connection.execute(used.values(uses=there.uses - 1))
    return there


def _joined(row: Row[Any]) -> Joined:
    # One that joined before this was kept has had one life.
    known = row.trust or {"lives": [row.boot_id] if row.boot_id else []}
    return Joined(
        Host(row.host),
        row.claim_hash,
        row.boot_id,
        row.joined_at,
        row.node_key,
        tuple(known["lives"]),
        known.get("copied_at", 0.0),
        Certified(known.get("certificate", ""), known.get("ends", 0.0)),
    )
