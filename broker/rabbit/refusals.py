"""Foreign errors stop here: what pika raises or reports, as our errors."""

from __future__ import annotations

import ssl
from typing import Final

from pika import exceptions

from dsmt_core.errors import Conflict, Denied, DsmtError, NotFound, Unavailable

_DENIED: Final = (
    exceptions.ProbableAuthenticationError,
    exceptions.AuthenticationError,
    exceptions.ProbableAccessDeniedError,
)
# AMQP 0-9-1, 1.2: reply codes of a closed channel.
_BY_CODE: Final[dict[int, type[DsmtError]]] = {403: Denied, 404: NotFound, 405: Conflict, 406: Conflict}
# The broker says 403 also for a queue that another consumer holds exclusively.
_HELD: Final = "in exclusive use"
# OpenSSL's x509_vfy.h. All others mean that the way to an authority that is trusted was not found.
_UNTRUE: Final = {
    9: "its certificate is not valid yet (is the clock right?)",
    10: "its certificate has ended (is the clock right?)",
    62: "its certificate is for another name",
    64: "its certificate is for another address",
}
# TLS's alerts (RFC 8446, 6.2) as OpenSSL names them: what a broker says of the certificate it was shown.
_UNWANTED: Final = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "none was shown",
    "TLSV1_ALERT_UNKNOWN_CA": "the one that was shown is not of its authority",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the one that was shown has ended",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the one that was shown is none",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "none of a client was shown",
}
_NOT_SIGNED: Final = "its certificate is not signed by the authority that is trusted here"


def ours(error: BaseException, place: str = "the broker") -> DsmtError:
    """``error`` as one of ours; its text keeps what the broker at ``place`` said."""
    if isinstance(error, DsmtError):
        return error
    if isinstance(error, exceptions.ChannelClosedByBroker):
        return _closed(error.reply_code, error.reply_text)
    if isinstance(error, _DENIED):
        return Denied(
            f"the broker refused the connection: {_cause(error)}",
            hint="check user, password and virtual host of the broker's URL",
        )
    return _greeting(_innermost(error), place) or Unavailable(
        f"the connection to {place} is lost: {_cause(error)}", hint="is the broker running?"
    )


def _greeting(error: BaseException, place: str) -> DsmtError | None:
    """What went wrong before AMQP was spoken, where it can be told plainly."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unavailable(
            f"{place} is not taken for the broker: {_UNTRUE.get(error.verify_code, _NOT_SIGNED)}",
            hint="is the URL the one of broker.env, and does the host have the files made with it?",
        )
    if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
        return Unavailable(f"{place} does not speak TLS", hint="is the port right, or is it amqp://?")
    # The broker says so in its first answer, by when pika takes its end for another protocol.
    why = next((why for alert, why in _UNWANTED.items() if alert in str(error)), "")
    if why:
        return Denied(
            f"{place} lets nobody in without a certificate of this installation: {why}",
            hint="a node gets one when it joins; for other programs: dsmt-planner ca issue --client NAME",
        )
    if isinstance(error, exceptions.IncompatibleProtocolError):
        return Unavailable(
            f"{place} ended the connection before it spoke AMQP (does it want amqps://?)",
            hint="are scheme and port of the URL right?",
        )
    return None


def _closed(code: int, text: str) -> DsmtError:
    kind = _BY_CODE.get(code, Unavailable)
    if kind is Denied and _HELD in text:
        kind = Conflict
    return kind(f"the broker said: {text} ({code})")


def _cause(error: BaseException) -> str:
    """The innermost cause in one line."""
    seen = _innermost(error)
    return (str(seen) or type(seen).__name__).splitlines()[0][:300]


def _innermost(error: BaseException) -> BaseException:
    """What caused it all; pika nests errors in ``exceptions`` and ``args``."""
    seen = error
    for _ in range(5):
        nested = getattr(seen, "exceptions", None) or getattr(seen, "exception", None) or seen.args
        inner = nested[-1] if isinstance(nested, list | tuple) and nested else nested
        if not isinstance(inner, BaseException):
            break
        seen = inner
    return seen
