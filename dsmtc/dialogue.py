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

from dsmtc.rendering.text import clean
from dsmtc.verbs import names

SUBVERBS: Final = {
    "plan": ("set", "list", "show", "delete", "eval", "explain", "functions"),
    "depot": ("put", "list", "get", "remove", "prune", "quota"),
    "secret": ("put", "list", "remove"),
    "nodes": (
        "list",
        "show",
        "failed",
        "evidence",
        "label",
        "exclude",
        "include",
        "cordon",
        "uncordon",
        "drain",
        "window",
        "distrust",
        "trust",
        "invite",
        "forget",
    ),
    "account": ("add", "passwd", "roles", "show", "list", "remove", "keys", "token"),
    "slice": ("show", "set", "members"),
    "plc": (
        "create",
        "adduser",
        "deluser",
        "addnode",
        "delnode",
        "addsite",
        "quota",
        "delsite",
        "sites",
        "people",
    ),
    "audit": ("verify", "export", "prune"),
    "rollout": ("start", "status", "pause", "resume", "promote", "abort", "history"),
}
OPTIONS: Final = {
    "setplan": ("--plan",),
    "setagent": ("--agent",),
    "plan": ("--plan", "--base", "--node"),
    "create": ("--slice", "--user", "--agent", "--plan", "--member"),
    "status": ("--watch", "--until-running", "--timeout", "--json"),
    "events": ("--follow", "--channel", "--state", "--field", "--count", "--timeout", "--json"),
    "services": ("--check", "--json"),
    "channels": ("--below", "--json"),
    "publish": ("--channel", "--field", "--value", "--service", "--xml"),
    "update": ("--host", "--version"),
    "rollout": ("--version", "--waves", "--min-healthy", "--errors", "--deadline", "--dry-run", "--follow"),
    "wait": ("--state", "--count", "--application", "--version", "--rollout", "--timeout"),
}
_OWN: Final = ("help", "use", "exit", "quit")
_SECRETS: Final = ("password",)


# What may stand after an option or a verb, as the planner knows it.
KINDS: Final = {
    "--plan": "plans",
    "--base": "plans",
    "--host": "nodes",
    "--slice": "slices",
    "use": "slices",
    "nodes show": "nodes",
    "nodes forget": "nodes",
    "nodes exclude": "nodes",
    "nodes include": "nodes",
    "nodes cordon": "nodes",
    "nodes uncordon": "nodes",
    "nodes drain": "nodes",
    "nodes window": "nodes",
    "nodes distrust": "nodes",
    "nodes trust": "nodes",
    "depot get": "packages",
    "depot remove": "packages",
    "start": "applications",
    "stop": "applications",
    "restart": "applications",
    "update": "applications",
    "uninstall": "applications",
}


class Dialogue:
    """Asks for lines until there are no more.

    Args:
        history: where they are kept.
        known: the names of one of `KINDS` that the planner knows.
    """

    def __init__(self, history: Path, known: Callable[[str], list[str]]) -> None:
        self._session: PromptSession[str] = PromptSession(
            history=_history(history), completer=Words(known), complete_while_typing=False
        )

    def ask(self, prompt: str) -> str | None:
        """The next line; None at the end (Ctrl-D). Ctrl-C drops what was typed and asks again."""
        while True:
            try:
                return self._session.prompt(FormattedText([("", clean(prompt))]))
            except KeyboardInterrupt:
                continue
            except EOFError:
                return None


class Words(Completer):
    """Completes verbs, the verbs of verbs, options, and names that the planner knows."""

    def __init__(self, known: Callable[[str], list[str]]) -> None:
        self._known = known

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What may stand where the cursor is."""
        del complete_event
        before = document.text_before_cursor.split()
        word = document.get_word_before_cursor(WORD=True)
        earlier = before[:-1] if word else before
        kind = kind_of(earlier)
        named = [clean(name) for name in self._known(kind)] if kind else []
        for candidate in [*named, *candidates(earlier)]:
            if candidate.startswith(word):
                yield Completion(candidate, start_position=-len(word))


def candidates(earlier: list[str]) -> list[str]:
    """What may come after the words typed so far."""
    if not earlier:
        return [*names(), *_OWN]
    if earlier[0] == "help":
        return names()
    verb, rest = earlier[0], earlier[1:]
    if not rest and verb in SUBVERBS:
        return [*SUBVERBS[verb], *OPTIONS.get(verb, ())]
    return [option for option in OPTIONS.get(verb, ()) if option not in rest]


def kind_of(earlier: list[str]) -> str:
    """Of which kind a name would be after the words typed so far; empty for none."""
    if not earlier:
        return ""
    if earlier[-1].startswith("--"):
        return KINDS.get(earlier[-1], "")
    return KINDS.get(" ".join(earlier[:2]), "")


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
