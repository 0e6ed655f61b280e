"""A secret of the installation, in a file that nobody else may read."""

from __future__ import annotations

import secrets
from pathlib import Path


def secret_in(path: Path) -> str:
    """The secret in a private file, made at first use."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text().strip()
