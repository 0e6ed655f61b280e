"""Starting one program: a fork, a session of its own, and the reason told when it cannot be started."""

from __future__ import annotations

import contextlib
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

CANNOT_START = 127
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_REASON_BYTES = 4096
# Python ignores these; a program expects them as the system made them.
_IGNORED_HERE = (signal.SIGPIPE, signal.SIGXFSZ)


class CannotStart(Exception):
    """A program could not be started; the message says why."""


def start(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str,
    output: int,
    prepare: Callable[[], None] | None = None,
) -> int:
    """Start ``argv`` in a session of its own; its input is empty.

    Args:
        argv: the program, looked up on the ``PATH`` of ``env``, and its arguments.
        env: its whole environment.
        cwd: where it starts.
        output: descriptor that takes what it prints, both streams; the caller closes its own copy.
        prepare: called in the child first of all; when it raises, the program does not run.

    Raises:
        CannotStart: no such program or directory, not executable, no process free.
    """
    told, tell = os.pipe()
    try:
        pid = os.fork()
    except OSError as error:
        os.close(told)
        os.close(tell)
        raise CannotStart(f"no further process: {error.strerror}") from error
    if pid == 0:
        _become(argv, env, cwd, (output, tell), prepare)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        reason = pipe.read(_REASON_BYTES).decode(errors="replace")
    if reason:
        os.waitpid(pid, 0)
        raise CannotStart(reason)
    return pid


def _become(
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: str,
    pipes: tuple[int, int],
    prepare: Callable[[], None] | None,
) -> NoReturn:
    """In the child: turn into the program, or tell why not. Nothing may come back from here."""
    output, tell = pipes
    try:
        if prepare is not None:
            prepare()
        os.setsid()
        for number in _IGNORED_HERE:
            signal.signal(number, signal.SIG_DFL)
        os.umask(0o022)
        _redirect(output)
        os.chdir(cwd)
        os.execvpe(argv[0], list(argv), dict(env))  # noqa: S606 - no shell is the point
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent is told
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        with contextlib.suppress(OSError):
            os.write(tell, f"{argv[0]} in {cwd}: {text}".encode()[:_REASON_BYTES])
    os._exit(CANNOT_START)


def _redirect(output: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
