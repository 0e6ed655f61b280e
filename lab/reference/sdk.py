"""The SDK, from its code: every call of `dsmtc.client.Client` with what it takes, gives and raises."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Final

from dsmtc.client import Client
from lab.reference.tables import plain

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
    return "\n".join(parts)


def _calls(owner: type) -> Iterator[str]:
    for name, method in vars(owner).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            signature = str(inspect.signature(method)).replace("self, ", "", 1).replace("(self)", "()", 1)
            yield f"### {name}\n\n```python\n{name}{signature}\n```\n\n{_text(method)}\n"


def _text(documented: object) -> str:
    """A docstring as it stands; its lists of arguments as what they are."""
    lines = (inspect.getdoc(documented) or "").splitlines()
    shown = []
    for line in lines:
        if line in {"Args:", "Raises:", "Returns:", "Attributes:"}:
            shown += [f"*{line.removesuffix(':')}*", ""]
        elif line.startswith("    ") and not line.startswith("     "):
            shown.append(f"* {plain(line.strip())}")
        else:
            shown.append(plain(line.strip()))
    return "\n".join(shown)
