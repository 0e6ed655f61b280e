"""How far something is: one line on stderr, overwritten on a terminal, elsewhere one line a change."""

from __future__ import annotations

import shutil
import sys
from types import TracebackType
from typing import Final, Self

from dsmtc.output import say
from dsmtc.rendering.text import clean, cut, size

WORTH_IT: Final = 1 << 20
_WIDTH: Final = 30
_STEP: Final = 25


class Progress:
    """Progress of one file; nothing is drawn for one below 1 MiB."""

    def __init__(self, name: str) -> None:
        self._name = clean(cut(name, 40))
        self._percent = -1
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def reached(self, sent: int, whole: int) -> None:
        """``sent`` of ``whole`` bytes are done."""
        percent = sent * 100 // max(whole, 1)
        if whole < WORTH_IT or percent == self._percent:
            return
        if not sys.stderr.isatty():
            self._told(percent, whole)
            return
        self._percent, self._drawn = percent, True
        bar = ("#" * (percent * _WIDTH // 100)).ljust(_WIDTH, ".")
        line = f"{self._name} [{bar}] {percent:3d} % of {size(whole)}"
        sys.stderr.write(f"\r{cut(line, _columns())}")
        sys.stderr.flush()

    def _told(self, percent: int, whole: int) -> None:
        """So many lines are enough for a log."""
        if percent // _STEP > self._percent // _STEP:
            say(f"{self._name}: {percent} % of {size(whole)}")
        self._percent = percent


class Ticker:
    """Tells how something stands: overwritten on a terminal, elsewhere one line a change."""

    def __init__(self) -> None:
        self._told = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._told and sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def tell(self, line: str) -> None:
        """It stands like this now; the same twice is told once."""
        if line == self._told:
            return
        self._told = line
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{cut(clean(line), _columns())}")
            sys.stderr.flush()
        else:
            say(line)


def _columns() -> int:
    """Of the terminal; a longer line would be broken, and only its end be overwritten."""
    return max(shutil.get_terminal_size().columns - 1, 20)
