"""Rehearsing: whatever would change something at the planner is told instead of sent.

It stands where requests are sent, so that it holds for every verb and every method of the SDK alike. What
only asks is asked, so that a name that is wrong is found. With a `Rehearsal` the caller is given an answer
such as the planner might give, and goes on: all that would be sent is noted, and nothing is.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal, NotRequired, Union, get_args, get_origin, get_type_hints
from typing import is_typeddict as is_record

from dsmt_core.errors import DsmtError

_READS: Final = re.compile(r".*/(login|login/key|login/challenge|eval|explain|preview)(\?.*)?\Z")
# What a request carries of these is told to nobody.
_KEPT_BACK: Final = frozenset(
    {"password", "old_password", "value", "secret", "signature", "token", "claim"}
)
_LEFT_OUT: Final = "(left out)"


class Rehearsed(DsmtError):
    """A request that would have changed something was not sent.

    Attributes:
        method, path: of the request.
    """

    code: ClassVar[str] = "rehearsed"

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"not sent: {method} {path}")
        self.method = method
        self.path = path


@dataclass(frozen=True, slots=True)
class Would:
    """A request that would be sent; ``body`` without what is secret, None for bytes or nothing."""

    method: str
    path: str
    body: object = None


@dataclass(slots=True)
class Rehearsal:
    """Notes what would be sent, and answers in the planner's place."""

    would: list[Would] = field(default_factory=list)

    def answer(self, method: str, path: str, body: object, shape: Any) -> Any:
        """Note a request; an answer to it that has the right form, with what the request says itself."""
        self.would.append(Would(method, path, _without_secrets(body)))
        return imagined(shape, body if isinstance(body, Mapping) else {})


def changes(method: str, path: str) -> bool:
    """Whether a request changes something at the planner."""
    return method != "GET" and not _READS.match(path)


def imagined(form: Any, said: Mapping[str, object]) -> Any:
    """A value of a form (as `dsmtc.client.shape` knows them): empty, but for what is ``said`` by name."""
    origin, parts = get_origin(form), get_args(form)
    if is_record(form):
        hints = get_type_hints(form, include_extras=True)
        needed = {name: part for name, part in hints.items() if get_origin(part) is not NotRequired}
        return {name: _said(part, said, name) for name, part in needed.items()}
    if origin is Literal:
        return parts[0]
    if origin in {types.UnionType, Union}:
        return None if type(None) in parts else imagined(parts[0], said)
    if origin in {list, dict}:
        return origin()
    return form() if form in {str, int, float, bool} else None


def _said(form: Any, said: Mapping[str, object], name: str) -> Any:
    value, kind = said.get(name), get_origin(form) or form
    return value if isinstance(kind, type) and isinstance(value, kind) else imagined(form, {})


def _without_secrets(body: object) -> object:
    if not isinstance(body, Mapping):
        return None
    return {name: _LEFT_OUT if name in _KEPT_BACK else value for name, value in body.items()}
