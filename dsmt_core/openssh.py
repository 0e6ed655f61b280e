"""Ed25519 keys and signatures as OpenSSH writes them: ``.pub`` lines and SSHSIG (PROTOCOL.sshsig). Pure.

What a planner takes for a login is more (`planner.authority.ssh_signatures`); here are the forms alone,
which nodes can read, too.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.signing import PublicKey, in_text, out_of_text, public_key

_MAGIC: Final = b"SSHSIG"
_VERSION: Final = b"\0\0\0\1"
_HASH: Final = b"sha512"
_KIND: Final = b"ssh-ed25519"
_TEXT_BYTES: Final = 8192
_ARMOUR: Final = re.compile(
    r"\s*-----BEGIN SSH SIGNATURE-----\s+([A-Za-z0-9+/=\s]+?)-----END SSH SIGNATURE-----\s*\Z"
)


def signed_content(message: bytes, namespace: str) -> bytes:
    """What a key of Ed25519 really signs, when it signs ``message`` for a purpose."""
    parts = (namespace.encode(), b"", _HASH, hashlib.sha512(message).digest())
    return _MAGIC + b"".join(map(_string, parts))


def ed25519_key(text: str) -> PublicKey:
    """The key in a line of OpenSSH, such as ``~/.ssh/id_ed25519.pub`` has.

    Raises:
        Invalid: it is none, a private one, or of another kind than Ed25519.
    """
    if "PRIVATE KEY" in text:
        raise Invalid("this is a private key", hint="give the public one: the file that ends in .pub")
    words = text.strip().split(None, 2)
    if len(text) > _TEXT_BYTES or len(words) < 2 or "\n" in text.strip():
        raise Invalid("this is no public key of OpenSSH", hint="one line: ssh-ed25519 AAAA… comment")
    if words[0] != _KIND.decode():
        raise _other_kind(words[0])
    return _key_in(_decoded(words[1]))


def openssh(key: PublicKey) -> str:
    """A key as OpenSSH writes it."""
    blob = _string(_KIND) + _string(out_of_text(key))
    return f"{_KIND.decode()} {base64.b64encode(blob).decode()}"


def shown(key: PublicKey) -> str:
    """A key as OpenSSH shows it: ``SHA256:…``, which ``ssh-keygen -l`` says, too."""
    digest = hashlib.sha256(_string(_KIND) + _string(out_of_text(key))).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def opened(armoured: str, namespace: str) -> tuple[PublicKey, bytes]:
    """The key and the signature in what ``ssh-keygen -Y sign`` wrote; nothing is verified.

    Raises:
        Invalid: it is no signature, or one of another kind, or made for another purpose.
    """
    armour = _ARMOUR.match(armoured) if len(armoured) <= _TEXT_BYTES else None
    if armour is None:
        raise _no_signature()
    blob = _decoded("".join(armour[1].split()))
    if not blob.startswith(_MAGIC + _VERSION):
        raise _no_signature()
    key, purpose, _reserved, digest, signature = _strings(blob[10:], 5)
    if purpose != namespace.encode():
        was = purpose.decode(errors="replace")[:40]
        raise Invalid(
            f"this was signed for {was!r}, and not for {namespace!r}",
            hint=f"ssh-keygen -Y sign -n {namespace}",
        )
    if digest != _HASH:
        raise Invalid("this was signed with another digest than SHA-512", hint="leave away: -O hashalg=…")
    public = _key_in(key)
    kind, value = _strings(signature, 2)
    if kind != _KIND:
        raise _no_signature()
    return public, value


def _key_in(blob: bytes) -> PublicKey:
    kind, *_ = _strings(blob, 1, more=True)
    if kind != _KIND:
        raise _other_kind(kind.decode(errors="replace"))
    return public_key(in_text(_strings(blob, 2)[1]))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("this is neither a key nor a signature of OpenSSH") from None


def _string(word: bytes) -> bytes:
    return struct.pack(">I", len(word)) + word


def _strings(data: bytes, count: int, *, more: bool = False) -> list[bytes]:
    """So many strings of the SSH protocol, and nothing behind them unless there may be ``more``."""
    found = []
    for _ in range(count):
        size = int.from_bytes(data[:4], "big")
        if len(data) < 4 + size:
            raise _no_signature()
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    if data and not more:
        raise _no_signature()
    return found


def _other_kind(kind: str) -> Invalid:
    return Invalid(
        f"this key is not of Ed25519, but {kind[:40]}",
        hint="ssh-keygen -t ed25519 -f publisher.key makes one",
    )


def _no_signature() -> Invalid:
    return Invalid("this is no signature of OpenSSH", hint="ssh-keygen -Y sign makes one")
