"""The planner's interface as OpenAPI: ``python -m tests.openapi`` writes the file that is published.

A planner serves the same at ``/v1/openapi.json``. A test says when the file is old.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from planner.api.app import described

PATH: Final = Path(__file__).parents[1] / "docs" / "reference" / "openapi.json"


def written() -> str:
    """The document as the file has it: its version is that of the interface, not of a release."""
    found: dict[str, Any] = described().openapi()
    found["info"] |= {"version": "v1"}
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(written())
