"""Where a command writes: the answer on stdout, the story on stderr.

As JSON the answer is the planner's, in ASCII, so that nothing in it can reach a terminal.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dsmtc.rendering.table import Piece, View, lines, names
from dsmtc.rendering.text import clean


@dataclass(frozen=True, slots=True)
class Output:
    """How one command answers; here alone is decided what each form of an answer is.

    Attributes:
        form: empty for people; ``wide`` the same with all columns; ``names`` the first column of what is
            listed, each once; ``json`` what the planner said, ``jsonl`` the same with one record a line.
        verbose: tells each request.
        quiet: nothing is told while this is so.
    """

    form: str = ""
    verbose: int = 0
    quiet: Callable[[], bool] = lambda: False

    @property
    def json(self) -> bool:
        """Whether a program reads it."""
        return self.form in {"json", "jsonl"}

    @property
    def drawn(self) -> bool:
        """Whether a person looks at it as it changes."""
        return terminal() and self.form in {"", "wide"}

    def answer(self, value: object, view: Callable[[], View]) -> None:
        """Print ``value`` as JSON, or else what ``view`` makes of it."""
        if self.quiet():
            return
        if self.form == "jsonl":
            for each in value if isinstance(value, list) else [value]:
                print(json.dumps(each))  # noqa: T201 - stdout is where answers go
        elif self.json:
            print(json.dumps(value, indent=2))  # noqa: T201
        else:
            self.show(view())

    def record(self, value: object, view: Callable[[], View]) -> None:
        """The same for one of many, as one line, at once."""
        if self.quiet():
            return
        if self.json:
            print(json.dumps(value), flush=True)  # noqa: T201
        else:
            print("\n".join(lines(view(), wide=self.form == "wide")), flush=True)  # noqa: T201

    def line(self, value: object, pieces: Sequence[Piece]) -> None:
        """The same for one that is shown as a line of pieces; coloured on a terminal."""
        if self.quiet():
            return
        if self.json:
            print(json.dumps(value), flush=True)  # noqa: T201
        elif terminal():
            from dsmtc.rendering.terminal import coloured, console  # noqa: PLC0415 - 60 ms

            console().print(coloured(pieces), soft_wrap=True)
        else:
            self.text(clean(" ".join(piece.text for piece in pieces)))

    def text(self, line: str) -> None:
        """Print a line that is harmless already, at once."""
        if self.quiet():
            return
        print(line, flush=True)  # noqa: T201

    def show(self, view: View) -> None:
        """Print a view: as a terminal can show it, else as plain lines."""
        if self.quiet():
            return
        if self.form == "names":
            shown = names(view)
        elif terminal():
            from dsmtc.rendering.terminal import console, drawn  # noqa: PLC0415 - 60 ms

            console().print(drawn(view, wide=self.form == "wide"))
            return
        else:
            shown = lines(view, wide=self.form == "wide")
        for line in shown:
            print(line)  # noqa: T201

    def story(self, line: str) -> None:
        """Tell what is going on."""
        if self.quiet():
            return
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
