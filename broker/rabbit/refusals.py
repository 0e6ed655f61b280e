"""Foreign errors stop here: what pika raises or reports, as our errors."""

from __future__ import annotations

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


def ours(error: BaseException) -> DsmtError:
    """``error`` as one of ours; its text keeps what the broker said."""
    if isinstance(error, DsmtError):
        return error
    if isinstance(error, exceptions.ChannelClosedByBroker):
        return _closed(error.reply_code, error.reply_text)
    if isinstance(error, _DENIED):
        return Denied(
            f"the broker refused the connection: {_cause(error)}",
            hint="check user, password and virtual host of the broker's URL",
        )
    return Unavailable(
        f"the connection to the broker is lost: {_cause(error)}", hint="is the broker running?"
    )


def _closed(code: int, text: str) -> DsmtError:
    kind = _BY_CODE.get(code, Unavailable)
    if kind is Denied and _HELD in text:
        kind = Conflict
    return kind(f"the broker said: {text} ({code})")


def _cause(error: BaseException) -> str:
    """The innermost cause in one line; pika nests them in ``exceptions`` and ``args``."""
    seen = error
    for _ in range(5):
        nested = getattr(seen, "exceptions", None) or getattr(seen, "exception", None) or seen.args
        inner = nested[-1] if isinstance(nested, list | tuple) and nested else nested
        if not isinstance(inner, BaseException):
            break
        seen = inner
    return (str(seen) or type(seen).__name__).splitlines()[0][:300]
