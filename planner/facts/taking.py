"""What is taken of a source's answer: what is legal, under names of its own, within bounds. Pure.

An answer that is too great is refused as a whole, for nobody can say which part of it would matter; a value
that is not legal is left out, and told.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dsmt_core.errors import Full, Invalid
from dsmt_core.events import check_text
from dsmt_core.names import Host, host

HOSTS: Final = 200_000
FACTS: Final = 64
"""Of one host, from one source."""
CHARACTERS: Final = 64 << 20
VALUE: Final = 256
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken.

    Attributes:
        facts: by host, under their full names.
        trouble: what was left out, with an example; empty when nothing was.
    """

    facts: Mapping[Host, Mapping[str, str]]
    trouble: str = ""


def taken(source: str, answer: object) -> Taken:
    """What is taken of an answer.

    Raises:
        Invalid: it is no mapping of hosts to mappings.
        Full: it is greater than `HOSTS` or `CHARACTERS`.
    """
    if not isinstance(answer, Mapping):
        raise Invalid(f"the answer is no mapping of hosts, but {type(answer).__name__}")
    if len(answer) > HOSTS:
        raise Full(f"the answer has {len(answer)} hosts; at most {HOSTS} are taken")
    facts: dict[Host, Mapping[str, str]] = {}
    left_out, room = list[str](), CHARACTERS
    for text, told in answer.items():
        try:
            legal = _facts(source, told, left_out)
            facts[host(str(text))] = legal
        except Invalid as error:
            left_out.append(error.message)
            continue
        room -= sum(len(name) + len(value) for name, value in legal.items())
        if room < 0:
            raise Full(f"the answer has more than {CHARACTERS} characters")
    return Taken(facts, f"{len(left_out)} left out: {left_out[0][:200]}" if left_out else "")


def _facts(source: str, told: object, left_out: list[str]) -> dict[str, str]:
    if not isinstance(told, Mapping):
        raise Invalid(f"the facts of a host are no mapping, but {type(told).__name__}")
    if len(told) > FACTS:
        raise Invalid(f"a host has {len(told)} facts; at most {FACTS} are taken")
    facts = {}
    for name, value in told.items():
        text = _text(value)
        if text is None:
            continue
        if not _NAME.match(str(name)):
            left_out.append(f"{str(name)[:80]!r} is no name of a fact")
        elif problem := _problem(text):
            left_out.append(f"the value of {name} {problem}")
        else:
            facts[f"{source}.{name}"] = text
    return facts


def _text(value: object) -> str | None:
    """A value as text; None where it is not known."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, str | int | float):
        return str(value) if not isinstance(value, int) or abs(value) < 10**VALUE else "9" * (VALUE + 1)
    return "\0"


def _problem(text: str) -> str:
    if len(text) > VALUE:
        return f"has more than {VALUE} characters"
    try:
        check_text(text, "it")
    except Invalid:
        return "is neither a text nor a number"
    return ""
