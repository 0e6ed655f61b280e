"""What each request says of who sends it."""

from __future__ import annotations

from collections.abc import Mapping


def authorized(headers: Mapping[str, str], token: str) -> dict[str, str]:
    """The headers of a request, with the token of its caller, if there is one."""
    named = {"User-Agent": "dsmtc", "Accept": "*/*", **headers}
    return named | {"Authorization": f"Bearer {token}"} if token else named
