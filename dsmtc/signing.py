"""Signing a planner's challenge with an ssh key: by ``ssh-keygen``, which asks the agent or the person.

Rule: nothing is signed but a challenge for the account that logs in, and for no purpose but a login. The
key and its passphrase never come here.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from dsmt_core.errors import Denied, Invalid, NotFound

_NAMESPACE: Final = "dsmt-login"
_FIRST: Final = "dsmt-login 1"
# A person may have to find the passphrase, or to touch a token.
_WAIT_S: Final = 120.0


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
    file = Path(key).expanduser()
    if not file.is_file():
        raise NotFound(f"there is no key {key}", hint="a file such as ~/.ssh/id_ed25519, or its .pub")
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", _NAMESPACE, "-f", str(file)]
    try:
        done = subprocess.run(
            command, input=challenge.encode(), capture_output=True, timeout=_WAIT_S, check=False
        )
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


def public_line(file: str) -> str:
    """The line of a public key's file.

    Raises:
        NotFound, Invalid: it is not there, cannot be read, or is a private key.
    """
    path = Path(file).expanduser()
    try:
        with path.open("rb") as opened:
            text = opened.read(1 << 14).decode(errors="replace")
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}") from None
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}") from error
    if "PRIVATE KEY" in text:
        # It must not leave this machine.
        raise Invalid(f"{file} is a private key", hint=f"give the public one: {file}.pub")
    return text.strip()
