"""Which documents are played."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_DOCS: Final = ROOT / "docs"
PLAYED: Final = tuple(
    _DOCS / "how-to" / f"{name}.md"
    for name in (
        "write-a-service-planner",
        "write-an-agent",
        "package-an-application",
        "use-psepr-from-an-application",
    )
)
