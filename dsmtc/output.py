"""Where a command writes: the answer on stdout, the story on stderr.

With ``--json`` the answer is the planner's, as JSON in ASCII, so that nothing in it can reach a terminal.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dsmtc.rendering.table import Piece, View, lines
from dsmtc.rendering.text import clean


@dataclass(frozen=True, slots=True)
class Output:
    """How one command answers."""

    json: bool = False
    verbose: int = 0

    def answer(self, value: object, view: Callable[[], View]) -> None:
        """Print ``value`` as JSON, or else what ``view`` makes of it."""
        if self.json:
            print(json.dumps(value, indent=2))  # noqa: T201 - stdout is where answers go
        else:
            self.show(view())

    def record(self, value: object, view: Callable[[], View]) -> None:
        """The same for one of many, as one line, at once."""
        if self.json:
            print(json.dumps(value), flush=True)  # noqa: T201
        else:
            print("\n".join(lines(view())), flush=True)  # noqa: T201

    def line(self, value: object, pieces: Sequence[Piece]) -> None:
        """The same for one that is shown as a line of pieces; coloured on a terminal."""
        if self.json:
            print(json.dumps(value), flush=True)  # noqa: T201
        elif terminal():
            from dsmtc.rendering.terminal import coloured, console  # noqa: PLC0415 - 60 ms

            console().print(coloured(pieces), soft_wrap=True)
        else:
            self.text(clean(" ".join(piece.text for piece in pieces)))

    def text(self, line: str) -> None:
        """Print a line that is harmless already, at once."""
        print(line, flush=True)  # noqa: T201

    def show(self, view: View) -> None:
        """Print a view: as a terminal can show it, else as plain lines."""
        if terminal():
            from dsmtc.rendering.terminal import console, drawn  # noqa: PLC0415 - 60 ms

            console().print(drawn(view))
            return
        for line in lines(view):
            print(line)  # noqa: T201

    def story(self, line: str) -> None:
        """Tell what is going on."""
        say(line)

    def trace(self, line: str) -> None:
        """Tell it only with ``-v``."""
        if self.verbose:
            say(line)


def terminal() -> bool:
    """Whether answers go to a terminal."""
    return sys.stdout.isatty()


def say(line: str) -> None:
    """One harmless line on stderr; a stderr that is gone is no reason to fail."""
    with contextlib.suppress(OSError, ValueError):
        print(clean(line), file=sys.stderr, flush=True)  # noqa: T201
