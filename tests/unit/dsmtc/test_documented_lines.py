"""Every line of ``dsmtc`` that the documents show is one that the command line understands."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from dsmt_core.errors import DsmtError
from dsmtc.commandline import lift
from dsmtc.verbs import module_of

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN = re.compile(r"^(?:    |\$ )(?:[$>] )?dsmtc (?:\S+@\S+ \[\w+\] \w+> )?(?P<words>[a-z-].*?)(?:  .*)?$")
# Where the words of another program begin.
ENDS = {"|", ";", "&&", "||", ">", "<", "(", ")", ";;", "&"}


def lines() -> list[tuple[str, str]]:
    """Page and words of each line; what goes on in the next line is put together."""
    found = []
    for page in PAGES:
        if "adr" in page.parts:
            continue
        text = page.read_text().replace("\\\n", " ")
        for line in text.splitlines():
            match = SHOWN.match(line)
            if match:
                found.append((str(page.relative_to(ROOT)), match["words"]))
    return found


def split(text: str) -> list[str]:
    """Words as a shell takes them, until another program comes."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if word in ENDS:
            break
        words.append(word)
    return words


def read(words: list[str]) -> None:
    """Have the command line read it; raise what it says of it.

    Values are left alone: files of an example are not here.
    """
    line = lift(words)
    if line.common.shell:
        return
    verb, *rest = line.rest
    module = importlib.import_module(module_of(verb))
    command: Any = get_command(module.app)
    if len(module.app.registered_commands) > 1 and verb in getattr(command, "commands", {}):
        command = command.commands[verb]
    while getattr(command, "commands", None) and rest and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    known |= set(getattr(command, "commands", {}))
    takes_all = command.context_settings.get("ignore_unknown_options")
    for word in rest:
        if word == "--":
            break
        name = word.partition("=")[0]
        if re.fullmatch(r"--[a-z-]+", name) and not takes_all:
            assert name in known | {"--help", "--dry-run"}, f"{name} is none of {sorted(known)}"
    if getattr(command, "commands", None):
        assert not rest or rest[0].startswith("-"), f"there is no {verb} {rest[0]}"


def test_there_are_many() -> None:
    assert len(lines()) > 100


@pytest.mark.parametrize("page", sorted({page for page, _ in lines()}))
def test_the_lines_of_a_page_are_understood(page: str) -> None:
    wrong = []
    for words in [words for name, words in lines() if name == page]:
        try:
            read(split(words))
        except (AssertionError, DsmtError, ValueError) as error:
            wrong.append(f"dsmtc {words}: {error}")
    assert not wrong, "\n".join(wrong)


def test_what_is_not_there_would_be_found() -> None:
    for words in (["setplan", "--nothing"], ["plan", "sett"], ["nowhere"]):
        with pytest.raises((AssertionError, DsmtError)):
            read(words)
