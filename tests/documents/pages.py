"""Which documents are played."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_DOCS: Final = ROOT / "docs"
# It takes the nodes of all others away.
ALONE: Final = _DOCS / "how-to" / "take-nodes-out-of-service.md"
# The longest first, and those alone after the others.
_LONG: Final = ("roll-out-a-version", "write-a-service-planner", "configure-an-application")
_MORE: Final = ("reference/errors.md",)
PLAYED: Final = (
    *sorted((_DOCS / "how-to").glob("*.md"), key=lambda path: path.stem not in _LONG),
    *(_DOCS / name for name in _MORE),
)
