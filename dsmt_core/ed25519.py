"""Ed25519, as signed orders and packages use it; the library is loaded with the first signature.

Rule: only this module knows the library; it is given bytes, and says yes, no, or a signature.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from dsmt_core.signing import PublicKey, in_text, out_of_text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_REMEMBERED: Final = 16


class Signer:
    """Holds a private key.

    Args:
        seed: its 32 bytes; whoever makes a key draws them at random.

    Attributes:
        public: the key by which others check.
    """

    def __init__(self, seed: bytes) -> None:
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see above
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415

        self._key: Ed25519PrivateKey = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        self.public = PublicKey(in_text(self._key.public_key().public_bytes(*raw)))

    def sign(self, content: bytes) -> bytes:
        """The signature over ``content``."""
        return self._key.sign(content)


def verify(key: PublicKey, content: bytes, signature: bytes) -> bool:
    """Whether ``signature`` over ``content`` is of ``key``."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - see above

    try:
        _loaded(key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(_REMEMBERED)
def _loaded(key: PublicKey) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - see above

    return ed25519.Ed25519PublicKey.from_public_bytes(out_of_text(key))
