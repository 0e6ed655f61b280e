"""``dsmtc``: one command line, from its words to its exit code. Verbs are loaded when they are used.

Ctrl-C while it is being loaded ends it without a word, as nothing was asked yet; so little is loaded here.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dsmtc.commandline import Line

_INTERRUPTED = 130


def run() -> int:
    """The program; returns the exit code."""
    # Who ignores Ctrl-C, as what runs in the background does, has that inherited.
    ends = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ends:
        signal.signal(signal.SIGINT, lambda *_: os._exit(_INTERRUPTED))
    _standard_streams()
    from dsmtc import commandline, failures  # noqa: F401, PLC0415 - before Ctrl-C means more

    if ends:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    code = main(sys.argv[1:], os.environ)
    if ends:
        # All is said and done.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code


def _standard_streams() -> None:
    """All three are there, and a letter that a terminal cannot show is a number there, not a failure."""
    import io  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Carry out one command line; never raises but for the end of the interpreter."""
    from dsmtc.commandline import lift  # noqa: PLC0415
    from dsmtc.failures import report  # noqa: PLC0415

    verbose = 0
    if list(arguments[:1]) == ["__complete"]:
        from dsmtc.completion import complete  # noqa: PLC0415 - each line loads what it needs

        return complete(arguments[1:], environment)
    try:
        line = lift(arguments)
        verbose = line.common.verbose
        code = _carry_out(line, environment)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place where a command ends
        return _failed(arguments, report(error, verbose=verbose))
    return code


def _failed(arguments: Sequence[str], code: int) -> int:
    """The exit code of a line that failed: with ``--dry-run``, 1 says that there is something to do."""
    from dsmtc.failures import DRY_RUN, DRY_RUN_FAILED, INTERRUPTED  # noqa: PLC0415

    return DRY_RUN_FAILED if DRY_RUN in arguments and code < INTERRUPTED else code


def _carry_out(line: Line, environment: Mapping[str, str]) -> int:
    words = list(line.rest)
    if words[:1] == ["--version"]:
        return _version()
    if line.common.shell and (not words or (words[0].startswith("-") and words[0] not in {"--help", "-h"})):
        # dsmtc --cli --keep-going
        words = ["shell", *words]
    if not words or (words[0] in {"--help", "-h", "help"} and len(words) == 1):
        from dsmtc.verbs import overview  # noqa: PLC0415 - each line loads what it needs

        print(overview())  # noqa: T201
        return 0 if words else 2
    if words[0] == "help":
        words = [*words[1:], "--help"]
    return _verb(line, words, environment)


def _verb(line: Line, words: list[str], environment: Mapping[str, str]) -> int:
    from dsmtc.verbs import module_of  # noqa: PLC0415

    module_of(words[0])
    from dsmtc.dispatch import carry_out  # noqa: PLC0415
    from dsmtc.session import Session  # noqa: PLC0415

    session = Session(line.common, environment, tuple(words), {})
    try:
        return carry_out(session)
    finally:
        for client in session.clients.values():
            client.close()


def _version() -> int:
    from importlib.metadata import version  # noqa: PLC0415

    print(f"dsmtc {version('dsmt')}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(run())
