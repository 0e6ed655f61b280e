"""Reading what a program or file tells of a machine: lines ``name=value``, or JSON. Pure.

What is not legal is left out and told; nothing of it can stop the facts of others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from dsmt_core.errors import Invalid
from dsmt_core.events import check_text

BYTES: Final = 16_384
"""What one program may print."""
FACTS: Final = 64
VALUE: Final = 256
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class Told:
    """What was told.

    Attributes:
        facts: as text.
        trouble: the first thing that is wrong with it; empty when nothing is.
    """

    facts: dict[str, str]
    trouble: str = ""


def read_facts(output: bytes) -> Told:
    """What ``output`` tells: a JSON object if it begins with a brace, otherwise lines.

    Empty lines and those that begin with ``#`` say nothing.
    """
    if len(output) > BYTES:
        return Told({}, f"it says more than {BYTES} bytes")
    try:
        text = output.decode()
    except UnicodeDecodeError as error:
        return Told({}, f"it is not UTF-8 at byte {error.start}")
    pairs = _object(text) if text.lstrip().startswith("{") else _lines(text)
    return pairs if isinstance(pairs, Told) else _legal(pairs)


def _object(text: str) -> Told | list[tuple[str, str | None]]:
    try:
        found: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Told({}, f"it is no JSON: {error}"[:200])
    return [(name, _written(value)) for name, value in found.items() if value is not None]


def _written(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _lines(text: str) -> list[tuple[str, str | None]]:
    lines = [line.strip() for line in text.splitlines()]
    cut = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return [(name.strip(), value.strip() if equals else None) for name, equals, value in cut]


def _legal(pairs: Iterable[tuple[str, str | None]]) -> Told:
    facts: dict[str, str] = {}
    trouble = ""
    for name, value in pairs:
        problem = _problem(name, value)
        if problem or value is None:
            trouble = trouble or problem
        elif len(facts) < FACTS or name in facts:
            facts[name] = value
        else:
            trouble = trouble or f"it tells more than {FACTS} facts"
    return Told(facts, trouble)


def _problem(name: str, value: str | None) -> str:
    if not _NAME.match(name):
        return f"{name[:40]!r} is no name of a fact: small letters, digits and _"
    if value is None:
        return f"{name} has no value, or one that is neither a text nor a number"
    if len(value) > VALUE:
        return f"the value of {name} has more than {VALUE} characters"
    try:
        check_text(value, name)
    except Invalid as error:
        return error.message
    return ""
