"""What a shell of the system asks at a Tab: ``dsmtc __complete SHELL -- WORD… BEGUN``; an answer a line.

It is quick (no verb is loaded), it asks nobody anything, and it ends within about a second whatever the
planner does: who waits for a Tab thinks that the terminal hangs.
"""

from __future__ import annotations

import contextlib
import glob
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from dsmt_core.errors import DsmtError
from dsmtc.commandline import lift
from dsmtc.grammar import FILES, Next, after
from dsmtc.rendering.text import clean

ASKED: Final = "__complete"
WITHIN_S: Final = 1.0
SHELLS: Final = ("bash", "zsh", "fish")
_FILES_MOST: Final = 200


class _Late(Exception):
    """The time is over."""


def complete(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Print what may stand at the end of a line, and end with exit code 0.

    Args:
        words: the shell, ``--``, whole words without the program's name, and what is typed of the next.
        environment: of the process.
    """
    shell, _, *line = words if len(words) > 1 else ("bash", "--")
    *before, begun = _joined(line) or [""]
    with contextlib.suppress(_Late, DsmtError):
        for word, told in _found(before, begun, environment):
            print(f"{word}\t{told}" if told and shell != "bash" else word)  # noqa: T201
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    return 0


def _joined(words: Sequence[str]) -> list[str]:
    """``--plan = x``, as bash breaks ``--plan=x``, is an option and its value."""
    joined: list[str] = []
    for word in words:
        option, equals, value = word.partition("=")
        if word == "=" and joined and joined[-1].startswith("-"):
            joined.append("")
        elif joined and joined[-1] == "" and len(joined) > 1 and joined[-2].startswith("-"):
            joined[-1] = word
        elif equals and option.startswith("-"):
            joined += [option, value]
        else:
            joined.append(word)
    return joined


def _found(before: list[str], begun: str, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    following = after(before, begun)
    for word, told in following.words:
        if word.startswith(begun):
            yield word, told
    if not following.words or not begun.startswith("-"):
        yield from ((name, "") for name in named(following, before, begun, environment))


def named(following: Next, before: list[str], begun: str, environment: Mapping[str, str]) -> Iterator[str]:
    """The names of the kinds that may follow."""
    kinds = [kind for kind in following.kinds if kind != FILES]
    if kinds:
        with _at_most(WITHIN_S):
            yield from _live(kinds, before, begun, environment)
    if FILES in following.kinds:
        found = glob.iglob(f"{glob.escape(begun)}*")  # noqa: PTH207 - as it was typed, not as a path is written
        for _, path in zip(range(_FILES_MOST), found, strict=False):
            yield clean(f"{path}/" if Path(path).is_dir() else path)


def _live(
    kinds: Sequence[str], before: list[str], begun: str, environment: Mapping[str, str]
) -> Iterator[str]:
    from dsmtc.live_names import LiveNames  # noqa: PLC0415 - only who needs a name pays for a client
    from dsmtc.session import Session  # noqa: PLC0415

    # An option whose value is being typed is none yet.
    whole = before[:-1] if before[-1:] and before[-1].startswith("-") else before
    session = Session(lift(whole).common, environment, ("complete",), {}, asks=False)
    names = LiveNames(session)
    try:
        # A function is a plan, too.
        known = dict.fromkeys(clean(each) for kind in kinds for each in names.of(kind))
        yield from (name for name in known if name.startswith(begun))
    finally:
        for client in session.clients.values():
            client.close()


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """End what takes longer, wherever it is."""

    def late(*_: object) -> None:
        raise _Late

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
