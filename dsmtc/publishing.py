"""Signing packages: what is signed is read from the file at hand, and signed by ``ssh-keygen``.

Rule: nothing that a depot says of a package is signed; and the key never comes here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from dsmt_core.errors import DeadlinePassed, Invalid
from dsmt_core.publishers import NAMESPACE, PackageSignature, Statement
from dsmtc.client.signed import SignatureKept
from dsmtc.commandline import Misused
from dsmtc.session import Session
from dsmtc.signing import signature

OWN_KEY: Final = "-"
HELP: Final = "a publisher's key of Ed25519, or its .pub with the ssh agent; - is that of your login"
_READ_S: Final = 600.0
_BYTES: Final = 1 << 14


def statement(path: Path) -> Statement:
    """What a publisher says of a package file.

    Raises:
        Invalid: it is no package, or one that cannot be signed.
        DeadlinePassed: it was not read in time.
    """
    # The depot reads packages, and is no part of this program: a process that is done when it has answered.
    command = [sys.executable, "-m", "depot.describing", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_READ_S, check=False)
    except subprocess.TimeoutExpired:
        raise DeadlinePassed(f"{path} was not read within {_READ_S:.0f} s") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Invalid(f"{path.name} cannot be signed: {said[-1] if said else 'it cannot be read'}")
    read = json.loads(done.stdout)
    words = {name: str(read[name]) for name in ("kind", "name", "version", "arch", "digest")}
    return Statement(**words)


def signed(path: Path, key: str) -> str:
    """The signature of a package file, as ``ssh-keygen`` writes it.

    Args:
        path: of the package.
        key: the file of a private key of Ed25519, or of the public one when the ssh agent has the private.

    Raises:
        Invalid: it is no package, or a key of another kind.
        Denied, NotFound: of `dsmtc.signing.signature`.
    """
    about = statement(path)
    made = signature(key, about.text.encode(), NAMESPACE)
    # A key of another kind is told here, before anything is sent.
    PackageSignature.of(made, about)
    return made


def signature_in(path: Path) -> str:
    """The text of a file that ``ssh-keygen -Y sign`` wrote.

    Raises:
        Invalid: it cannot be read, or is longer than any.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_BYTES + 1)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > _BYTES:
        raise Invalid(f"{path} is no signature: it is too long")
    return content.decode(errors="replace")


def signature_of(session: Session, file: Path, key: str) -> str:
    """The signature of a package file, by a key or, for `OWN_KEY`, by that of the login.

    Raises:
        Misused: the login is not by a key.
        Invalid, Denied, NotFound: as `signed`.
    """
    if key == OWN_KEY and not session.identity.key:
        raise Misused(
            "no key is named, and you do not log in with one", hint="--sign KEYFILE, such as ~/.ssh/build"
        )
    return signed(file, session.identity.key if key == OWN_KEY else key)


def keep(session: Session, filename: str, signature: str) -> SignatureKept:
    """Give a package that is in the depot a signature, and say whose it is."""
    kept = session.client.sign_package(session.slice, filename, signature)
    whose = f"publisher {kept['publisher']}" if kept["publisher"] else "no publisher of this slice"
    if not session.out.form:
        session.out.show([f"{filename}: signed by {kept['key']}, {whose}"])
    return kept
