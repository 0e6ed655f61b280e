"""Whom a node trusts: the authority of its installation, named by a file or by a fingerprint, and kept.

Rule: with a fingerprint the certificate itself may come from anybody; without one, and without a file, a
node trusts what its machine trusts. What was pinned at the enrolment counts until a person names another.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import time
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from agents import state_file
from broker.trust import trusting
from dsmt_core.authorities import (
    as_pem,
    certificates,
    chosen,
    distrusted,
    fingerprint_of,
    is_fingerprint,
)
from dsmt_core.errors import Denied, DsmtError, Invalid, Unavailable

_TIMEOUT_S: Final = 5.0
_ANSWER_BYTES: Final = 1 << 20
_AUTHORITY: Final = "authority"
_FILE: Final = "authority.json"


class Trust:
    """The authority of one node.

    Args:
        data: the node's directory.
        named: a file of certificates (PEM), or a fingerprint; empty for none.
        invited: the fingerprint of the invitation, which counts at the first time only; empty for none.
    """

    def __init__(self, data: Path, named: str = "", invited: str = "") -> None:
        self._data = data
        self._named = named
        self._invited = invited

    def known(self) -> str:
        """Certificates (PEM) that are trusted, and no others; empty: what the machine trusts.

        Raises:
            Invalid: the file that was named holds none.
        """
        if self._named and not is_fingerprint(self._named):
            return _read(Path(self._named))
        kept = _kept(self._data)
        if kept and self._named:
            with contextlib.suppress(DsmtError):
                return as_pem([chosen(kept, fingerprint_of(self._named))])
            return ""
        return kept

    def context(self, url: str) -> ssl.SSLContext | None:
        """For a request to the planner at ``url``; None where it is plain. May ask the planner; blocks.

        Raises:
            Denied: the planner has another authority than the one of the fingerprint.
            Unavailable: it does not answer.
            Invalid: what was named is none.
        """
        parts = urlsplit(url)
        if parts.scheme != "https":
            return None
        known = self.known()
        wanted = fingerprint_of(self._named) if is_fingerprint(self._named) else self._invited
        if not known and wanted:
            known = as_pem([chosen(_fetched(parts), wanted)])
            state_file.save(self._data / _FILE, {_AUTHORITY: known})
        return context_of(known)


def context_of(authority: str) -> ssl.SSLContext:
    """What takes hosts of this authority (PEM) only; without one those of the machine's authorities."""
    if not authority:
        return ssl.create_default_context()
    return trusting(b"".join(certificates(authority)))


def explained(error: Exception, where: str) -> DsmtError | None:
    """Why a TLS connection did not come about, in plain words; None: another thing is wrong."""
    if isinstance(error, ssl.SSLCertVerificationError):
        now = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
        return distrusted(error.verify_code, error.verify_message, where, now)
    if isinstance(error, ssl.SSLError) and error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"}:
        return Unavailable(f"{where} does not speak TLS", hint="http:// instead of https:// in its URL?")
    return None


def _kept(data: Path) -> str:
    kept = (state_file.load(data / _FILE).value or {}).get(_AUTHORITY)
    return kept if isinstance(kept, str) else ""


def _read(path: Path) -> str:
    try:
        text = path.read_text()
        certificates(text)
    except (OSError, ValueError, Invalid) as error:
        raise Invalid(
            f"--authority {path}: {error}", hint="a file of certificates, or sha256:FINGERPRINT"
        ) from error
    return text


def _fetched(parts: SplitResult) -> str:
    """The authority as whoever answers there tells it: to be believed only with the fingerprint."""
    anybody = ssl.create_default_context()
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(
        parts.hostname or "", parts.port, timeout=_TIMEOUT_S, context=anybody
    )
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/v1/authority", headers={"Connection": "close"})
        with connection.getresponse() as response:
            said = json.loads(response.read(_ANSWER_BYTES))
        return str(said["certificate"])
    except (OSError, http.client.HTTPException) as error:
        raise explained(error, parts.netloc) or Unavailable(
            f"the planner at {parts.netloc} does not answer: {error}", hint="the node goes on trying"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Denied(
            f"what answers at {parts.netloc} tells no authority", hint="is it the planner?"
        ) from error
    finally:
        connection.close()
