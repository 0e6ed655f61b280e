"""The authority's files in the planner's data, and that they stay the same.

Rule: an authority is made once. Whoever was told its fingerprint trusts nobody else, so a key that is
missing or another one stops the planner with an error, and is never replaced by a new one in silence.
"""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from broker.certificates import Authority
from dsmt_core.authorities import fingerprint
from dsmt_core.errors import Conflict, Denied, DsmtError, Invalid, NotFound
from planner.store import settings

CERTIFICATE: Final = "authority.pem"
KEY: Final = "authority.key"


def make(folder: Path, now: datetime | None = None) -> Authority:
    """A new authority, kept in ``folder``.

    Raises:
        Conflict: there is one.
    """
    return keep(folder, Authority.made(now or datetime.now(UTC)))


def keep(folder: Path, authority: Authority) -> Authority:
    """Keep an authority that was made elsewhere, such as with the files of a broker.

    Raises:
        Conflict: there is one.
        Invalid: the key is not of the certificate.
    """
    authority.check()
    if (folder / CERTIFICATE).exists() or (folder / KEY).exists():
        raise Conflict(
            f"{folder} has an authority already",
            hint="dsmt-planner ca show; all nodes trust it, so another one would turn them all away",
        )
    # The key first: a certificate without one would seem to have lost it.
    write_private(folder / KEY, authority.key)
    write_private(folder / CERTIFICATE, authority.certificate, mode=0o644)
    return authority


def load(folder: Path) -> Authority | None:
    """The authority of ``folder``; None when none was ever made there.

    Raises:
        NotFound, Denied, Invalid: a part is missing, others may read the key, or it is another one's.
    """
    certificate, key = folder / CERTIFICATE, folder / KEY
    if not certificate.exists() and not key.exists():
        return None
    for path in (certificate, key):
        if not path.exists():
            raise NotFound(
                f"the authority's file {path} is missing",
                hint="put it back from a backup; a new authority would turn all nodes away",
            )
    mode = stat.S_IMODE(key.stat().st_mode)
    if mode & 0o077:
        raise Denied(
            f"others may read the authority's key {key} (mode {mode:03o})", hint=f"chmod 600 {key}"
        )
    try:
        authority = Authority(certificate.read_bytes(), key.read_bytes())
        authority.check()
    except Invalid as error:
        raise Invalid(f"{folder}: {error.message}", hint="put both files back from one backup") from error
    return authority


def known(connection: Connection, authority: Authority | None) -> None:
    """Remember the authority at the first time; refuse another one, or none, afterwards.

    Raises:
        Conflict: it is not the one of before.
    """
    before = settings.get(connection, settings.AUTHORITY)
    now = fingerprint(authority.der) if authority else ""
    if before and before != now:
        raise changed(before, now)
    if now and not before:
        settings.put(connection, settings.AUTHORITY, now)


def changed(before: str, now: str) -> DsmtError:
    """The error for an authority that is not the one of before."""
    there = f"is another one, {now}" if now else "is missing"
    return Conflict(
        f"the authority of this installation {there}; until now it was {before}",
        hint=f"put {CERTIFICATE} and {KEY} back from a backup: nodes trust the one of before only",
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
