"""Random bearer tokens. Only the SHA-256 of one is ever stored; 256 bits need no slow hash."""

from __future__ import annotations

import hashlib
import secrets


def new_token() -> str:
    """A fresh token, 256 bits, safe in a URL and a header."""
    return secrets.token_urlsafe(32)


def fingerprint(token: str) -> str:
    """What is stored of a token or claim: its SHA-256, hex."""
    return hashlib.sha256(token.encode()).hexdigest()
