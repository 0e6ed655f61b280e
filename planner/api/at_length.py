"""Answers that may be long: written as JSON in a thread beside, in portions.

The encoder holds Python's lock as long as one call of it takes, and everybody else waits; so it is called
for some rows at a time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from fastapi.responses import Response
from pydantic_core import to_json

PORTION: Final = 200
_KIND: Final = "application/json"


async def at_length(told: Mapping[str, Any] | Sequence[Any]) -> Response:
    """The answer that tells this, of which nobody else has a part: nothing of it changes meanwhile."""
    parts = told.values() if isinstance(told, Mapping) else [told]
    if all(len(one) <= PORTION for one in parts if isinstance(one, list | dict)):
        return Response(_json(told), media_type=_KIND)
    return Response(await asyncio.to_thread(written, told), media_type=_KIND)


def written(told: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """It as JSON."""
    if not isinstance(told, Mapping):
        return _list(told)
    fields = [_json(name) + b":" + _value(value) for name, value in told.items()]
    return b"{" + b",".join(fields) + b"}"


def _value(value: Any) -> bytes:
    if isinstance(value, dict):
        return b"{" + b",".join(_json(dict(some))[1:-1] for some in _portions(value.items())) + b"}"
    return _list(value) if isinstance(value, list) else _json(value)


def _list(rows: Sequence[Any]) -> bytes:
    return b"[" + b",".join(_json(some)[1:-1] for some in _portions(rows)) + b"]"


def _json(value: Any) -> bytes:
    try:
        # Of what is here, mostly short texts and enumerations, this one is the faster.
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError):
        return to_json(value, inf_nan_mode="null")


def _portions(things: Any) -> Iterator[list[Any]]:
    left = iter(things)
    while some := list(islice(left, PORTION)):
        yield some
