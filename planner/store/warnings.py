"""For how long people have been warned of the ends of their slices, kept over restarts of the planner."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from dsmt_core.names import Slice
from planner.expiry import Warned
from planner.store import settings

_NAME: Final = "slices_warned"


def load(connection: Connection) -> dict[Slice, Warned]:
    """What was stored; of what cannot be read nothing: then people are warned for longer."""
    try:
        known = json.loads(settings.get(connection, _NAME) or "{}")
        return {Slice(name): Warned(float(end), float(seconds)) for name, (end, seconds) in known.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def store(connection: Connection, warned: Mapping[Slice, Warned]) -> None:
    """Store it, all of it."""
    settings.put(connection, _NAME, json.dumps({name: list(one) for name, one in warned.items()}))
