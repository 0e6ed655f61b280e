"""Keys of a node, made at its first start: they never leave the machine. Its own one signs each join."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from dsmt_core.ed25519 import Signer, private_pem
from dsmt_core.errors import Invalid
from dsmt_core.signing import in_text, out_of_text

KEY: Final = "node.key"
_SEED_BYTES: Final = 32


class OwnKey:
    """A key in a node's directory; made on first use, of mode 0600.

    Args:
        data: the directory.
        name: of the file.

    Attributes:
        public: what others know it by (`dsmt_core.signing.PublicKey`).
        pem: the private key, as TLS reads it.

    Raises:
        Invalid: the file holds none.
        OSError: it can be neither read nor written.
    """

    def __init__(self, data: Path, name: str = KEY) -> None:
        path = data / name
        if not path.exists():
            keep(path, in_text(secrets.token_bytes(_SEED_BYTES)).encode())
        try:
            seed = out_of_text(path.read_text("ascii").strip())
            self._signer = Signer(seed)
        except (ValueError, Invalid) as error:
            raise _no_key(path) from error
        self.public = self._signer.public
        self.pem = private_pem(seed)

    def sign(self, statement: bytes) -> str:
        """A signature of ``statement``, in URL-safe base64."""
        return in_text(self._signer.sign(statement))


def keep(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _no_key(path: Path) -> Invalid:
    return Invalid(
        f"{path} holds no key of a node",
        hint="put it back from a backup; or remove it, and join again with a new invitation",
    )
