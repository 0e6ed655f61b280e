"""The SDK, from its code: every call of `dsmtc.client.Client` with what it takes, gives and raises."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Final, is_typeddict

from dsmtc import client
from dsmtc.client import Client
from lab.reference.tables import code, escaped, table

_WIDTH: Final = 90
_CODE: Final = re.compile("(``[^`]+``|`[^`]+`)")

_HEAD: Final = """\
# The SDK

Made from the code of `dsmtc.client`. A `Client` is made of a planner's URL and `Credentials`. It is
synchronous, keeps one connection, belongs to one thread, and signs in by itself. Answers are `TypedDict`s
with the names of [the protocol](protocol.md), section 4; errors are those of [Errors](errors.md).
[From Python](dsmtc.md#from-python) has an example; `examples/fleet_report.py` is a whole program.
"""


def sdk() -> str:
    """Every call, by what it is about."""
    parts = [_HEAD]
    for owner in reversed(Client.__mro__):
        if calls := list(_calls(owner)):
            parts += [f"## {owner.__name__}\n", f"{_text(owner)}\n", *calls]
    return "\n".join([*parts, *_answers()])


def _calls(owner: type) -> Iterator[str]:
    for name, method in vars(owner).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            yield f"### {name}\n\n```python\n{name}{_signature(method)}\n```\n\n{_text(method)}\n"


class _AsWritten(str):
    """A type as the code has it, without the quotes of a text."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _signature(method: Callable[..., object]) -> str:
    """What it takes and gives; one line for each parameter where they are many."""
    read = inspect.signature(method)
    takes = [one.replace(annotation=_AsWritten(one.annotation)) for one in read.parameters.values()][1:]
    shown = str(read.replace(parameters=takes, return_annotation=_AsWritten(read.return_annotation)))
    if len(shown) <= _WIDTH:
        return shown
    whole = str(inspect.Signature(takes))[1:-1]
    each = [str(one) if one.kind is not one.VAR_KEYWORD else f"**{str(one).lstrip('*')}" for one in takes]
    star = ["*"] if ", *, " in f", {whole}" else []
    first = [one for one, of in zip(each, takes, strict=True) if of.kind is of.POSITIONAL_OR_KEYWORD]
    rest = [one for one, of in zip(each, takes, strict=True) if of.kind is not of.POSITIONAL_OR_KEYWORD]
    lines = ",\n    ".join([*first, *star, *rest])
    return f"(\n    {lines},\n) -> {read.return_annotation}"


def _answers() -> Iterator[str]:
    """Each type of an answer that a program may name, with its fields."""
    yield "## Answers\n"
    for name in client.__all__:
        answer = getattr(client, name)
        fields = getattr(answer, "__annotations__", {})
        if fields and (is_typeddict(answer) or hasattr(answer, "_fields")):
            rows = [(code(field), code(_type(said))) for field, said in fields.items()]
            yield f"### {name}\n\n{_text(answer)}\n\n{table(('field', 'type'), rows)}\n"


def _type(said: object) -> str:
    """A type as it was written, whether a field has to be there or not."""
    return getattr(said, "__forward_arg__", "") or str(said)


def _text(documented: object) -> str:
    """A docstring as it stands; its lists of arguments as what they are."""
    lines = (inspect.getdoc(documented) or "").splitlines()
    shown = []
    for line in lines:
        if line in {"Args:", "Raises:", "Returns:", "Attributes:"}:
            shown += [f"*{line.removesuffix(':')}*", ""]
        elif line.startswith("    ") and not line.startswith("     "):
            shown.append(f"* {_plain(line.strip())}")
        else:
            shown.append(_plain(line.strip()))
    return "\n".join(shown)


def _plain(text: str) -> str:
    """A text that is shown as it is, but for the words of code in it."""
    parts = _CODE.split(text)
    return "".join(part if at % 2 else escaped(part) for at, part in enumerate(parts))
