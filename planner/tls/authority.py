"""The authorities' files in the planner's data, and that they stay the same.

Rule: an authority is made once. Whoever was told its fingerprint trusts nobody else, so a key that is
missing or another one stops the planner with an error, and is never replaced by a new one in silence.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from broker.certificates import Authority
from dsmt_core.authorities import fingerprint
from dsmt_core.errors import Conflict, Denied, DsmtError, Invalid, NotFound
from planner.store import settings


@dataclass(frozen=True, slots=True)
class Files:
    """Where an authority is kept.

    Attributes:
        name: of the authority, in its certificate and for people.
        certificate, key: names of its files.
        setting: where the database remembers it.
        others: who is turned away by another one.
    """

    name: str
    certificate: str
    key: str
    setting: str
    others: str


HOSTS: Final = Files("authority", "authority.pem", "authority.key", settings.AUTHORITY, "all nodes")
CLIENTS: Final = Files(
    "client authority", "clients.pem", "clients.key", settings.CLIENTS, "brokers that ask for certificates"
)
CERTIFICATE: Final = HOSTS.certificate
KEY: Final = HOSTS.key


def make(folder: Path, of: Files = HOSTS, *, now: datetime | None = None) -> Authority:
    """A new authority, kept in ``folder``.

    Raises:
        Conflict: there is one.
    """
    return keep(folder, Authority.made(now or datetime.now(UTC), f"DSMT {of.name}"), of)


def keep(folder: Path, authority: Authority, of: Files = HOSTS) -> Authority:
    """Keep an authority that was made elsewhere, such as with the files of a broker.

    Raises:
        Conflict: there is one.
        Invalid: the key is not of the certificate.
    """
    authority.check()
    if (folder / of.certificate).exists() or (folder / of.key).exists():
        raise Conflict(
            f"{folder} has an {of.name} already",
            hint=f"dsmt-planner ca show; {of.others} trust it, so another one would turn all away",
        )
    # The key first: a certificate without one would seem to have lost it.
    write_private(folder / of.key, authority.key)
    write_private(folder / of.certificate, authority.certificate, mode=0o644)
    return authority


def load(folder: Path, of: Files = HOSTS) -> Authority | None:
    """The authority of ``folder``; None when none was ever made there.

    Raises:
        NotFound, Denied, Invalid: a part is missing, others may read the key, or it is another one's.
    """
    certificate, key = folder / of.certificate, folder / of.key
    if not certificate.exists() and not key.exists():
        return None
    for path in (certificate, key):
        if not path.exists():
            raise NotFound(
                f"the {of.name}'s file {path} is missing",
                hint=f"put it back from a backup; {of.others} trust the one of before only",
            )
    mode = stat.S_IMODE(key.stat().st_mode)
    if mode & 0o077:
        raise Denied(
            f"others may read the {of.name}'s key {key} (mode {mode:03o})", hint=f"chmod 600 {key}"
        )
    try:
        authority = Authority(certificate.read_bytes(), key.read_bytes())
        authority.check()
    except Invalid as error:
        raise Invalid(f"{folder}: {error.message}", hint="put both files back from one backup") from error
    return authority


def known(connection: Connection, authority: Authority | None, of: Files = HOSTS) -> None:
    """Remember the authority at the first time; refuse another one, or none, afterwards.

    Raises:
        Conflict: it is not the one of before.
    """
    before = settings.get(connection, of.setting)
    now = fingerprint(authority.der) if authority else ""
    if before and before != now:
        raise changed(before, now, of)
    if now and not before:
        settings.put(connection, of.setting, now)


def changed(before: str, now: str, of: Files = HOSTS) -> DsmtError:
    """The error for an authority that is not the one of before."""
    there = f"is another one, {now}" if now else "is missing"
    return Conflict(
        f"the {of.name} of this installation {there}; until now it was {before}",
        hint=f"put {of.certificate} and {of.key} back from a backup: {of.others} trust the old one only",
    )


def write_private(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file so that nobody reads half of it, nor anybody else what is in it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
