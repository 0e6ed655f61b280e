"""Public keys of OpenSSH, and signatures as ``ssh-keygen -Y sign`` makes them (SSHSIG, PROTOCOL.sshsig).

Pure; the arithmetic is the library's. Ed25519, ECDSA, and RSA with SHA-2 of 2048 bits or more.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from dsmt_core.errors import Invalid

KEY_BYTES: Final = 4096
SIGNATURE_BYTES: Final = 8192
_LEAST_BITS: Final = 2048
_MOST_BITS: Final = 8192
_MAGIC: Final = b"SSHSIG"
_ARMOUR: Final = re.compile(
    r"\s*-----BEGIN SSH SIGNATURE-----\s+([A-Za-z0-9+/=\s]+?)-----END SSH SIGNATURE-----\s*\Z"
)
_DIGESTS: Final = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_RSA: Final[Mapping[bytes, HashAlgorithm]] = {
    b"rsa-sha2-256": hashes.SHA256(),
    b"rsa-sha2-512": hashes.SHA512(),
}
_CURVES: Final[Mapping[int, HashAlgorithm]] = {
    256: hashes.SHA256(),
    384: hashes.SHA384(),
    521: hashes.SHA512(),
}

Key = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key.

    Attributes:
        kind: such as ``ssh-ed25519``.
        blob: as OpenSSH writes it, without base64.
        comment: what stands behind it.
    """

    kind: str
    blob: bytes
    comment: str

    @property
    def id(self) -> str:
        """The SHA-256 of it, hex."""
        return hashlib.sha256(self.blob).hexdigest()

    @property
    def fingerprint(self) -> str:
        """The same as OpenSSH shows it."""
        digest = hashlib.sha256(self.blob).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"

    @property
    def text(self) -> str:
        """A line of a ``.pub`` file, without the comment."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"


def public_key(text: str) -> PublicKey:
    """The key in a line of a ``.pub`` file.

    Raises:
        Invalid: it is none, a private one, or one of a kind that is not taken.
    """
    if "PRIVATE KEY" in text:
        raise Invalid("this is a private key", hint="give the public one: the file that ends in .pub")
    words = text.strip().split(None, 2)
    if len(text) > KEY_BYTES or len(words) < 2 or "\n" in text.strip():
        raise Invalid("this is no public key of OpenSSH", hint="one line: ssh-ed25519 AAAA… comment")
    _loaded(f"{words[0]} {words[1]}")
    blob = base64.b64decode(words[1])
    comment = "".join(letter for letter in (words[2] if words[2:] else "") if letter.isprintable())
    return PublicKey(words[0], blob, comment[:128])


def signer(armoured: str) -> str:
    """The id of the key that a signature says it is by; whether it is, says `verify`.

    Raises:
        Invalid: it is no signature.
    """
    return hashlib.sha256(_opened(armoured)[0]).hexdigest()


def verify(key: PublicKey, armoured: str, message: bytes, namespace: str) -> bool:
    """Whether a signature is by this key, of this message, made for this purpose.

    Raises:
        Invalid: it is no signature.
    """
    blob, space, digest, signature = _opened(armoured)
    if blob != key.blob or space != namespace.encode() or digest not in _DIGESTS:
        return False
    parts = (space, b"", digest, _DIGESTS[digest](message).digest())
    signed = _MAGIC + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    words = _Words(signature)
    algorithm, value = words.string(), words.string()
    words.end()
    try:
        return _checked(_loaded(key.text), algorithm, value, signed)
    except InvalidSignature:
        return False


def _checked(key: Key, algorithm: bytes, value: bytes, signed: bytes) -> bool:
    """True, or `InvalidSignature`; False where key and algorithm do not belong together."""
    if isinstance(key, RSAPublicKey):
        if algorithm not in _RSA:
            return False
        key.verify(value, signed, PKCS1v15(), _RSA[algorithm])
    elif isinstance(key, Ed25519PublicKey):
        if algorithm != b"ssh-ed25519":
            return False
        key.verify(value, signed)
    else:
        if algorithm != f"ecdsa-sha2-nistp{key.curve.key_size}".encode():
            return False
        words = _Words(value)
        r, s = (int.from_bytes(words.string(), "big") for _ in range(2))
        words.end()
        key.verify(encode_dss_signature(r, s), signed, ECDSA(_CURVES[key.curve.key_size]))
    return True


def _loaded(line: str) -> Key:
    refused = Invalid("this key is of no kind that is taken", hint="ed25519, ecdsa, rsa of 2048 bits")
    try:
        key = load_ssh_public_key(line.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise refused from None
    if isinstance(key, RSAPublicKey):
        if not _LEAST_BITS <= key.key_size <= _MOST_BITS:
            raise refused
        return key
    if isinstance(key, Ed25519PublicKey):
        return key
    if isinstance(key, EllipticCurvePublicKey) and key.curve.key_size in _CURVES:
        return key
    raise refused


def _opened(armoured: str) -> tuple[bytes, bytes, bytes, bytes]:
    """Public key, namespace, name of the digest, and signature."""
    armour = _ARMOUR.match(armoured) if len(armoured) <= SIGNATURE_BYTES else None
    if armour is None:
        raise _no_signature()
    try:
        blob = base64.b64decode("".join(armour[1].split()), validate=True)
    except (ValueError, binascii.Error):
        raise _no_signature() from None
    if blob[:10] != _MAGIC + b"\0\0\0\1":
        raise _no_signature()
    words = _Words(blob[10:])
    key, namespace, _reserved, digest, signature = (words.string() for _ in range(5))
    words.end()
    return key, namespace, digest, signature


class _Words:
    """Strings of the SSH protocol: four bytes of length, and so many."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def string(self) -> bytes:
        """The next one."""
        size = int.from_bytes(self._data[:4], "big")
        if len(self._data) < 4 + size:
            raise _no_signature()
        word, self._data = self._data[4 : 4 + size], self._data[4 + size :]
        return word

    def end(self) -> None:
        """There is nothing more."""
        if self._data:
            raise _no_signature()


def _no_signature() -> Invalid:
    return Invalid("this is no signature of OpenSSH", hint="ssh-keygen -Y sign makes one")
