"""What may come next on a line, from the words before it: verbs, options, or names of which kind. Pure.

The verbs themselves are not loaded: their grammar is data, which ``python -m tests.grammar`` writes.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dsmtc.commandline import FLAGS, FORMS, VALUES
from dsmtc.verbs import SECTIONS

PATH: Final = Path(__file__).with_name("grammar.json")
FILES: Final = "files"
# Of which kind the value of an option is, or what stands in a place; by its name, if not by its verb.
_OPTIONS: Final = {
    "--slice": ("slices",),
    "--plan": ("plans", "functions"),
    "--base": ("plans", "functions"),
    "--node": ("nodes",),
    "--host": ("nodes",),
    "--application": ("applications",),
    "-a": ("applications",),
    "--authority": (FILES,),
    "--password-file": (FILES,),
    "--new-password-file": (FILES,),
    "--account-file": (FILES,),
    "--key": (FILES,),
    "--file": (FILES,),
    "--output": (FILES,),
    "--against": (FILES,),
    "--archive": (FILES,),
    "--site": ("sites",),
    "--account": ("accounts",),
    "--sign": (FILES,),
    "--signature": (FILES,),
    "--csv": (FILES,),
    "--xml": (FILES,),
}
_PLACES: Final = {
    "planned": ("plans", "functions"),
    "plan_name": ("plans",),
    "host": ("nodes",),
    "hosts": ("nodes",),
    "at": ("nodes", "plans"),
    "application": ("applications",),
    "slice_": ("slices",),
    "filename": ("packages",),
    "filenames": ("packages",),
    "files": (FILES,),
    "file": (FILES,),
    "source": (FILES,),
    "site": ("sites",),
    "account": ("accounts",),
}
_WORDS: Final = {
    "-o": FORMS,
    "--role": ("user", "pi", "tech", "admin"),
    "--state": ("running", "failed", "terminated", "requested", "instantiated", "initialized", "installed"),
    "--rollout": ("done",),
    "--network": ("host", "none", "own"),
    "--restart": ("always", "on-failure", "never"),
    "--every": ("day", "week"),
    "--clear": ("nodes", "slivers", "memory", "depot-bytes", "events-per-second"),
}


@dataclass(frozen=True, slots=True)
class Next:
    """What may come next.

    Attributes:
        words: themselves, each with what it is for (or nothing).
        kinds: names of these kinds, as the planner knows them; ``files``: of the file system.
    """

    words: tuple[tuple[str, str], ...] = ()
    kinds: tuple[str, ...] = ()


@functools.cache
def grammar() -> dict[str, Any]:
    """Each verb, and each verb of a verb, with its options and places."""
    read: dict[str, Any] = json.loads(PATH.read_text())
    return read


def after(words: Sequence[str], begun: str = "", *, own: Sequence[str] = ()) -> Next:
    """What may follow ``words``.

    Args:
        words: whole words before the cursor, without the program's name.
        begun: what is typed of the next one: options are offered to who begins one.
        own: verbs that are there besides, in the shell.
    """
    if "--" in words:
        return Next(kinds=(FILES,))
    known = grammar()
    verb, options, given = _parsed(words)
    if words and words[-1] in _valued(options):
        return _value(words[-1])
    if not verb:
        verbs = [(name, text) for section in SECTIONS.values() for name, text in section.items()]
        return Next((*verbs, *((name, "") for name in own)) if not begun.startswith("-") else _common())
    if verb[0] in {"help", *own} and verb[0] not in known:
        every = tuple((name, "") for section in SECTIONS.values() for name in section)
        return {"use": Next(kinds=("slices",)), "help": Next(every)}.get(verb[0], Next())
    rule = known.get(" ".join(verb), {})
    if begun.startswith("-"):
        return Next((*((one, "") for one in rule.get("options", {}) if one not in words), *_common()))
    below = [(one, known[f"{' '.join(verb)} {one}"]["help"]) for one in rule.get("verbs", ())]
    return Next(tuple(below) if not given else (), _place(rule, given))


def verb_of(words: Sequence[str]) -> str:
    """The verb of a line, with the verbs of it, such as ``plan set``."""
    return " ".join(_parsed(words)[0])


def _parsed(words: Sequence[str]) -> tuple[list[str], dict[str, str], int]:
    """The verb (of one or more words), its options, and how many places are taken."""
    known = grammar()
    verb: list[str] = []
    options: dict[str, str] = {}
    given, skip = 0, False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-") and len(word) > 1:
            skip = word in _valued(options)
        elif not verb or (not given and " ".join([*verb, word]) in known):
            verb.append(word)
            options = known.get(" ".join(verb), {}).get("options", {})
        else:
            given += 1
    return verb, options, given


def _valued(options: dict[str, str]) -> set[str]:
    common = {f"--{name}" if len(name) > 1 else f"-{name}" for name in VALUES}
    return common | {name for name, metavar in options.items() if metavar}


def _value(option: str) -> Next:
    return Next(tuple((word, "") for word in _WORDS.get(option, ())), _OPTIONS.get(option, ()))


def _place(rule: dict[str, Any], given: int) -> tuple[str, ...]:
    places = rule.get("places", [])
    if given >= len(places) and not (places and places[-1][1] == "many"):
        return ()
    return _PLACES.get(places[min(given, len(places) - 1)][0], ())


def _common() -> tuple[tuple[str, str], ...]:
    long = [f"--{name}" for name in (*VALUES, *FLAGS, "json", "jsonl") if len(name) > 1]
    return tuple((name, "") for name in ("-o", *long, "--dry-run", "--help"))
