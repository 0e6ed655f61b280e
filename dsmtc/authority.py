"""Which authority a command trusts: ``--authority``, then the environment, then the file in ``~/.dsmt``.

Each is a file of certificates; the first two may be a fingerprint as well. What a fingerprint has found is
kept in the file, so it is needed once for each planner.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dsmt_core.authorities import as_pem, certificates, chosen, fingerprint_of, is_fingerprint
from dsmt_core.errors import Denied, Invalid
from dsmtc.account import FILE_BYTES, Home
from dsmtc.client.trust import Trust
from dsmtc.commandline import Common


def choose_trust(common: Common, environment: Mapping[str, str], home: Home) -> Trust:
    """Whom to trust.

    Raises:
        Invalid: what was named is neither a file of certificates nor a fingerprint.
    """
    named = common.authority or environment.get("DSMT_AUTHORITY", "")
    if not named:
        return Trust(_read(home.authority) if home.authority.exists() else "")
    if not is_fingerprint(named):
        return Trust(_read(Path(named)))
    wanted = fingerprint_of(named)
    kept = _read(home.authority) if home.authority.exists() else ""
    try:
        known = as_pem([chosen(kept, wanted)]) if kept else ""
    except Denied:
        known = ""
    return Trust(known, wanted, lambda pem: _keep(home, kept + pem))


def _read(path: Path) -> str:
    try:
        with path.open() as file:
            text = file.read(FILE_BYTES)
        certificates(text)
    except (OSError, ValueError, Invalid) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise Invalid(
            f"the authority cannot be read from {path}: {reason}",
            hint="a file of certificates (PEM), or sha256:FINGERPRINT as dsmt-planner ca show says",
        ) from error
    return text


def _keep(home: Home, pem: str) -> None:
    home.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = home.authority.with_name(f".{home.authority.name}.{os.getpid()}")
    draft.write_text(pem)
    draft.replace(home.authority)
