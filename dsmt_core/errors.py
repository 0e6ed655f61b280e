"""Errors for people: one plain line that says what happened, and a hint what to do.

The class decides the exit code of a command and the status of an HTTP answer, so that the same
failure looks the same wherever it is met. The table is part of the documented interface
(``docs/reference/errors.md``).
"""

from __future__ import annotations

from typing import ClassVar, Self


class DsmtError(Exception):
    """Something went wrong.

    Args:
        message: one plain line: what happened, with the value that caused it.
        hint: what the reader can do about it; may be empty.
        place: where in a text it went wrong: a line of it, and a line with a caret; may be empty.
    """

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "", place: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place

    def __str__(self) -> str:
        return self.message

    def under(self, what: str) -> Self:
        """The same error about a part of something: its name goes before the message."""
        return type(self)(f"{what}: {self.message}", hint=self.hint, place=self.place)


class Invalid(DsmtError):
    """A value is not legal: a name, a parameter, a channel, a package, a message."""

    exit_code = 3
    http_status = 422
    code = "invalid"


class NotFound(DsmtError):
    """Something that was named does not exist."""

    exit_code = 3
    http_status = 404
    code = "not_found"


class Denied(DsmtError):
    """The caller is not known, or may not do this."""

    exit_code = 4
    http_status = 403
    code = "denied"


class Unauthenticated(Denied):
    """The caller has not shown who it is, or its token has ended."""

    http_status = 401
    code = "unauthenticated"


class Banished(Denied):
    """A node was excluded: it may not connect any more, and ends what runs on it."""

    code = "banished"


class Unavailable(DsmtError):
    """A part of the system cannot be reached: the planner, the broker, the depot."""

    exit_code = 5
    http_status = 503
    code = "unavailable"


class Conflict(DsmtError):
    """It cannot be done in the present state: it is in use, exists already, or closes a cycle."""

    exit_code = 6
    http_status = 409
    code = "conflict"


class Full(DsmtError):
    """A bound was reached: the depot's size, a message's size, an outbox."""

    exit_code = 6
    http_status = 507
    code = "full"


class DeadlinePassed(DsmtError):
    """It did not happen in time."""

    exit_code = 7
    http_status = 504
    code = "deadline"


class Undone(DsmtError):
    """What was begun was taken back, or ended before its end: a roll-out that went back or was aborted."""

    exit_code = 8
    http_status = 409
    code = "undone"


KINDS: dict[str, type[DsmtError]] = {
    kind.code: kind
    for kind in (
        DsmtError,
        Invalid,
        NotFound,
        Denied,
        Unauthenticated,
        Banished,
        Unavailable,
        Conflict,
        Full,
        DeadlinePassed,
        Undone,
    )
}


def from_code(code: str, message: str, hint: str = "", place: str = "") -> DsmtError:
    """The error that an HTTP answer's ``code`` names; an unknown code is a plain `DsmtError`."""
    return KINDS.get(code, DsmtError)(message, hint=hint, place=place)
