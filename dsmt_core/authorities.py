"""How the authority of an installation is named: by the SHA-256 of its certificate. Pure.

A fingerprint is short enough for a letter, a telephone or an invitation: whoever has it may fetch the
certificate itself from anybody, and knows whether it is the one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection
from typing import Final

from dsmt_core.errors import Denied, DsmtError, Invalid, Unavailable

PREFIX: Final = "sha256:"
_DIGITS: Final = 64
_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----")
_AT: Final = "@"

# What OpenSSL says of a certificate (verify(1), DIAGNOSTICS).
_NOT_YET, _ENDED, _PURPOSE, _NAME, _ADDRESS = 9, 10, 26, 62, 64
_ASK: Final = "ask for the fingerprint (dsmt-planner ca show, on the planner's machine), then: --authority"


def fingerprint(der: bytes) -> str:
    """The name of a certificate (DER): ``sha256:`` and 64 hexadecimal digits."""
    return PREFIX + hashlib.sha256(der).hexdigest()


def is_fingerprint(text: str) -> bool:
    """Whether somebody means a fingerprint, and no file."""
    return text.lower().startswith(PREFIX)


def fingerprint_of(text: str) -> str:
    """A fingerprint as people type it: capitals and colons between the digits are welcome.

    Raises:
        Invalid: it is none.
    """
    digits = text[len(PREFIX) :].replace(":", "").lower() if is_fingerprint(text) else ""
    if len(digits) != _DIGITS or not set(digits) <= set("0123456789abcdef"):
        raise Invalid(
            f"{text[:80]!r} is no fingerprint of an authority",
            hint="sha256: and 64 hexadecimal digits, as dsmt-planner ca show says",
        )
    return PREFIX + digits


def certificates(pem: str) -> list[bytes]:
    """The certificates in a text (PEM), as DER.

    Raises:
        Invalid: there is none, or one is not whole.
    """
    try:
        found = [base64.b64decode("".join(one.split()), validate=True) for one in _PEM.findall(pem)]
    except binascii.Error:
        found = []
    if not found:
        raise Invalid("there is no certificate in it", hint="PEM: -----BEGIN CERTIFICATE-----, and so on")
    return found


def chosen(pem: str, wanted: str) -> bytes:
    """The certificate of this fingerprint in a text.

    Raises:
        Denied: none of those that are there has it.
        Invalid: there is none at all.
    """
    there = certificates(pem)
    for der in there:
        if fingerprint(der) == wanted:
            return der
    raise Denied(
        f"the planner has another authority than the one that was named: {fingerprint(there[0])}",
        hint="somebody is between you and the planner, or it is another planner: compare with dsmt-planner "
        "ca show on its machine",
    )


def as_pem(ders: Collection[bytes]) -> str:
    """Certificates as text."""
    parts = []
    for der in ders:
        text = base64.b64encode(der).decode()
        lines = [text[at : at + 64] for at in range(0, len(text), 64)]
        parts.append("\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]))
    return "".join(parts)


def invitation(token: str, authority: str) -> str:
    """What a node is given: its token, and with it the fingerprint of whom it may trust, if any."""
    return f"{token}{_AT}{authority}" if authority else token


def parted(text: str) -> tuple[str, str]:
    """The token and the fingerprint of an invitation; the fingerprint is empty where it has none.

    Raises:
        Invalid: what stands behind the token is no fingerprint.
    """
    token, at, named = text.strip().partition(_AT)
    return token, fingerprint_of(named) if at else ""


def distrusted(code: int, said: str, where: str, now: str) -> DsmtError:
    """Why a certificate was not taken, in plain words.

    Args:
        code: OpenSSL's (``SSLCertVerificationError.verify_code``).
        said: its message.
        where: who showed the certificate.
        now: what the clock of this machine says.
    """
    if code in (_NOT_YET, _ENDED):
        verb = "is not valid yet" if code == _NOT_YET else "has ended"
        return Unavailable(
            f"the certificate of {where} {verb}, by the clock of this machine, which says {now}",
            hint="set the clock if it is wrong; the planner renews its certificate by itself",
        )
    if code in (_NAME, _ADDRESS):
        return Denied(
            f"the certificate of {where} is of another host: {said.rstrip('.')}",
            hint="name it as its certificate does; or start the planner with --name for each of its names",
        )
    if code == _PURPOSE:
        return Denied(f"{where} shows a certificate that is not of a server", hint="this is no planner")
    return Denied(f"the certificate of {where} is of no authority that is trusted here ({said})", hint=_ASK)
