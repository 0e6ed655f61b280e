"""The shell: the same commands without the slice, from a terminal, a pipe or a file.

It keeps one connection and one token. At a terminal an error is told and the next command awaited; from
a pipe or file the first error ends it with that error's exit code, unless told to keep going.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Final

from dsmt_core.errors import Invalid
from dsmtc.account import Identity
from dsmtc.client import Client
from dsmtc.commandline import Common, Misused, lift, over
from dsmtc.dispatch import carry_out
from dsmtc.failures import DRY_RUN, INTERRUPTED, report
from dsmtc.live_names import LiveNames
from dsmtc.output import say
from dsmtc.rendering.text import cut
from dsmtc.session import Session

HELP: Final = """\
Commands are those of dsmtc, without the slice: status, plan set --plan only10 --base limit count=10, …
  help [VERB]     this, or help on a verb     use SLICE   work with another slice
  !COMMAND        run a command of the system  exit, quit  leave (also Ctrl-D)
A line goes on in the next behind a backslash, or while a quote is open; # begins a comment.
Verbs: """
_LINES_MOST: Final = 1_000
_SHOWN: Final = 80
_ENDS: Final = frozenset({"exit", "quit"})


class _Leave(Exception):
    """The shell should end."""


class Shell:
    """One shell, made from the session that opened it."""

    def __init__(self, session: Session) -> None:
        if session.clients:
            raise Misused("this is a shell already")
        self.session = session
        self._asking: dict[tuple[str, Identity], Client] = {}
        self.slice = session.common.slice or session.environment.get("DSMT_SLICE", "")

    def run(self, file: str, *, keep_going: bool) -> int:
        """Carry out commands until they end; return the exit code."""
        if file or not sys.stdin.isatty():
            return self._script(file, keep_going=keep_going)
        return self._dialogue()

    def prompt(self) -> str:
        """``dsmtc ACCOUNT [ROLE] SLICE> ``, as the guide shows it."""
        token = self.session.client.whoami()
        place = f" {self.slice}" if self.slice else ""
        return f"dsmtc {token['account']} [{token['role']}]{place}> "

    def known(self, kind: str) -> list[str]:
        """Names for completion, by a connection of its own: a Tab is served by another thread."""
        common = replace(self.session.common, slice=self.slice)
        session = Session(common, self.session.environment, ("complete",), self._asking, asks=False)
        return LiveNames(session).of(kind)

    def carry_out(self, text: str) -> int:
        """Carry out one line of the shell.

        Raises:
            DsmtError: it failed.
        """
        line = text.strip()
        if not line or line.startswith("#"):
            return 0
        if line.startswith("!"):
            # A person's own command at their own prompt, with their own rights.
            return subprocess.run(line[1:], shell=True, check=False).returncode  # noqa: S602
        lifted = lift(_split(line))
        outer = replace(self.session.common, slice=self.slice)
        common = over(outer, lifted.common, verb=next(iter(lifted.rest), ""))
        return self._words(list(lifted.rest), common)

    def _words(self, words: list[str], common: Common) -> int:
        if not words or words == ["help"]:
            self._help()
            return 0
        if words[0] in _ENDS:
            raise _Leave
        if words[0] == "use":
            self._use(words[1:])
            return 0
        if words[0] == "help":
            words = [*words[1:], "--help"]
        session = Session(common, self.session.environment, tuple(words), self.session.clients)
        code = carry_out(session)
        # That a dry run has something to tell is no failure: what follows it goes on.
        return 0 if DRY_RUN in words else code

    def _use(self, words: list[str]) -> None:
        if len(words) != 1:
            raise Misused("use takes one slice", hint="use my_slice")
        self.slice = self.session.client.slice(words[0])["slice"]

    def _help(self) -> None:
        from dsmtc.verbs import names as verbs  # noqa: PLC0415 - only when asked

        print(HELP + ", ".join(verbs()))  # noqa: T201

    # -- from a pipe or a file -----------------------------------------------------------------------

    def _script(self, file: str, *, keep_going: bool) -> int:
        first_failure = 0
        for number, text in whole(_lines(file)):
            code = self._guarded(partial(self.carry_out, text))
            if code is None:
                break
            if code:
                ends = "going on" if keep_going else "nothing behind it was carried out (--keep-going)"
                where = f"{file}, line {number}" if file not in {"", "-"} else f"line {number}"
                say(f"  at {where}: {cut(text, _SHOWN)}; {ends}")
            if code and not keep_going:
                return code
            first_failure = first_failure or code
        return first_failure

    def _guarded(self, act: Callable[[], int]) -> int | None:
        """The exit code of ``act``, its failure told; None when the shell should end."""
        try:
            code = act()
            sys.stdout.flush()
        except _Leave:
            return None
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - one command ends here, not the shell
            return report(error, verbose=self.session.common.verbose)
        return code

    # -- at a terminal -------------------------------------------------------------------------------

    def _dialogue(self) -> int:
        from dsmtc.dialogue import Dialogue  # noqa: PLC0415 - prompt_toolkit takes 150 ms

        dialogue = Dialogue(self.session.home.history, self.known)
        prompt = self.prompt()
        while True:
            text = dialogue.ask(prompt, open_=is_open)
            if text is None or self._typed(text) is None:
                return 0
            prompt = self.prompt() if self.session.common.verbose else self._again(prompt)

    def _typed(self, text: str) -> int | None:
        try:
            return self._guarded(partial(self.carry_out, text))
        except KeyboardInterrupt:
            say("")
            return INTERRUPTED

    def _again(self, prompt: str) -> str:
        """The prompt with the present slice; who it is does not change within a shell."""
        who = prompt.partition("]")[0]
        return f"{who}] {self.slice}> " if self.slice else f"{who}]> "


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError as error:
        raise Misused(f"the line cannot be read: {str(error).lower()}") from error


def is_open(text: str) -> bool:
    """Whether a line goes on in the next: a quote is open, or a backslash stands at its end."""
    if text.lstrip().startswith(("#", "!")):
        return text.endswith("\\") and text.lstrip().startswith("!")
    try:
        shlex.split(text.removesuffix("\\"), comments=True)
    except ValueError:
        return True
    return text.endswith("\\")


def joined(first: str, more: str) -> str:
    """A line with what follows it; between quotes the line break is kept, a backslash at the end is not."""
    return f"{first[:-1]}{more}" if first.endswith("\\") else f"{first}\n{more}"


def whole(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with those in which they go on, each with its number, counted from 1.

    One that is still open at the end is told as it is.
    """
    begun: str | None = None
    at = 0
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\n")
        at = number if begun is None else at
        begun = text if begun is None else joined(begun, text)
        if not is_open(begun) or begun.count("\n") > _LINES_MOST:
            yield at, begun
            begun = None
    if begun is not None:
        yield at, begun


def _lines(file: str) -> Iterator[str]:
    if not file or file == "-":
        yield from sys.stdin
        return
    yield from _read(Path(file))


def _read(path: Path) -> Iterator[str]:
    try:
        opened: IO[str] = path.open()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error
    with opened:
        yield from opened
