"""The shell's prompt at a terminal: editing, history, completion of verbs and options."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from dsmtc.grammar import after
from dsmtc.rendering.text import clean

OWN: Final = ("help", "use", "exit", "quit")
_SECRETS: Final = ("password",)


class Dialogue:
    """Asks for lines until there are no more.

    Args:
        history: where they are kept.
        known: the names of a kind that the planner knows.
    """

    def __init__(self, history: Path, known: Callable[[str], list[str]]) -> None:
        self._session: PromptSession[str] = PromptSession(
            history=_history(history),
            completer=Words(known),
            complete_while_typing=False,
            # A planner that is away must not hold up who types.
            complete_in_thread=True,
        )

    def ask(self, prompt: str, *, open_: Callable[[str], bool] = lambda _: False) -> str | None:
        """The next line; None at the end (Ctrl-D). Ctrl-C drops what was typed and asks again.

        Args:
            prompt: what stands before it.
            open_: whether a text goes on in the next line.
        """
        while True:
            try:
                text = self._session.prompt(_shown(prompt))
                while open_(text):
                    more = self._session.prompt(_shown("... "))
                    text = f"{text[:-1]}{more}" if text.endswith("\\") else f"{text}\n{more}"
            except KeyboardInterrupt:
                continue
            except EOFError:
                return None
            return text


def _shown(prompt: str) -> FormattedText:
    return FormattedText([("", clean(prompt))])


class Words(Completer):
    """Completes verbs, the verbs of verbs, options, and names that the planner knows."""

    def __init__(self, known: Callable[[str], list[str]]) -> None:
        self._known = known

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What may stand where the cursor is."""
        del complete_event
        before = document.text_before_cursor.split()
        word = document.get_word_before_cursor(WORD=True)
        following = after(before[:-1] if word else before, word, own=OWN)
        named = [(clean(name), "") for kind in following.kinds for name in self._known(kind)]
        for candidate, told in [*named, *following.words]:
            if candidate.startswith(word):
                yield Completion(candidate, start_position=-len(word), display_meta=told)


class _Discreet(FileHistory):
    """A history that forgets lines with a password in them."""

    def store_string(self, string: str) -> None:
        if not any(secret in string for secret in _SECRETS):
            super().store_string(string)


def _history(path: Path) -> History:
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        return _Discreet(str(path))
    return InMemoryHistory()
