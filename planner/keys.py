"""``dsmt-planner keys``: the key with which orders are signed, shown and changed.

Rule: it works on the planner's directory; a planner that runs sees a new key with its next order.
"""

from __future__ import annotations

import time
from pathlib import Path

import typer

from dsmt_core.signing import fingerprint
from planner.authority.order_keys import OrderKey, OrderKeys
from planner.config import PlannerConfig
from planner.options import Data, usual_place

app = typer.Typer(help="The key that signs orders.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def show(*, data: Data = None) -> None:
    """Tell the key's fingerprint, which dsmt-node trust takes; a key is made when there is none."""
    _tell(_keys(data).current())


@app.command()
def rotate(*, data: Data = None) -> None:
    """Make another key; the present one signs that it hands over, and is thrown away."""
    _tell(_keys(data).rotate())


def _keys(data: Path | None) -> OrderKeys:
    return OrderKeys(PlannerConfig(data=data or usual_place(), broker="").order_key)


def _tell(key: OrderKey) -> None:
    made = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(key.made_at))
    typer.echo(f"fingerprint  {fingerprint(key.signer.public)}")
    typer.echo(f"public key   {key.signer.public}")
    typer.echo(f"made         {made}; hand-overs told: {len(key.hand_overs)}")
