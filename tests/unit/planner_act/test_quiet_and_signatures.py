"""Few lines of many knocks; and signatures of which any byte was altered."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from dsmt_core.errors import Invalid
from planner.audit.quiet import Quiet
from planner.authority.ssh_signatures import public_key, signer, verify

PRIVATE = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
LINE = PRIVATE.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
KEY = public_key(f"{LINE} me@home")
MESSAGE, SPACE = b"a challenge", "dsmt-login"


def string(word: bytes) -> bytes:
    return len(word).to_bytes(4, "big") + word


def armoured(blob: bytes) -> str:
    text = base64.encodebytes(blob).decode()
    return f"-----BEGIN SSH SIGNATURE-----\n{text}-----END SSH SIGNATURE-----\n"


def made(algorithm: bytes = b"ssh-ed25519", digest: bytes = b"sha512", more: bytes = b"") -> bytes:
    import hashlib

    hashed = hashlib.new(digest.decode(), MESSAGE).digest()
    signed = b"SSHSIG" + b"".join(map(string, (SPACE.encode(), b"", digest, hashed)))
    signature = string(algorithm) + string(PRIVATE.sign(signed))
    words = (KEY.blob, SPACE.encode(), b"", digest, signature)
    return b"SSHSIG\0\0\0\1" + b"".join(map(string, words)) + more


def good(blob: bytes) -> bool:
    try:
        return verify(KEY, armoured(blob), MESSAGE, SPACE)
    except Invalid:
        return False


def test_a_signature_as_it_was_made_is_good() -> None:
    assert good(made())
    assert good(made(digest=b"sha256"))
    assert signer(armoured(made())) == KEY.id


def test_what_does_not_belong_together_is_not() -> None:
    assert not good(made(algorithm=b"ssh-rsa"))
    assert not good(made(digest=b"sha1"))
    assert not good(made(more=b"x"))
    assert not good(made().replace(b"\0\0\0\1", b"\0\0\0\2", 1))
    for text in ("", "x" * 10_000, armoured(b""), armoured(b"SSHSIG"), armoured(b"x").replace("eA==", "e")):
        with pytest.raises(Invalid):
            signer(text)


@given(at=st.integers(0, len(made()) - 1), bit=st.integers(0, 7))
def test_a_signature_of_which_any_bit_was_altered_is_refused(at: int, bit: int) -> None:
    blob = bytearray(made())
    blob[at] ^= 1 << bit
    reserved = made().index(string(SPACE.encode())) + len(string(SPACE.encode()))
    # What is reserved is no part of what is signed here: nothing but its length can be altered.
    assert not good(bytes(blob)) or reserved <= at < reserved + 4


def test_of_many_knocks_few_are_told_with_how_many_were_left_out() -> None:
    quiet = Quiet(free=2, every_s=10.0, limit=3)
    assert [quiet.tell("a", 0.0) for _ in range(5)] == [0, 0, None, None, None]
    assert quiet.tell("b", 0.0) == 0
    assert quiet.tell("a", 10.0) == 3
    assert quiet.tell("a", 11.0) is None
    for other in "cdef":
        quiet.tell(other, 12.0)
    assert len(quiet._known) == 3
