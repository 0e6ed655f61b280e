"""The bounds that a site sets to each of its slices; the smaller of site and slice counts. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from dsmt_core.errors import Invalid

UNBOUNDED = 0
_MOST = 1 << 60


@dataclass(frozen=True, slots=True)
class Quota:
    """Bounds for each slice of a site; 0: none.

    Attributes:
        depot_bytes: what it may keep in the depot.
    """

    depot_bytes: int = UNBOUNDED

    def __post_init__(self) -> None:
        """Refuse what is no number of bytes.

        Raises:
            Invalid: it is none.
        """
        if not 0 <= self.depot_bytes <= _MOST:
            raise Invalid(f"{self.depot_bytes} is not a number of bytes", hint="0 for no bound")

    @property
    def text(self) -> str:
        """As it is stored; empty for none."""
        said = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(said, separators=(",", ":")) if said else ""


def quota_of(text: str) -> Quota:
    """The quota that was stored so; what a later DSMT added is left out."""
    said = json.loads(text) if text else {}
    return Quota(int(said.get("depot_bytes", UNBOUNDED)))


def smaller(one: int, other: int) -> int:
    """The bound that counts of two; 0 is none."""
    return min(filter(None, (one, other)), default=UNBOUNDED)
