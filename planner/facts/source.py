"""The port of a source of facts, and how one is found: by entry points, so that others can be installed.

A plug-in is a distribution with an entry point in the group ``dsmt.facts``: its name is the kind, and it is
a function that is given what follows the colon (a file, a URL) and returns a `FactSource`. The kind
``file`` is there without one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import PurePath
from typing import Final, Protocol

from dsmt_core.errors import DsmtError, Invalid
from planner.facts.files import FileFacts

GROUP: Final = "dsmt.facts"
FILE: Final = "file"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")
_HINT: Final = "[NAME=]KIND:WHERE, such as inventory=file:/etc/dsmt/inventory.json"


class FactSource(Protocol):
    """Knows facts of nodes.

    Attributes:
        period: seconds between two reads, from 1 to 86400; what was read holds for five of them.
    """

    period: float

    def read(self) -> Mapping[str, Mapping[str, object]]:
        """The facts of each host: host → name → value, a text, number or truth value; None is unknown.

        It is called in a thread of its own, never twice at a time, and has 10 s; whoever needs longer keeps
        what it knows and answers from that.

        Raises:
            DsmtError: why nothing can be told now; any other error is told as it is.
        """


@dataclass(frozen=True, slots=True)
class Named:
    """A source under its name.

    Attributes:
        name: what its facts begin with.
        text: how it was asked for.
    """

    name: str
    text: str
    source: FactSource


def open_source(text: str) -> Named:
    """The source that ``[NAME=]KIND:WHERE`` asks for; without a name it is called as its file is.

    Raises:
        Invalid: it is not written so, there is no plug-in of this kind, or that does not take it.
    """
    front, colon, where = text.partition(":")
    name, _, kind = front.rpartition("=")
    if not (colon and where and kind):
        raise Invalid(f"--facts {text[:80]!r} is no source of facts", hint=_HINT)
    name = name or re.sub(r"[^a-z0-9_]", "_", PurePath(where).stem.lower())
    if not _NAME.match(name):
        hint = f"small letters, digits and _, a letter first, at most 32: {_HINT}"
        raise Invalid(f"{name[:80]!r} is no name of a source of facts", hint=hint)
    return Named(name, text, _plugged_in(kind, where))


def _plugged_in(kind: str, where: str) -> FactSource:
    if kind == FILE:
        return FileFacts(where)
    found = {one.name: one for one in entry_points(group=GROUP)}
    if kind not in found:
        hint = f"there are: {', '.join(sorted({*found, FILE}))}"
        raise Invalid(f"there is no kind {kind[:80]!r} of sources of facts", hint=hint)
    try:
        source: FactSource = found[kind].load()(where)
    except DsmtError:
        raise
    except Exception as error:
        raise Invalid(f"the source of facts {kind}:{where} cannot be used: {error!r}") from error
    return source
