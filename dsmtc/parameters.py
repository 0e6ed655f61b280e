"""Parameters on a command line: ``name=value``, and ``name=@file`` for what is too long to be typed.

The file is read here, where the person is; the planner is sent its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dsmt_core.errors import Full, Invalid
from dsmtc.commandline import Misused, parameters

FILE_BYTES: Final = 65_536
"""What the planner takes of one parameter."""


def plan_and_parameters(plan: str, words: Sequence[str] | None) -> tuple[str, dict[str, str]]:
    """The plan, by ``--plan`` or as the first word, and its parameters.

    Raises:
        Misused: no plan is named.
        Invalid, Full: of `read_parameters`.
    """
    given = list(words or ())
    if not plan and given and "=" not in given[0]:
        plan = given.pop(0)
    if not plan:
        raise Misused(
            "no plan is named", hint="such as only10, or --plan only10; dsmtc plan list lists them"
        )
    return plan, read_parameters(given)


def read_parameters(words: Sequence[str] | None) -> dict[str, str]:
    """The parameters that these words give, files read; ``@@`` begins a value with ``@``.

    Raises:
        Invalid: a word is not ``name=value``, a name is there twice, or a file cannot be read as text.
        Full: a file is longer than `FILE_BYTES`.
    """
    return {name: _value(name, value) for name, value in parameters(words or ()).items()}


def named_as(word: str, option: str, what: str, such: str) -> str:
    """A name that may be given as a word or as an option.

    Args:
        word: as it was given; empty when it was not.
        option: the same, as an option.
        what: it is, with its article.
        such: how it is given as an option.

    Raises:
        Misused: it was not given, or twice and differently.
    """
    if word and option and word != option:
        raise Misused(f"{what} is given twice: {word[:80]} and {option[:80]}")
    if not (word or option):
        raise Misused(f"{what} has to be named", hint=f"as the first word, or {such}")
    return word or option


def _value(name: str, value: str) -> str:
    if not value.startswith("@"):
        return value
    return value[1:] if value.startswith("@@") else _text(name, Path(value[1:]).expanduser())


def _text(name: str, path: Path) -> str:
    if not path.name:
        raise Invalid(f"{name}=@ names no file", hint=f"such as {name}=@query.xml")
    try:
        if path.exists() and not path.is_file():
            raise Invalid(f"{path} is not a file", hint=f"{name}=@FILE sends what is in a file")
        with path.open("rb") as file:
            content = file.read(FILE_BYTES + 1)
    except OSError as error:
        raise Invalid(
            f"{path} cannot be read: {error.strerror}",
            hint=f"{name}=@FILE sends what is in a file; a value with @ itself is written {name}=@@…",
        ) from error
    if len(content) > FILE_BYTES:
        raise Full(f"{path} is longer than {FILE_BYTES} bytes", hint="that is the most of one parameter")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8 text: byte {error.start}", hint="save it as UTF-8") from error
