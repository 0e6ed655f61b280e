"""Whom ``dsmtc`` trusts for a planner over TLS: an authority in a file, or one that has a fingerprint.

Rule: nothing is trusted at first sight. With a fingerprint the certificate may come from anybody; without
it, and without a file, what the machine trusts counts.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult

from dsmt_core.authorities import as_pem, certificates, chosen, distrusted
from dsmt_core.errors import Denied, DsmtError, Unavailable

_TIMEOUT_S: Final = 10.0
_ANSWER_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to trust.

    Attributes:
        certificates: PEM; these and no others. Empty: the machine's, unless there is a fingerprint.
        wanted: the fingerprint of the authority; empty for none.
        found: told the certificate (PEM) that the planner showed and that has the fingerprint.
    """

    certificates: str = ""
    wanted: str = ""
    found: Callable[[str], None] = lambda _: None

    def context(self, planner: SplitResult) -> ssl.SSLContext:
        """For connections to this planner; asks it for its authority where only a fingerprint is known.

        Raises:
            Denied: its authority is another one.
            Unavailable: it does not answer.
        """
        known = self.certificates
        if self.wanted and not known:
            known = as_pem([chosen(_fetched(planner), self.wanted)])
            self.found(known)
        if not known:
            return ssl.create_default_context()
        return ssl.create_default_context(cadata=b"".join(certificates(known)))


class Line:
    """Makes connections to a planner, with one context of TLS for all."""

    def __init__(self, trust: Trust, *, timeout_s: float) -> None:
        self._trust = trust
        self.timeout_s = timeout_s
        self._context: ssl.SSLContext | None = None

    def __call__(self, planner: SplitResult) -> http.client.HTTPConnection:
        """One that is not connected yet.

        Raises:
            Denied, Unavailable: of `Trust.context`.
        """
        host, port, timeout_s = planner.hostname or "", planner.port, self.timeout_s
        if planner.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=timeout_s)
        self._context = self._context or self._trust.context(planner)
        return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=self._context)


def explained(error: Exception, where: str) -> DsmtError | None:
    """Why a TLS connection did not come about, in plain words; None: another thing is wrong."""
    if isinstance(error, ssl.SSLCertVerificationError):
        now = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
        return distrusted(error.verify_code, error.verify_message, where, now)
    if isinstance(error, ssl.SSLError) and error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"}:
        return Unavailable(f"{where} does not speak TLS", hint="http:// instead of https:// in its URL?")
    return None


def _fetched(planner: SplitResult) -> str:
    """The authority as whoever answers there tells it: to be believed only with the fingerprint."""
    anybody = ssl.create_default_context()
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    where = f"the planner at https://{planner.netloc}"
    connection = http.client.HTTPSConnection(
        planner.hostname or "", planner.port, timeout=_TIMEOUT_S, context=anybody
    )
    try:
        connection.request(
            "GET", f"{planner.path.rstrip('/')}/v1/authority", headers={"Connection": "close"}
        )
        with connection.getresponse() as response:
            return str(json.loads(response.read(_ANSWER_BYTES))["certificate"])
    except (OSError, http.client.HTTPException) as error:
        raise explained(error, where) or Unavailable(f"{where} cannot be reached: {error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Denied(f"{where} tells no authority", hint="is it a planner of DSMT?") from error
    finally:
        connection.close()
