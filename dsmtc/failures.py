"""How a failure looks: one plain line, its hint, an exit code; a trace only with ``-vv``."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from typing import Final

from dsmt_core.errors import DsmtError, Invalid
from dsmtc.output import say
from dsmtc.rendering.text import cut

INTERRUPTED: Final = 130
DRY_RUN: Final = "--dry-run"
DRY_RUN_FAILED: Final = 255
CLOSED_PIPE: Final = 141
# A word that was typed stands in what is said of it, and may be of any length.
_MOST: Final = 2_000


def report(error: BaseException, *, verbose: int) -> int:
    """Tell a failure on stderr; return the exit code."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        _drop_stdout()
        return CLOSED_PIPE
    code = _told(error)
    if verbose > 1:
        for line in "".join(traceback.format_exception(error)).splitlines():
            say(line)
    return code


def _told(error: BaseException) -> int:
    """Tell what happened; its exit code."""
    if isinstance(error, DsmtError):
        tell(str(error), error.hint, error.place)
        return error.exit_code
    if isinstance(error, UnicodeEncodeError):
        # Python keeps what a shell gave as it was, and nothing that leaves here can carry it.
        tell(f"{error.object[:40]!r} is not UTF-8", "say it in the characters of your terminal")
        return Invalid.exit_code
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EIO, errno.EDQUOT}:
        tell(f"the answer cannot be written: {error.strerror}")
        _drop_stdout()
    elif isinstance(error, OSError) and error.filename is not None:
        tell(f"{str(error.filename)[:80]!r}: {error.strerror}")
        return Invalid.exit_code
    else:
        tell(f"this should not happen: {type(error).__name__}: {error}", "-vv shows where; report it")
    return 1


def tell(message: str, hint: str = "", place: str = "") -> None:
    """An error for people."""
    say(cut(f"dsmtc: {message}", _MOST))
    for line in place.splitlines():
        say(cut(f"    {line}", _MOST))
    if hint:
        say(cut(f"  hint: {hint}", _MOST))


def _drop_stdout() -> None:
    """Whoever read us has gone; the interpreter must not complain when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
