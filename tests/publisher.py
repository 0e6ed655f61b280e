"""A publisher for tests: signs as ``ssh-keygen -Y sign`` does, without it."""

from __future__ import annotations

import base64
import hashlib
import struct

from dsmt_core.ed25519 import Signer
from dsmt_core.openssh import openssh, signed_content
from dsmt_core.publishers import NAMESPACE, PackageSignature, Statement


class Publisher:
    """One key of Ed25519, always the same for the same letter."""

    def __init__(self, letter: str) -> None:
        self.signer = Signer(letter.encode() * 32)
        self.key = self.signer.public
        self.line = openssh(self.key)

    def armoured(self, text: str, namespace: str = NAMESPACE, *, says: str = "") -> str:
        """What ``ssh-keygen`` would write; ``says``: the line of another key that it says it is of."""
        signature = self.signer.sign(signed_content(text.encode(), namespace))
        blob = base64.b64decode((says or self.line).split()[1])
        inner = _string(b"ssh-ed25519") + _string(signature)
        words = (blob, namespace.encode(), b"", b"sha512", inner)
        return armour(b"SSHSIG\0\0\0\1" + b"".join(map(_string, words)))

    def signs(self, about: Statement) -> PackageSignature:
        return PackageSignature.of(self.armoured(about.text), about)


def armour(blob: bytes) -> str:
    return (
        f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(blob).decode()}\n-----END SSH SIGNATURE-----\n"
    )


def statement(
    content: bytes, name: str, version: str, *, kind: str = "rpm", arch: str = "noarch"
) -> Statement:
    """What is to be said of a package with this content."""
    digest = hashlib.sha256(content).hexdigest()
    return Statement(kind=kind, name=name, version=version, arch=arch, digest=digest)


def _string(word: bytes) -> bytes:
    return struct.pack(">I", len(word)) + word
