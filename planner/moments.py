"""Moments as people write and read them: ISO 8601, in UTC where no time zone is named. Pure.

Inside, a moment is a number of seconds since the epoch.
"""

from __future__ import annotations

from datetime import UTC, datetime

from dsmt_core.errors import Invalid


def moment(text: str, what: str) -> float:
    """The seconds since the epoch of an ISO 8601 date, such as ``2026-05-01T22:00+02:00``.

    Args:
        text: as people write it; without a time of day midnight, without a zone UTC.
        what: it is, for the error.

    Raises:
        Invalid: it cannot be read.
    """
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(
            f"{what} {text[:40]!r} is no moment",
            hint="ISO 8601, such as 2026-05-01T22:00Z or 2026-05-01T22:00+02:00; without a zone it is UTC",
        ) from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def written(seconds: float) -> str:
    """A moment for people, to the minute, in UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.0f} s after 1970"
