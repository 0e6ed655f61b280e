"""Signing with an ssh key: by ``ssh-keygen``, which asks the agent or the person.

Rule: each signature is for one purpose. For a login nothing is signed but a challenge for the account that
logs in. The key and its passphrase never come here.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Final

from dsmt_core.errors import Denied, Invalid, NotFound

_NAMESPACE: Final = "dsmt-login"
_FIRST: Final = "dsmt-login 1"
# A person may have to find the passphrase, or to touch a token.
_WAIT_S: Final = 120.0
_PUBLIC: Final = re.compile(rb"(ssh|sk|ecdsa)-[a-z0-9@.-]+ ")


def sign(key: str, account: str, challenge: str) -> str:
    """The signature of a challenge.

    Args:
        key: the file of the private key, or of the public one when the agent has the private one.
        account: that logs in.
        challenge: as the planner sent it.

    Raises:
        Denied: the challenge is none, or for somebody else; or it was not signed.
        NotFound: there is no such key, or no OpenSSH here.
    """
    lines = challenge.splitlines()
    if lines[:1] != [_FIRST] or f"account {account}" not in lines[1:]:
        raise Denied("the planner sent something else than a challenge for this account; it is not signed")
    return signature(key, challenge.encode(), _NAMESPACE)


def signature(key: str, message: bytes, purpose: str) -> str:
    """The signature of a message, as ``ssh-keygen -Y sign`` writes it.

    Args:
        key: the file of the private key, or of the public one when the agent has the private one.
        message: what is signed.
        purpose: SSHSIG's namespace: for another one the signature does not count.

    Raises:
        Denied: it was not signed.
        NotFound: there is no such key, or no OpenSSH here.
    """
    file = Path(key).expanduser()
    _check_file(file)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", purpose, "-f", str(file)]
    try:
        done = subprocess.run(command, input=message, capture_output=True, timeout=_WAIT_S, check=False)
    except FileNotFoundError:
        raise NotFound("there is no ssh-keygen here", hint="install OpenSSH, 8.1 or later") from None
    except subprocess.TimeoutExpired:
        raise Denied(f"the key {key} was not opened in time") from None
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Denied(
            f"the key {key} did not sign: {said[-1] if said else 'ssh-keygen failed'}",
            hint="ssh-add it, or give the file of the private key with its passphrase",
        )
    return done.stdout.decode(errors="replace")


def _check_file(file: Path) -> None:
    """Look whether ssh-keygen will use a key, of which it says little otherwise.

    Raises:
        NotFound, Invalid: there is no such file, or it cannot be read, or is no key.
        Denied: it is a private key that others may read.
    """
    if not file.is_file():
        raise NotFound(f"there is no key {file}", hint="a file such as ~/.ssh/id_ed25519, or its .pub")
    try:
        with file.open("rb") as opened:
            begin = opened.read(80)
            mode = os.fstat(opened.fileno()).st_mode
    except OSError as error:
        raise Invalid(f"the key {file} cannot be read: {error.strerror}") from error
    is_private = b"PRIVATE KEY" in begin
    if not is_private and not _PUBLIC.match(begin):
        raise Invalid(f"{file} is no key of OpenSSH", hint="ssh-keygen -t ed25519 -f FILE makes one")
    if is_private and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Denied(
            f"the key {file} may be read by others (mode {stat.S_IMODE(mode):o}); it is not used",
            hint=f"chmod 600 {file}; if others have it already, make another one",
        )


def public_line(file: str) -> str:
    """The line of a public key's file.

    Raises:
        NotFound, Invalid: it is not there, cannot be read, or is a private key.
    """
    path = Path(file).expanduser()
    try:
        with path.open("rb") as opened:
            text = opened.read(1 << 16).decode(errors="replace")
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}") from None
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}") from error
    if "PRIVATE KEY" in text:
        # It must not leave this machine.
        raise Invalid(f"{file} is a private key", hint=f"give the public one: {file}.pub")
    return text.strip()
