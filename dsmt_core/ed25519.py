"""Ed25519, as orders, joins and packages are signed; the library is loaded with the first signature.

Rule: only this module knows the library; it is given bytes, and says yes, no, or a signature. It is
libsodium by PyNaCl, because each agent of a node loads it: `cryptography` takes six times as much memory.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from dsmt_core.signing import PublicKey, in_text, out_of_text

if TYPE_CHECKING:
    from nacl.signing import SigningKey, VerifyKey

_REMEMBERED: Final = 16
# What stands before the 32 bytes of the key in its DER.
_PKCS8: Final = bytes.fromhex("302e020100300506032b657004220420")


class Signer:
    """Holds a private key.

    Args:
        seed: its 32 bytes; whoever makes a key draws them at random.

    Attributes:
        public: the key by which others check.

    Raises:
        ValueError: these are not 32 bytes.
    """

    def __init__(self, seed: bytes) -> None:
        from nacl.signing import SigningKey  # noqa: PLC0415 - see above

        self._key: SigningKey = SigningKey(seed)
        self.public = PublicKey(in_text(bytes(self._key.verify_key)))

    def sign(self, content: bytes) -> bytes:
        """The signature over ``content``."""
        return self._key.sign(content).signature


def private_pem(seed: bytes) -> str:
    """A private key as TLS reads it from a file (RFC 8410, 7)."""
    text = base64.b64encode(_PKCS8 + seed).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"


def verify(key: PublicKey, content: bytes, signature: bytes) -> bool:
    """Whether ``signature`` over ``content`` is of ``key``."""
    from nacl.exceptions import BadSignatureError  # noqa: PLC0415 - see above

    try:
        _loaded(key).verify(content, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


@lru_cache(_REMEMBERED)
def _loaded(key: PublicKey) -> VerifyKey:
    from nacl.signing import VerifyKey  # noqa: PLC0415 - see above

    return VerifyKey(out_of_text(key))
