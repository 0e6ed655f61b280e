"""Options of ``dsmt-planner``: of several commands, of the depot, of the broker's users and of TLS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def usual_place() -> Path:
    """Where the planner keeps its data unless told otherwise."""
    return Path("/var/lib/dsmt/planner") if os.geteuid() == 0 else Path.home() / ".local/share/dsmt/planner"


Data = Annotated[
    Path | None,
    typer.Option(
        envvar="DSMT_PLANNER_DATA",
        show_default="/var/lib/dsmt/planner for root, else ~/.local/share/dsmt/planner",
        help="The planner's directory.",
    ),
]
DatabaseUrl = Annotated[
    str, typer.Option(envvar="DSMT_DATABASE", help="SQLAlchemy's URL; SQLite in DIR if not given.")
]
Tls = Annotated[bool, typer.Option("--tls", help="HTTPS on loopback, too; elsewhere it is usual.")]
InsecurePlain = Annotated[
    bool, typer.Option("--insecure-plain", help="Plain HTTP where others can hear it.")
]
Names = Annotated[
    list[str] | None,
    typer.Option("--name", help="By which others reach this machine; may be repeated; else its own."),
]
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
SliceGrace = Annotated[
    float,
    typer.Option(help="Seconds from the end of a slice until it is deleted; so long people are warned."),
]
AuditKeep = Annotated[
    float,
    typer.Option(help="Seconds; older entries of the audit log go into files in DIR/audit; 0: none do."),
]
DepotMirrors = Annotated[
    list[str] | None,
    typer.Option(
        "--depot-mirror", help="SITE=URL of a mirror that nodes of the site ask first; may be repeated."
    ),
]
Metrics = Annotated[
    str,
    typer.Option(
        envvar="DSMT_METRICS",
        help="Serve /metrics, of the depot, too: FILE with the token that is to be shown, or `open`.",
    ),
]
