"""How a configuration names a secret without holding it.

The value of such a name is ``dsmt-secret:ID``, with the id of one content of the secret. So another content
is another configuration, which is rolled out as every other, and comes back as every other.
"""

from __future__ import annotations

import re
from typing import Final

from dsmt_core.configuration import Configuration

PREFIX: Final = "dsmt-secret:"
BYTES: Final = 64 << 10
"""Of one secret, at most."""
_ID: Final = re.compile(r"[0-9a-f]{32}\Z")


def reference(id_: str) -> str:
    """The value of a configuration that stands for a content of a secret."""
    return f"{PREFIX}{id_}"


def referred(value: str) -> str:
    """The id that a value of a configuration stands for; empty when it is a plain value."""
    id_ = value.removeprefix(PREFIX)
    return id_ if value.startswith(PREFIX) and _ID.match(id_) else ""


def referred_by(configuration: Configuration) -> dict[str, str]:
    """The ids of the secrets that a configuration names, by name."""
    return {name: id_ for name, value in configuration.pairs if (id_ := referred(value))}
