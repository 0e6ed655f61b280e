"""Options of ``dsmt-planner run`` that are about the depot, and about the broker's users."""

from __future__ import annotations

from typing import Annotated

import typer

BrokerManagement = Annotated[
    str,
    typer.Option(
        envvar="DSMT_BROKER_MANAGEMENT",
        help="URL of the broker's management, as administrator: nodes and slivers get users of their own.",
    ),
]
SliceDepotBytes = Annotated[
    int,
    typer.Option(min=0, help="What a slice may keep, unless it was given another bound; 0: no bound."),
]
DepotKeep = Annotated[
    int, typer.Option(min=0, help="Remove packages that nothing needs, but for N versions; 0: never.")
]
DepotOlderThan = Annotated[
    float, typer.Option(min=0, help="Seconds; what was put later is not removed then.")
]
DepotMirrors = Annotated[
    list[str] | None,
    typer.Option(
        "--depot-mirror", help="SITE=URL of a mirror that nodes of the site ask first; may be repeated."
    ),
]
