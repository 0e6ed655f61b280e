"""Has a build fetch what the page of the planner brings from other projects, so that a wheel holds it.

A build without the registry goes on, and says so: the page then tells its reader what is missing.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Assets(BuildHookInterface):  # type: ignore[misc, type-arg]
    """Runs before what belongs to a wheel is collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch what is missing."""
        del version, build_data
        runpy.run_path(str(Path(self.root) / "planner" / "viewer" / "assets.py"))["main"]()
