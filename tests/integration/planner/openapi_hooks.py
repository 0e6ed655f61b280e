"""Loaded by schemathesis (``SCHEMATHESIS_HOOKS``): whose requests they are, and that answers end."""

from __future__ import annotations

import os
from typing import Any

import schemathesis


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Ask for no stream without end."""
    if case.query and "follow" in case.query:
        case.query["follow"] = "0"


@schemathesis.auth()
class Bearer:
    """The token of the environment: it is in no argument, which others could read."""

    def get(self, _case: Any, _context: Any) -> str:
        """The token."""
        return os.environ["DSMT_TEST_TOKEN"]

    def set(self, case: Any, data: str, _context: Any) -> None:
        """Send it."""
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}
