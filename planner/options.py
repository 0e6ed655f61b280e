"""Options of ``dsmt-planner run`` that are about the depot."""

from __future__ import annotations

from typing import Annotated

import typer

DepotMirrors = Annotated[
    list[str] | None,
    typer.Option(
        "--depot-mirror", help="SITE=URL of a mirror that nodes of the site ask first; may be repeated."
    ),
]
