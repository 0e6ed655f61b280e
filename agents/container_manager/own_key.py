"""The key of a node, made at its first start: it never leaves the machine, and signs each join.

P-256, as all keys of an installation (`broker.certificates`).
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Final

from dsmt_core.errors import Invalid

_KEY: Final = "node.key"


class OwnKey:
    """The key in a node's directory; made on first use, of mode 0600.

    Attributes:
        public: what others know it by: base64 of its DER (SubjectPublicKeyInfo).

    Raises:
        Invalid: the file holds none.
        OSError: it can be neither read nor written.
    """

    def __init__(self, data: Path) -> None:
        # Here, since a node needs them for some milliseconds in ten minutes, and each costs it memory.
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

        path = data / _KEY
        if not path.exists():
            made = ec.generate_private_key(ec.SECP256R1()).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            _keep(path, made)
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError) as error:
            raise _no_key(path) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise _no_key(path)
        self._key = key
        der = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.public = base64.b64encode(der).decode()

    def sign(self, statement: bytes) -> str:
        """A signature (base64) of ``statement``."""
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - see above
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

        return base64.b64encode(self._key.sign(statement, ec.ECDSA(hashes.SHA256()))).decode()


def _keep(path: Path, content: bytes) -> None:
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
