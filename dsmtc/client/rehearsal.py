"""Rehearsing: whatever would change something at the planner is told instead of sent.

It stands where requests are sent, so that it holds for every verb and every method of the SDK alike. What
only asks is asked, so that a name that is wrong is found.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

from dsmt_core.errors import DsmtError

_READS: Final = re.compile(r".*/(login|login/key|login/challenge|eval|explain|preview)(\?.*)?\Z")


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


def changes(method: str, path: str) -> bool:
    """Whether a request changes something at the planner."""
    return method != "GET" and not _READS.match(path)
